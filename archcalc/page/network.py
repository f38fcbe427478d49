"""What the report says of one network."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from archcalc.analysis import Analysis
from archcalc.claims.check import verdicts
from archcalc.claims.read import choose, documented
from archcalc.formats.safe import one_line
from archcalc.formats.units import count
from archcalc.page.charts import Figure, field_chart, layer_chart, memory_chart
from archcalc.page.derivations import listing
from archcalc.page.drawings import Album, album
from archcalc.page.tables import PageTable, layer_table, page_table
from archcalc.peers.conventions import conventions
from archcalc.render.conventions import conventions as conventions_document
from archcalc.render.table import facts
from archcalc.render.verify import verification
from archcalc.values.benchmark import Benchmark
from archcalc.values.columns import COLUMNS
from archcalc.values.report import Report

TOTALS = ("params", "macs", "flops")


@dataclass(frozen=True, slots=True)
class Network:
    """One network's part of the page; `id` is the name of its place, `claims` is None where no document speaks of it.

    `totals` are pairs of what is counted and how much it is, `verdicts` says how many claims have each verdict, and
    `derivations` is what the script shows of a box.
    """

    id: str
    name: str
    source: str
    facts: tuple[str, ...]
    totals: tuple[tuple[str, str], ...]
    drawings: Album
    derivations: str
    charts: tuple[Figure, ...]
    layers: PageTable
    tools: PageTable
    claims: PageTable | None
    verdicts: str


def network(
    analysis: Analysis, number: int, name: str, *, as_published: bool, benchmark: Benchmark | None = None
) -> Network:
    """Everything that the page says of a network; `name` differs from that of any other network on the page.

    `as_published` is whether the documents' claims are about it. `benchmark` adds the time of boxes, where it has timed
    the layers of the network.
    """
    report = analysis.report
    key = f"network-{number}"
    claims, summary = _claims(analysis) if as_published and analysis.subject.in_zoo else (None, "")
    charts = (
        layer_chart(report, f"{key}-layers"),
        field_chart([report], f"{key}-field"),
        memory_chart(analysis.trace, f"{key}-memory"),
    )
    drawings = album(report, analysis.trace, key, benchmark)
    return Network(
        key,
        name,
        one_line(report.source),
        facts(report),
        _totals(report),
        drawings,
        listing(report, drawings.rows),
        tuple(chart for chart in charts if chart is not None),
        layer_table(report),
        page_table(conventions_document(conventions(analysis)).tables[0]),
        claims,
        summary,
    )


def _totals(report: Report) -> tuple[tuple[str, str], ...]:
    """Params, mult-adds, FLOPs and depth; a lower bound is marked as one."""
    totals = []
    for column in (COLUMNS[key] for key in TOTALS):
        sign = "≥ " if column.is_lower_bound(report) else ""
        totals.append((column.title, sign + count(column.of_network(report))))
    if report.depth:
        totals.append(("weight layers in depth", str(report.depth)))
    return tuple(totals)


def _claims(analysis: Analysis) -> tuple[PageTable | None, str]:
    """The claims about a network of the zoo with their verdicts, and how many there are of each verdict."""
    name = analysis.report.subject
    checked = verdicts(choose(documented(), name, None))
    if not checked:
        return None, ""
    counts = Counter(verdict.verdict for verdict in checked).most_common()
    table = page_table(verification(checked, reasons=True).tables[0], f"documented figures of {one_line(name)}")
    return table, ", ".join(f"{number} {verdict}" for verdict, number in counts)
