"""Where a command's output goes, and what becomes of an error."""

from __future__ import annotations

import errno
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, TextIO

import typer

from archcalc.cli.interrupt import interrupt_deferred
from archcalc.cli.options import Format
from archcalc.values.errors import ArchcalcError, UsageError

if TYPE_CHECKING:
    from archcalc.render.order import Order
    from archcalc.values.document import Document

BAR = 30
"""The width of a full bar of progress, in characters."""


def to_stdout(output: Path | None) -> bool:
    """Whether what `-o` names is the standard output."""
    return output is None or str(output) == "-"


def to_terminal(output: Path | None) -> bool:
    """Whether a person's terminal would get what is written."""
    return to_stdout(output) and sys.stdout is not None and sys.stdout.isatty()


def is_plain_locale() -> bool:
    """Whether the locale is C by name: Python writes UTF-8 there all the same, which such a terminal cannot show."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    return next(filter(None, names), "") in ("C", "POSIX")


def _set_encoding(stream: object, encoding: str) -> None:
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding=encoding, errors="backslashreplace")


def use_plain_signs() -> None:
    """In the locale C everything for people is ASCII: the help, tables, messages, and what a model prints."""
    if is_plain_locale():
        _set_encoding(sys.stdout, "ascii")
        _set_encoding(sys.stderr, "ascii")


def _fits(text: str, stream: TextIO | None) -> bool:
    """Whether a stream has all characters of a text."""
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def write(document: Document, form: Format, output: Path | None, order: Order | None = None) -> None:
    """The document, its rows in an order that was asked for, to stdout or, whole or not at all, to a file."""
    from archcalc.formats import RAW, render

    if order is not None:
        from archcalc.render.order import arranged

        document = arranged(document, order, form)

    if output is not None and not to_stdout(output):
        write_file(output, render(document, form, width=_width(), colour=False))
        return
    if sys.stdout is None:
        raise UsageError("there is no standard output to write to; -o FILE writes to a file")
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    if form in RAW and is_plain_locale() and not sys.stdout.isatty():
        _set_encoding(sys.stdout, "utf-8")  # a program gets the names as they are
    text = render(document, form, width=_width(), colour=colour)
    if not _fits(text, sys.stdout):
        text = render(document, form, width=_width(), colour=colour, ascii_only=True)
    sys.stdout.write(text)
    sys.stdout.flush()


def write_content(content: str | bytes, output: Path | None) -> None:
    """A picture, say, to stdout as it is or, whole or not at all, to a file."""
    if output is not None and not to_stdout(output):
        write_file(output, content)
        return
    if sys.stdout is None:
        raise UsageError("there is no standard output to write to; -o FILE writes to a file")
    sys.stdout.buffer.write(_encoded(content))
    sys.stdout.flush()


def _width() -> int:
    return max(40, shutil.get_terminal_size((80, 24)).columns)


def write_file(path: Path, content: str | bytes) -> None:
    """Replace a file in one step, so that nobody ever finds half of one; a device or a pipe is written to."""
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(_encoded(content))
            return
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
    write_files({path: content})


def write_files(contents: Mapping[Path, str | bytes]) -> None:
    """Replace files, all of them or none: each is written beside its place first, then all are moved there.

    Raises UsageError, naming the file, if one cannot be written. Should a file fail to move after others did, which is
    next to impossible, the error names those that are new.
    """
    with interrupt_deferred(), ExitStack() as drafts:
        moves = [_draft(path, content, drafts) for path, content in contents.items()]
        moved: list[str] = []
        for path, move in zip(contents, moves, strict=True):
            try:
                move()
            except OSError as error:
                new = f"; already new: {', '.join(moved)}" if moved else ""
                raise UsageError(f"cannot write {path}: {error.strerror or error}{new}") from error
            moved.append(path.name)


def _draft(path: Path, content: str | bytes, drafts: ExitStack) -> Callable[[], object]:
    """Writes a draft beside the file, which `drafts` removes again, and gives what moves it into place."""
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            raise FileExistsError(errno.EEXIST, "it is no file")
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "it is read-only")
        draft = target.with_name(f".archcalc-{token_hex(8)}")
        drafts.callback(draft.unlink, missing_ok=True)
        _write_new(draft, content)
        if target.exists():
            shutil.copymode(target, draft)
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError
        raise UsageError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from error
    return partial(draft.replace, target)


def _write_new(path: Path, content: str | bytes) -> None:
    """Write a file that must not exist yet, so that no link that somebody laid there is followed."""
    with path.open("xb") as file:
        file.write(_encoded(content))


def _encoded(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def say(message: str) -> None:
    """One line to the person at the terminal, if there is one."""
    with suppress(OSError):
        typer.echo(f"archcalc: {_for_stderr(message)}", err=True)


def _for_stderr(message: str) -> str:
    """A message as one line in the characters that the terminal has."""
    from archcalc.formats.safe import one_line
    from archcalc.formats.units import ascii_only

    line = one_line(message)
    return line if _fits(line, sys.stderr) else ascii_only(line)


@contextmanager
def clear_errors(debug: bool) -> Iterator[None]:
    """Every error becomes one clear line on stderr and its exit code; `debug` adds the traceback."""
    try:
        yield
    except ArchcalcError as error:
        if debug:
            raise
        say(str(error))
        raise typer.Exit(error.exit_code) from error
    except BrokenPipeError as error:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from error
    except typer.Exit:
        raise
    except OSError as error:
        if debug:
            raise
        say(f"cannot write the output: {error.strerror or error}")
        raise typer.Exit(UsageError.exit_code) from error
    except Exception as error:
        if debug:
            raise
        say(f"unexpected {type(error).__name__}: {error}; please report it, with what --debug shows")
        raise typer.Exit(1) from error


def _looking() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()  # there is none where it was closed


@contextmanager
def status() -> Iterator[Callable[[str], None]]:
    """A function that tells on stderr what is being done, where somebody is looking; each message replaces the last."""
    looking = _looking()

    def tell(message: str) -> None:
        if looking:
            print(f"\r\x1b[K{_for_stderr(message)}"[: _width() + 4], end="", file=sys.stderr, flush=True)  # noqa: T201

    try:
        yield tell
    finally:
        tell("")


@contextmanager
def progress(total: int) -> Iterator[Callable[[str], None]]:
    """A function to call with the name of each item that is finished: a bar on stderr, where somebody is looking."""
    from archcalc.formats.units import bar

    finished = 0
    with status() as tell:

        def done(name: str = "") -> None:
            nonlocal finished
            finished += 1
            show(name)

        def show(name: str) -> None:
            tell(f"{bar(finished, total, BAR):·<{BAR}} {finished} of {total} {name}")

        show("")
        yield done
