"""The verdicts on documented numbers: what `archcalc.verify` is."""

from __future__ import annotations

from pathlib import Path

from archcalc.claims.check import check
from archcalc.claims.read import chosen
from archcalc.values.claim import Verdicts


def verify(*files: str | Path, subject: str | None = None, source: str | None = None, trust: bool = False) -> Verdicts:
    """The verdicts on documented numbers, one a claim: those of the files, or all that come with archcalc.

    `files` are TOML files of claims. `subject` keeps the claims about a network, `source` those of the documents whose
    name contains it. `trust` lets the files name any code; without it they may name networks of the zoo, and modules
    and functions of Python files beside them or below the working directory. A verdict says in `ok` whether it is the
    expected one; the list prints as a table.

    Raises UsageError, naming file and entry, for a file that cannot be read or a claim that makes no sense, UsageError
    where no claim is left, and ModelError where a network cannot be run.
    """
    return Verdicts(check(chosen([Path(file) for file in files], subject, source), trust=trust))
