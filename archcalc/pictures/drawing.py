"""A drawing of a network: what archcalc.draw returns, which shows itself in a notebook and saves itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archcalc.count.places import rows_at
from archcalc.formats.safe import one_line
from archcalc.pictures.build import View, graph
from archcalc.pictures.choices import Colour, Direction, Theme, beside, format_of
from archcalc.pictures.files import contents
from archcalc.pictures.graph import Box
from archcalc.pictures.layout.nested import Layout, layout
from archcalc.pictures.layout.wrap import LONGEST, wrapped
from archcalc.pictures.measures import measure
from archcalc.pictures.outline import Outline, outline
from archcalc.pictures.svg import Style, svg
from archcalc.sources.saved import is_saved, saved_report
from archcalc.values.benchmark import Benchmark, as_benchmark
from archcalc.values.errors import UsageError, unknown
from archcalc.values.files import save_file
from archcalc.values.report import Report
from archcalc.values.trace import Trace

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Drawing:
    """A picture of a network, or of one of its modules."""

    outline: Outline
    view: View
    style: Style
    direction: Direction = Direction.down
    wrap: int = 0

    @cached_property
    def graph(self) -> Box:
        """The boxes and edges that are drawn."""
        return graph(self.outline, self.view)

    @cached_property
    def layout(self) -> Layout:
        """Where they are drawn, in pixels."""
        drawn = layout(self.graph, self.direction)
        return wrapped(drawn, self.wrap) if self.wrap else drawn

    def svg(self) -> str:
        """The text of an SVG file; equal for equal networks."""
        return svg(self.layout, self.graph, self.outline.report, self.style)

    def of_module(self, path: str) -> Drawing:
        """The picture of one module, in the same style; "" is the whole network.

        Raises UsageError, when it is drawn, for a module that did not run.
        """
        return replace(self, view=replace(self.view, module=path))

    def save(self, path: str | Path) -> None:
        """Write a file: .svg, .png, .pdf, .mmd for Mermaid, .dot for Graphviz, .json for Model Explorer.

        Raises UsageError for any other suffix, for a PNG or PDF without `archcalc[pictures]`, and where the file cannot
        be written.
        """
        file = Path(path)
        for name, content in contents(self, format_of(file)).items():
            save_file(beside(file, name), content)

    def __str__(self) -> str:
        return f"drawing of {one_line(self.outline.report.subject)}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the picture in light colours on white."""
        light = replace(self, style=replace(self.style, theme=Theme.light))
        return {"image/svg+xml": light.svg(), "text/plain": str(self)}


def draw(
    model: str | nn.Module | Report,
    inputs: Any = None,
    *,
    batch_size: int | None = None,
    training: bool = False,
    module: str = "",
    depth: int | None = None,
    opened: Collection[str] = (),
    repeats: bool = True,
    layer: str | None = None,
    colour: str = "kind",
    bench: Benchmark | str | Path | None = None,
    direction: str = "down",
    wrap: int | None = None,
    theme: str = "auto",
    **settings: Any,
) -> Drawing:
    """The architecture as papers draw it: `draw("resnet18").save("resnet18.svg")`; a notebook shows it.

    `model` is a report that is not folded, its file, or as in `analyze`, with `inputs`, `batch_size`, `training` and
    `settings`.
    `module` is the path of the module to draw, "" for the whole network. Modules are opened `depth` levels deep, None
    for as far as gives some 40 boxes; those whose paths are in `opened`, too. Equal modules that follow each other are
    drawn once, with their number, unless `repeats` is False. `layer` is marked. `colour` is "kind", "params", "macs",
    "receptive_field", "saved_bytes", or "time" with `bench`, a benchmark with layers or its file. `direction` is "down"
    or "right". `wrap` is the most pixels of a row, or of a column of a picture that runs down, before it goes on in the
    next, 0 for no limit and None for 1,600 to the right and no limit down; it goes on where one tensor alone passes.
    `theme` is "light", "dark" or "auto", which follows the reader's system.

    Raises UsageError for a request that makes no sense, and UsageError and ModelError as `analyze` does.
    """
    trace = None
    if isinstance(model, Report):
        report = model
    elif is_saved(model):
        report = saved_report(model, training=training, backward=colour == "saved_bytes")
    else:
        from archcalc.analysis import analysis_of

        backward = colour == "saved_bytes"
        analysis = analysis_of(model, inputs, batch_size, settings=settings, training=training, backward=backward)
        report, trace = analysis.report, analysis.trace
    return drawing(
        report,
        trace,
        module=module,
        depth=depth,
        opened=opened,
        repeats=repeats,
        layer=layer,
        colour=colour,
        benchmark=as_benchmark(bench),
        direction=direction,
        wrap=wrap,
        theme=theme,
    )


def drawing(
    report: Report,
    trace: Trace | None = None,
    *,
    module: str = "",
    depth: int | None = None,
    opened: Collection[str] = (),
    repeats: bool = True,
    layer: str | None = None,
    colour: str = "kind",
    benchmark: Benchmark | None = None,
    direction: str = "down",
    wrap: int | None = None,
    theme: str = "auto",
) -> Drawing:
    """The drawing of a report that is not folded; the arguments are those of archcalc.draw.

    Raises UsageError for a module or layer that did not run, and for a word that none of the choices is.
    """
    if report.folded is not None:
        raise UsageError("a folded report has lost what is in its modules; draw it as it was before")
    if depth is not None and depth < 1:
        raise UsageError(f"a depth is at least 1, not {depth}")
    if wrap is not None and wrap < 0:
        raise UsageError(f"wrap is a number of pixels, or 0 for no limit, not {wrap}")
    if layer:
        rows_at(report, layer, "layer of")
    shown = measure(report, Colour(_choice("colour", colour, list(Colour))), benchmark)
    style = Style(Theme(_choice("theme", theme, list(Theme))), shown, layer or "")
    runs = Direction(_choice("direction", direction, list(Direction)))
    if wrap is None:
        wrap = LONGEST if runs == Direction.right else 0
    drawn = Drawing(outline(report, trace), View(module, depth, tuple(opened), repeats), style, runs, wrap)
    drawn.graph  # noqa: B018  a module that did not run is an error here, not when the picture is looked at
    return drawn


def _choice(noun: str, given: str, choices: list[Any]) -> str:
    if given not in choices:
        raise unknown(noun, given, map(str, choices))
    return given
