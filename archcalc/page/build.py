"""From networks to the text of the page: what `archcalc report` writes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING, Any

from archcalc.analysis import Analysis
from archcalc.charts.spec import unique
from archcalc.count.compare import compare
from archcalc.page.alignment import alignment_table
from archcalc.page.charts import dark_rules, field_chart, latency_chart
from archcalc.page.network import network
from archcalc.page.tables import page_table
from archcalc.page.zoo import zoo_table
from archcalc.pictures.choices import Theme
from archcalc.pictures.graph import KINDS
from archcalc.pictures.theme import STEPS, style_sheet
from archcalc.render.compare import comparison
from archcalc.values.errors import UsageError

if TYPE_CHECKING:
    from archcalc.values.benchmark import Benchmark


SCRIPTS = ("page.js", "tables.js", "drawings.js", "start.js")


def page(analyses: Sequence[Analysis], *, as_published: bool = True, benchmark: Benchmark | None = None) -> str:
    """The text of an HTML file that needs no other; equal for equal networks.

    Each analysis must have every op recorded and the backward pass followed: `every_op` and `backward`. `as_published`
    is whether networks of the zoo are as their papers have them, so that what documents say is about them. `benchmark`
    adds latencies.
    Raises UsageError where a package of `archcalc[pictures]` is not installed.
    """
    if not analyses:
        raise UsageError("name a network for the report, such as: archcalc report alexnet")
    reports = [analysis.report for analysis in analyses]
    names = unique(report.subject for report in reports)
    several = len(reports) > 1
    style, script = style_text(), "\n".join(map(_file, SCRIPTS))
    text: str = _template().render(
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        networks=[
            network(analysis, number, name, as_published=as_published, benchmark=benchmark)
            for number, (analysis, name) in enumerate(zip(analyses, names, strict=True))
        ],
        comparison=page_table(comparison(compare(*reports), measured=benchmark).tables[0]) if several else None,
        comparison_chart=field_chart(reports, "comparison") if several else None,
        alignment=alignment_table(reports[0], reports[1], names) if len(reports) == 2 else None,
        latency=None if benchmark is None else latency_chart(benchmark, "latency"),
        zoo=zoo_table(),
        kinds=KINDS,
        steps=range(STEPS),
    )
    return text


def style_text() -> str:
    """The style sheet: the page's own, that of the drawings, and the dark colours of both."""
    dark = style_sheet(Theme.dark) + "".join(dark_rules())
    own_dark = _file("dark.css")
    return (
        f"{style_sheet(Theme.light)}\n{_file('page.css')}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{own_dark}{dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{{own_dark}{dark}}}}}\n"
    )


def require() -> None:
    """Raise UsageError, saying how to get it, where a package that the page needs is not installed."""
    from archcalc.charts import convert

    convert.require()
    _jinja()


@cache
def _template() -> Any:
    jinja = _jinja()
    environment = jinja.Environment(
        autoescape=True, undefined=jinja.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_file("page.html"))


def _jinja() -> Any:
    try:
        import jinja2
    except ImportError as error:
        raise UsageError("the report is made with jinja2: pip install 'archcalc[pictures]'") from error
    return jinja2


def _file(name: str) -> str:
    return resources.files("archcalc.page").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
