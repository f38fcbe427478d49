"""What can go wrong, and the exit code that each kind of failure ends with."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from threading import get_ident
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from archcalc.values.report import Report

LONGEST = 100
"""Characters that an error shows of a name that is not known."""


class ArchcalcError(Exception):
    """Base of every error that archcalc raises on purpose; the message says what to do."""

    exit_code = 1


class UsageError(ArchcalcError):
    """The request itself is wrong: an unknown name, a size that is no size, a file that cannot be written."""

    exit_code = 2


class ModelError(ArchcalcError):
    """The model could not be built or run.

    `report` holds the rows up to the call that failed; it is None where the model could not be built.
    """

    exit_code = 3

    def __init__(self, message: str, report: Report | None = None) -> None:
        super().__init__(message)
        self.report = report


def error_message(error: BaseException) -> str:
    """The message of an error in one line; empty where it has none, or none can be made of it."""
    try:
        return " ".join(str(error).split())
    except Exception:  # its __str__ fails
        return ""


def error_text(error: BaseException) -> str:
    """The class of an error and its message in one line."""
    return f"{type(error).__name__}: {error_message(error)}".removesuffix(": ")


@contextmanager
def model_errors(name: str) -> Iterator[None]:
    """Within it whatever code of the user's raises becomes a ModelError; an error of archcalc's own stays as it is."""
    try:
        yield
    except (ArchcalcError, KeyboardInterrupt):
        raise
    except BaseException as error:
        if not _comes_from_user(error):
            raise
        raise ModelError(f"{name} fails before its forward: {error_text(error)}") from error


@contextmanager
def exits_raise() -> Iterator[None]:
    """Within it `os._exit` raises SystemExit: a model that calls it is an error, and not the end of the program.

    Other threads, and processes that the model starts, end by it as they are meant to.
    """
    exit_at_once, caller = os._exit, (os.getpid(), get_ident())

    def exits(status: int) -> NoReturn:
        if (os.getpid(), get_ident()) != caller:
            exit_at_once(status)
        raise SystemExit(status)

    os._exit = exits
    try:
        yield
    finally:
        os._exit = exit_at_once


def _comes_from_user(error: BaseException) -> bool:
    """Whether the innermost function on the way of an error, but for those of Python and torch, is not archcalc's."""
    last, traceback = "", error.__traceback__
    while traceback is not None:
        top = str(traceback.tb_frame.f_globals.get("__name__")).partition(".")[0]
        last = last if top == "torch" or top in sys.stdlib_module_names else top
        traceback = traceback.tb_next
    return last not in ("archcalc", "")


def unknown(noun: str, given: str, known: Iterable[str], hint: str = "") -> UsageError:
    """A UsageError for a name that is not among the known ones, offering the closest of them."""
    choices = list(known)
    given = given if len(given) <= LONGEST else f"{given[:LONGEST]}..."
    closest = get_close_matches(given.lower(), choices, n=3, cutoff=0.5)
    if closest:
        offer = f"did you mean {', '.join(closest[:-1])}{' or ' * (len(closest) > 1)}{closest[-1]}?"
    else:
        offer = f"there are {', '.join(choices)}" if 0 < len(choices) <= 25 else ""
    return UsageError(" ".join(part for part in (f"unknown {noun} '{given}':", offer, hint) if part).rstrip(":"))
