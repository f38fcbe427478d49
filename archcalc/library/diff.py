"""What differs between two networks: what `archcalc.diff` is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archcalc.count.diff import difference
from archcalc.sources.revisions import Revision, checked_out, is_file_target, revision
from archcalc.sources.saved import is_saved, read_report
from archcalc.values.errors import UsageError
from archcalc.values.report import Report
from archcalc.zoo import registry

if TYPE_CHECKING:
    from torch import nn

    from archcalc.values.difference import Difference


def diff(
    *models: str | nn.Module | Report,
    inputs: Any = None,
    batch_size: int | None = None,
    training: bool = False,
    backward: bool = False,
    **settings: Any,
) -> Difference:
    """What differs between two networks, layer by layer and in all; the first is how it was before.

    A network is a report, the file of a saved one, or anything that `analyze` takes; the other arguments are as there
    and go to all but the reports. `diff("HEAD~1", "net.py:Net")` is the file at that revision of its git repository
    against the file as it is, `diff("v1", "v2", "net.py:Net")` the file at two revisions. The code of a revision is
    run, as that of any model. `difference.layers` has every layer of both once, `difference.totals` the sums, and
    `str(difference)` is what `archcalc diff` prints.

    Raises UsageError for a request that makes no sense, and UsageError and ModelError as `analyze` does.
    """

    def report_of(model: Any) -> Report:
        if isinstance(model, Report):
            return model
        if is_saved(model):
            return read_report(model)
        from archcalc.library.analyze import analyze  # reports need no torch

        return analyze(model, inputs, batch_size=batch_size, training=training, backward=backward, **settings)

    return difference(*before_and_after(models, report_of))


def before_and_after(models: tuple[Any, ...], report_of: Callable[[Any], Report]) -> tuple[Report, Report]:
    """The two reports that "A B", "REVISION FILE" or "REVISION REVISION FILE" names."""
    if len(models) == 3:
        *names, target = models
        if not all(isinstance(name, str) for name in names) or not is_file_target(target):
            raise UsageError("revisions are of a Python file: REVISION REVISION path/to/net.py:Net")
        revisions = [revision(name, target) for name in names]
        before, after = (_at(one, report_of) for one in revisions)
        return before, after
    if len(models) != 2:
        raise UsageError("name two networks, or one or two git revisions and a file, such as HEAD~1 net.py:Net")
    one, target = models
    if not _may_be_revision(one) or not is_file_target(target):
        return report_of(one), report_of(target)
    try:
        at = revision(one, target)
    except UsageError as reason:
        return _model_after_all(one, reason, report_of), report_of(target)
    return _at(at, report_of), report_of(target)


def _may_be_revision(name: Any) -> bool:
    """Whether a name is that of no model: neither a network of the zoo nor a report nor something in a file."""
    if not isinstance(name, str) or is_saved(name) or ":" in name or name.endswith((".py", ".pt2")):
        return False
    return registry.find(name) is None


def _model_after_all(name: str, reason: UsageError, report_of: Callable[[Any], Report]) -> Report:
    """The report of what was taken for a revision and is none; UsageError that says both where it is no model."""
    try:
        return report_of(name)
    except UsageError as error:
        raise UsageError(f"{error}; nor is it a revision: {reason}") from error


def _at(at: Revision, report_of: Callable[[Any], Report]) -> Report:
    with checked_out(at) as moved:
        report = report_of(moved)
    name = f"{at.target} at {at.name}"
    return replace(report, subject=name, source=name)
