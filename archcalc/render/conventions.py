"""conventions: one row a tool, and below it what its number is made of."""

from __future__ import annotations

from typing import Any

from archcalc.formats.units import count
from archcalc.peers.registry import versions
from archcalc.render.table import NETWORK, bounded, facts, unknown_calls
from archcalc.values.conventions import Conventions, Projection
from archcalc.values.document import Grid, Heading, Quantity, Remark, Table

TOOL = Heading("tool", "tool", "text")
PRINTS = Heading("prints", "prints", "count")
UNIT = Heading("unit", "", "text")
DIFFERENCE = Heading("difference", "mult-adds to ours", "difference")
VERDICT = Heading("verdict", "run", "text")
RECORDS = (
    *(NETWORK, TOOL, PRINTS, UNIT, DIFFERENCE, Heading("exact", "exact", "text")),
    *(Heading("terms", "terms", "text"), Heading("said", "said", "count"), VERDICT),
)


def conventions(result: Conventions) -> Grid:
    """What each tool prints for a network, the difference to ours, and why."""
    report = result.report
    ours = bounded(report, "macs", report.total("macs"))
    rows: list[tuple[Any, ...]] = [("archcalc", ours, "MACs", None, None)]
    rows += [(tool.tool, _printed(tool), tool.unit, tool.difference, result.verdict(tool)) for tool in result.tools]
    remarks = [Remark(tool.tool, _why(tool)) for tool in result.tools if tool.terms or tool.unsure]
    if not report.complete:
        remarks.insert(0, Remark("LOWER BOUND", unknown_calls(report), "warning"))
    same = [tool.tool for tool in result.tools if not tool.terms and not tool.unsure]
    if same:
        remarks.append(Remark("the same", ", ".join(same)))
    remarks.append(Remark("rules of", versions(), "quiet"))
    remarks.append(Remark("run as", "one forward pass in eval mode on the CPU, each tool by its defaults", "quiet"))
    table = Table(
        title=f"what other tools print for {report.subject}",
        source=report.source,
        facts=facts(report),
        headings=(TOOL, PRINTS, UNIT, DIFFERENCE, VERDICT),
        rows=tuple(rows),
        remarks=tuple(remarks),
    )
    records = tuple(
        (
            *(report.subject, tool.tool, tool.printed, tool.unit, tool.difference, not tool.unsure, _why(tool)),
            *(_said(result, tool), result.verdict(tool)),
        )
        for tool in result.tools
    )
    return Grid(Conventions.SCHEMA, RECORDS, records, (table,), result.to_dict)


def _printed(tool: Projection) -> Any:
    return Quantity(tool.printed, "about") if tool.unsure else tool.printed


def _said(result: Conventions, tool: Projection) -> int | None:
    """What the tool printed, where it was run and printed anything."""
    printed = (result.said or {}).get(tool.tool)
    return printed if isinstance(printed, int) else None


def _why(tool: Projection) -> str:
    """The terms with their signs, the largest first, and what makes the number doubtful."""
    terms = sorted(tool.terms, key=lambda term: -abs(term.macs))
    parts = [f"{'-' if term.macs < 0 else '+'} {count(abs(term.macs))} {term.reason}" for term in terms]
    return "; ".join([*parts, *(f"about: {reason}" for reason in tool.unsure)])
