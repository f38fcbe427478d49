"""explain: derivations as a table, and what the documents say of the same place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archcalc.formats.units import count, size
from archcalc.render.derivation import Step, of_network, of_row
from archcalc.render.table import NETWORK, facts, without_batch
from archcalc.render.verify import told
from archcalc.values.document import Grid, Heading, Remark, Table
from archcalc.values.report import CONVENTION, Report, Row

if TYPE_CHECKING:
    from archcalc.values.claim import Verdict

SCHEMA = "archcalc.explain/1"

HEADINGS = (Heading("quantity", "", "text"), Heading("derivation", "derivation", "prose"))
LAYER = Heading("path", "layer", "text")


def explanation(report: Report, layer: str | None, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> Grid:
    """The derivation of the rows at `layer`, or of the whole network where there is none, and the claims about it."""
    telling = rows if len(rows) < 2 else [row for row in rows if row.params or row.macs != 0 or row.window]
    steps = [step for row in telling for step in of_row(report, row)] if layer is not None else of_network(report)
    if layer is None:
        table = _whole(report, steps)
    else:
        table = _layer(report, rows[0], steps) if len(rows) == 1 else _module(report, layer, rows, steps)
    claims = tuple(Remark("claim", told(verdict)) for verdict in verdicts)
    table = replace(table, remarks=(*table.remarks, *claims, Remark("convention", CONVENTION, "quiet")))
    headings = (NETWORK, LAYER, *HEADINGS, Heading("value", "value", "count"))
    records = tuple((report.subject, *step) for step in steps)
    return Grid(SCHEMA, headings, records, (table,), lambda: _document(report, steps, verdicts))


def _layer(report: Report, row: Row, steps: Sequence[Step]) -> Table:
    shapes = [
        size(without_batch(report, shape, "shape"))
        for shape in (row.input_shape, row.output_shape)
        if shape is not None
    ]
    return Table(
        title=f"{report.subject} {row.path}",
        source=row.kind,
        facts=(" -> ".join(shapes),),
        headings=HEADINGS,
        rows=tuple((step.quantity, step.derivation) for step in steps),
    )


def _module(report: Report, layer: str, rows: Sequence[Row], steps: Sequence[Step]) -> Table:
    """Every call in a module that has something to derive, its name beside the first line about it."""
    names = [step.path.removeprefix(f"{layer}.") for step in steps]
    firsts = [name if name != before else "" for name, before in zip(names, ["", *names], strict=False)]
    totals = (
        Remark("params", count(sum(row.params for row in rows))),
        Remark("mult-adds", count(sum(row.least_macs if row.macs is None else row.macs for row in rows))),
    )
    return Table(
        title=f"{report.subject} {layer}",
        facts=(f"{len(rows)} calls",),
        headings=(LAYER, *HEADINGS),
        rows=tuple((name, step.quantity, step.derivation) for name, step in zip(firsts, steps, strict=True)),
        remarks=totals,
    )


def _whole(report: Report, steps: Sequence[Step]) -> Table:
    return Table(
        title=report.subject,
        source=report.source,
        facts=facts(report),
        headings=HEADINGS,
        rows=tuple((step.quantity, step.derivation) for step in steps),
        remarks=(Remark("next", f"archcalc explain {report.subject} LAYER derives a layer, or every one in a module"),),
    )


def _document(report: Report, steps: Sequence[Step], verdicts: Sequence[Verdict]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "network": report.subject,
        "steps": [step._asdict() for step in steps],
        "claims": [verdict.to_dict() for verdict in verdicts],
    }
