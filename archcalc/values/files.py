"""Reading and writing a file that a person names: what is wrong with it is a UsageError; nothing waits for ever."""

from __future__ import annotations

import os
from pathlib import Path
from select import select

from archcalc.values.errors import UsageError

LARGEST_FILE = 2**28
"""Bytes that a file may have; a report of ten thousand layers has some ten million."""


def read_file(path: str | Path) -> bytes:
    """What a file or a pipe holds. Raises UsageError, naming it, if it cannot be read or is larger than LARGEST_FILE.

    A named pipe is not waited for if no process has it open to write to it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            content = bytearray()
            while (block := _block(file.fileno())) and len(content) <= LARGEST_FILE:
                content += block
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        raise UsageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    if len(content) > LARGEST_FILE:
        raise UsageError(f"cannot read {path}: it is larger than {LARGEST_FILE // 2**20} MiB")
    return bytes(content)


def save_file(path: Path, content: bytes) -> None:
    """Write a file; UsageError, naming it, if that cannot be done."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


def _block(descriptor: int) -> bytes:
    """The next bytes, none at the end, waiting for a process that has a pipe open and has not written yet."""
    while True:
        try:
            return os.read(descriptor, 2**20)
        except BlockingIOError:
            select([descriptor], [], [])
