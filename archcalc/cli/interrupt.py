"""Ctrl-C: it ends the process itself, as an exception can be lost on its way up.

Python raises KeyboardInterrupt wherever the main thread happens to be. In a callback that runs around a fork, in a
`__del__` or below a bare `except` of an import it is swallowed, and the command goes on to exit 0.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

EXIT_CODE = 128 + signal.SIGINT
"""What a shell reports of a command that Ctrl-C ended: 130."""


def exit_on_interrupt() -> None:
    """From now on Ctrl-C exits with 130 at once; the workers end with this process. For the main thread only."""
    main_process = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() == main_process:  # a worker that was forked just now says nothing
            with suppress(OSError):
                os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"\nAborted.\n")
        os._exit(EXIT_CODE)

    signal.signal(signal.SIGINT, end)


@contextmanager
def interrupt_deferred() -> Iterator[None]:
    """Lets what is within finish before Ctrl-C takes effect, so that no half of it is left behind."""
    if threading.current_thread() is not threading.main_thread():  # where no signal arrives
        yield
        return
    arrived: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: arrived.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if handler is None else handler)
        if arrived:
            signal.raise_signal(signal.SIGINT)
