"""From the outline of a network to the graph of one picture: which modules are open, and which are drawn as one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from archcalc.formats.safe import one_line
from archcalc.formats.units import compact
from archcalc.pictures.graph import OUTSIDE, Box, Edge
from archcalc.pictures.labels import shape_text
from archcalc.pictures.outline import INPUT, Outline, Part, Tensor, edges
from archcalc.values.columns import COLUMNS
from archcalc.values.errors import unknown
from archcalc.values.report import Report

ENOUGH = 40
"""Without a depth, modules are opened level by level as long as there are no more boxes than this."""

EVERYTHING = 10**6
"""A depth at which every module is open."""


@dataclass(frozen=True, slots=True)
class View:
    """What a picture shows of a network.

    `module` is the path of the module that is drawn, "" for the whole network. Modules less than `depth` levels below
    it are open, None for as many levels as give a picture of some ENOUGH boxes; those whose path is among `opened` are
    open, too, with all around them. With `repeats` False equal modules are drawn one by one.
    """

    module: str = ""
    depth: int | None = None
    opened: Collection[str] = ()
    repeats: bool = True


def graph(outline: Outline, view: View) -> Box:
    """The graph of one picture: an open box for the network or module, with its inputs and outputs among the children.

    Raises UsageError, with the closest paths, for a module that did not run.
    """
    for path in (view.module, *view.opened):
        if path and path not in outline.modules:
            raise unknown(f"module of {one_line(outline.report.subject)}", path, list(outline.modules)[1:])
    part = outline.modules.get(view.module, outline.root)
    freeze = _Freezer(outline, view)
    if view.depth is not None:
        return freeze.picture(part, view.depth)
    box = freeze.picture(part, 1)
    for depth in range(2, EVERYTHING):
        deeper = freeze.picture(part, depth)
        if sum(not each.is_open for each in deeper.walk()) > ENOUGH or deeper == box:
            return box
        box = deeper
    return box


class _Freezer:
    """Makes frozen boxes of parts."""

    def __init__(self, outline: Outline, view: View) -> None:
        self.outline, self.report, self.view = outline, outline.report, view
        paths = [path.split(".") for path in view.opened]
        self.opened = {".".join(path[:length]) for path in paths for length in range(1, len(path) + 1)}

    def picture(self, part: Part, depth: int) -> Box:
        """The box of what is drawn, with boxes for its inputs and outputs."""
        inner, between = self._children(part, part.children or [part], depth)
        inputs = [self._end("input", tensor, at, len(part.reads)) for at, tensor in enumerate(part.reads)]
        outputs = [self._end("output", tensor, at, len(part.makes)) for at, tensor in enumerate(part.makes)]
        first = len(inputs)
        last = first + len(inner)

        def moved(edge: Edge) -> Edge:
            (source, output), (target, taken) = edge.source, edge.target
            return Edge(
                (output, 0) if source == OUTSIDE else (source + first, output),
                (last + taken, 0) if target == OUTSIDE else (target + first, taken),
            )

        box = Box(part.path or "network", part.path, "module", one_line(self.report.subject), rows=tuple(part.rows))
        return replace(box, children=(*inputs, *inner, *outputs), edges=tuple(map(moved, between)))

    def _end(self, kind: str, tensor: Tensor, number: int, of: int) -> Box:
        name = f"{kind} {number + 1}:" if of > 1 else kind
        text = f"{name} {self._shape(tensor)}"
        is_input = kind == "input"
        return Box(f"{kind}-{number}", "", kind, text, inputs=not is_input, outputs=is_input)

    def _shape(self, tensor: Tensor) -> str:
        row, output = tensor
        shapes = self.report.input_shapes if row == INPUT else self.report.rows[row].output_shapes
        return shape_text(self.report, shapes[output])

    def _children(self, around: Part, parts: Sequence[Part], depth: int) -> tuple[tuple[Box, ...], tuple[Edge, ...]]:
        groups = self._groups(parts)
        boxes = tuple(self._box(group, around.path, depth) for group in groups)
        drawn = [replace(group[0], makes=group[-1].makes) for group in groups]
        between = edges(drawn, around.reads, around.makes)
        return boxes, tuple(Edge(source, target) for source, target in between)

    def _groups(self, parts: Sequence[Part]) -> list[list[Part]]:
        """Equal modules that follow each other as a group, everything else alone."""
        groups: list[list[Part]] = []
        for part in parts:
            if groups and self.view.repeats and self._repeats(groups[-1][-1], part):
                groups[-1].append(part)
            else:
                groups.append([part])
        return groups

    def _repeats(self, part: Part, after: Part) -> bool:
        """Whether a module does to the other's output what that did to its input, and nothing else reads it."""
        if not part.children or part.signature != after.signature or len(part.makes) != 1:
            return False
        readers = self.outline.readers[part.makes[0]]
        if self.opened & {part.path, after.path} or not after.rows[0] <= readers[0] <= readers[-1] <= after.rows[-1]:
            return False
        at = after.reads.index(part.makes[0])
        return [*part.reads[:at], *part.reads[at + 1 :]] == [*after.reads[:at], *after.reads[at + 1 :]]

    def _box(self, group: Sequence[Part], around: str, depth: int) -> Box:
        """The box of a part, or of equal ones that follow each other."""
        part, last = group[0], group[-1]
        rows = tuple(row for each in group for row in each.rows)
        box = Box(part.ident, part.path, part.kind, "", shape=self._new_shape(part), rows=rows)
        box = replace(box, inputs=len(part.reads), outputs=len(part.makes), repeats=len(group))
        if part.label:
            detail = " · ".join(part.details)
            return replace(box, label=part.label.text, detail=detail, elementwise=part.label.elementwise)
        box = replace(box, label=self._name(part, last, around))
        if depth <= 1 and part.path not in self.opened:
            return replace(box, detail=cost_text(self.report, rows))
        children, between = self._children(part, part.children, depth - 1)
        return replace(box, children=children, edges=between, shape="")

    def _name(self, part: Part, last: Part, around: str) -> str:
        """The path of a module within the one around it, of several the first and the last; a number with its class."""
        names = [one_line(each.path.removeprefix(f"{around}.") if around else each.path) for each in (part, last)]
        name = names[0] if names[0] == names[1] else f"{names[0]} – {names[1].rpartition('.')[2]}"
        module = self.report.modules.get(part.path)
        return f"{one_line(module.kind)} {name}" if module and names[0].isdecimal() else name

    def _new_shape(self, part: Part) -> str:
        """The shape of a part's output where it is not that of its input."""
        if not part.makes:
            return ""
        shape = self._shape(part.makes[0])
        return "" if part.reads and shape == self._shape(part.reads[0]) else shape


def cost_text(report: Report, rows: Sequence[int]) -> str:
    """What rows cost together: 1.12M params · 219.2M mult-adds."""
    texts = []
    for column in (COLUMNS["params"], COLUMNS["macs"]):
        value = column.sum(report.rows[row] for row in rows)
        is_least = any(column.value(report.rows[row]) is None for row in rows)
        if value or is_least:
            texts.append(f"{'≥ ' * is_least}{compact(value)} {column.title}")
    return " · ".join(texts)
