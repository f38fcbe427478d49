"""Whose code may run: what a file of claims, which may come from anybody, is allowed to name.

Building a model runs its code. What a person names on a command line is theirs to trust; a file of claims may only name
a network of the zoo, or a module class or a function that is defined in a Python file below the file's own folder or
the working directory. A library's model it may not name, because settings can make a library load files, nor an
exported one, because loading it can run code. Functions are first called in a process of their own, so that one that
exits or crashes is an error like any other.
"""

from __future__ import annotations

import inspect
import os
import select
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import nn

from archcalc.sources.files import attribute_of, only_module_in
from archcalc.sources.meta import weights_on_meta
from archcalc.sources.named import named as parsed
from archcalc.values.errors import ModelError, UsageError

TRUST = "--trust allows any"


def vet(text: str, settings: dict[str, Any], folders: Sequence[Path]) -> None:
    """Raise UsageError for a model that code of unknown origin may not name, ModelError if it ends the process."""
    model = parsed(text)
    if model.kind in ("zoo", "saved"):  # a saved report is data
        return
    target, is_file = model.target, model.kind == "file"
    file = Path(target if is_file else target.rpartition(":")[0]).resolve()
    if file.suffix != ".py" or not any(file.is_relative_to(folder.resolve()) for folder in folders):
        raise UsageError(
            f"{target} is neither a network of the zoo nor in a Python file below the folder of the claims or the "
            f"working directory; {TRUST}"
        )
    target = only_module_in(target) if is_file else target
    named = attribute_of(target)
    if isinstance(named, nn.Module):
        return
    if not inspect.isclass(named) and not inspect.isfunction(named):
        raise UsageError(f"{target} is a {type(named).__name__}, neither a torch module nor something that builds one")
    if not _is_defined_in(named, file):
        raise UsageError(f"{target} is not defined in {file.name} but brought there from elsewhere; {TRUST}")
    if inspect.isclass(named) and not issubclass(named, nn.Module):
        raise UsageError(f"{target} is a class of something else than torch modules; {TRUST}")
    if inspect.isfunction(named) and hasattr(os, "fork"):
        _call_in_a_process(target, named, {**settings, **model.settings})


def _is_defined_in(named: Any, file: Path) -> bool:
    """Whether a function's code, or the code of any of a class's methods, stands in that file."""
    functions = [named] if inspect.isfunction(named) else filter(inspect.isfunction, vars(named).values())
    return any(Path(function.__code__.co_filename).resolve() == file for function in functions)


def _call_in_a_process(target: str, build: Callable[..., Any], settings: dict[str, Any]) -> None:
    """Raise ModelError if a call of `build` ends its process; whatever else it does is seen when it is called here."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        threading.Thread(target=_end_with_reader, args=(writer,), daemon=True).start()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            with suppress(BaseException), weights_on_meta():
                build(**settings)
            os.write(writer, b"back")
        finally:
            os._exit(0)
    os.close(writer)
    try:
        with os.fdopen(reader, "rb") as pipe:
            came_back = pipe.read() == b"back"
    except BaseException:  # such as KeyboardInterrupt
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not came_back:
        how = f"is ended by signal {-code}" if code < 0 else f"exits with {code}"
        raise ModelError(f"{target} cannot be built: the process {how}")


def _end_with_reader(writer: int) -> None:
    """Ends this process once nobody reads that pipe any more: whoever started it is gone, by Ctrl-C perhaps."""
    poll = select.poll()
    poll.register(writer, 0)  # an error, of a pipe without a reader, is always reported
    poll.poll()
    os._exit(1)
