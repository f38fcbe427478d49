"""Saved reports: files that `archcalc table MODEL -f json -o FILE` wrote, which stand where a model does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeGuard

from archcalc.sources.named import named
from archcalc.values.columns import BACKWARD, COLUMNS
from archcalc.values.errors import UsageError
from archcalc.values.report import Report


def is_saved(model: object) -> TypeGuard[str]:
    """Whether a model is named by the file of a saved report."""
    return isinstance(model, str) and model.endswith(".json") and named(model).kind == "saved"


def read_report(path: str | Path) -> Report:
    """The report that a file holds, under its label if one is named; UsageError where there is none, or not all."""
    asked = named(str(path))
    report = Report.from_file(asked.target, "`archcalc table MODEL -f json -o FILE` saves one, without --columns")
    return replace(report, subject=asked.name) if asked.has_label else report


def saved_report(path: str, *, training: bool = False, backward: bool = False) -> Report:
    """The report of a file, which must have been saved as it is asked for; UsageError where it was not."""
    report = read_report(path)
    if training and not report.training:
        raise UsageError(f"{path} was saved without --training: save it again with it")
    if backward and report.rows and all(COLUMNS[key].value(row) is None for key in BACKWARD for row in report.rows):
        raise UsageError(f"{path} was saved without the backward pass: save it again with --backward")
    return report


def holds_no_network(path: str) -> UsageError:
    """What to say where a saved report is not enough."""
    return UsageError(f"{path} is a saved report, which holds no network to run: name the model, such as net.py:Net")


def is_settled(path: str) -> UsageError:
    """What to say where a saved report is given an input, a batch or settings."""
    return UsageError(f"{path} is a saved report, with its own input, batch and settings: leave out -i, -b and --set")
