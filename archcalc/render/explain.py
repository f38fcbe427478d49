"""explain: derivations as a table, and what the documents say of the same place."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from archcalc.formats.units import count, size
from archcalc.render.table import NETWORK, facts, without_batch
from archcalc.render.verify import sentence
from archcalc.values.columns import COLUMNS
from archcalc.values.document import Document, Heading, Remark, Table
from archcalc.values.explanation import Explanation
from archcalc.values.report import COUNTING_CONVENTION

SCHEMA = "archcalc.explain/1"

HEADINGS = (Heading("quantity", "", "text"), Heading("derivation", "derivation", "prose"))
LAYER = COLUMNS["path"].heading()


def explanation(explained: Explanation) -> Document:
    """The derivations for a layer, a module or the whole network, and the claims about it."""
    if explained.place is None:
        table = _whole(explained)
    else:
        table = _layer(explained) if len(explained.rows) == 1 else _module(explained, explained.place)
    within = (explained.report.subject, *([explained.place] if explained.place else []))
    claims = tuple(Remark("claim", sentence(verdict, within)) for verdict in explained.verdicts)
    table = replace(table, remarks=(*table.remarks, *claims, Remark("convention", COUNTING_CONVENTION, "quiet")))
    headings = (NETWORK, LAYER, *HEADINGS, Heading("value", "value", "count"))
    subject = explained.report.subject
    records = tuple((subject, step.path, step.quantity, step.derivation, step.value) for step in explained.steps)
    return Document(SCHEMA, headings, records, (table,), lambda: _content(explained))


def _layer(explained: Explanation) -> Table:
    report, row = explained.report, explained.rows[0]
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
        rows=tuple((step.quantity, step.derivation) for step in explained.steps),
    )


def _module(explained: Explanation, module: str) -> Table:
    """Every call in a module that has something to derive, its name beside the first line about it."""
    names = [step.path.removeprefix(f"{module}.") for step in explained.steps]
    firsts = [name if name != before else "" for name, before in zip(names, ["", *names], strict=False)]
    totals = tuple(
        Remark(column.title, count(column.sum(explained.rows))) for column in (COLUMNS["params"], COLUMNS["macs"])
    )
    return Table(
        title=f"{explained.report.subject} {module}",
        facts=(f"{len(explained.rows)} calls",),
        headings=(LAYER, *HEADINGS),
        rows=tuple((name, step.quantity, step.derivation) for name, step in zip(firsts, explained.steps, strict=True)),
        remarks=totals,
    )


def _whole(explained: Explanation) -> Table:
    report = explained.report
    return Table(
        title=report.subject,
        source=report.source,
        facts=facts(report),
        headings=HEADINGS,
        rows=tuple((step.quantity, step.derivation) for step in explained.steps),
        remarks=(Remark("next", f"archcalc explain {report.subject} LAYER derives a layer, or every one in a module"),),
    )


def _content(explained: Explanation) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "network": explained.report.subject,
        "steps": [asdict(step) for step in explained.steps],
        "claims": [verdict.to_dict() for verdict in explained.verdicts],
    }
