"""What can go wrong, and the exit code that each kind of failure ends with."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

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
