"""Reports from files: what `archcalc.load` is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from archcalc.sources.saved import read_report

if TYPE_CHECKING:
    from archcalc.values.report import Report


def load(path: str | Path) -> Report:
    """The report that `archcalc table MODEL -f json -o before.json` saved, equal to what `analyze` gave then.

    Nothing of the file is run. Raises UsageError, naming the place of the first problem, if it cannot be read or holds
    anything else; one that was saved with `--columns` has not all that a report needs.
    """
    return read_report(path)
