"""The calls of a network as a tree: each run of a module with the runs and calls inside it, and the tensors between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from archcalc.pictures.graph import OUTSIDE
from archcalc.pictures.labels import FOLLOWS, Label, label
from archcalc.values.report import Report, Source
from archcalc.values.trace import Trace

Tensor = tuple[int, int]
"""The number of the row that makes a tensor and which of its outputs it is; row INPUT: an input of the network."""

INPUT = -1
Chain = tuple[tuple[str, int], ...]


@dataclass(slots=True, eq=False)
class Part:
    """A call with what follows it, or one run of a module.

    `reads` are the tensors from outside, `makes` those of its own that are read outside or that the network puts out;
    each once, in forward order. `signature` is equal for parts of equal structure.
    """

    path: str
    rows: list[int]
    reads: list[Tensor]
    makes: list[Tensor]
    ident: str
    kind: str = "module"
    label: Label | None = None
    details: list[str] = field(default_factory=list)
    children: list[Part] = field(default_factory=list)
    signature: int = 0


@dataclass(slots=True)
class Outline:
    """The tree of a network's calls.

    `root` is the run of the network itself, `modules` has the first run of each module by its path, and `readers` the
    rows that read a tensor, in order; the network's end counts as one row more.
    """

    report: Report
    root: Part
    modules: dict[str, Part]
    readers: dict[Tensor, list[int]]


def outline(report: Report, trace: Trace | None = None) -> Outline:
    """The tree of the calls of a report that is not folded.

    With the trace that the report was made from, runs of a shared module that follow each other directly are told
    apart, and numbers and parameters among operands are named.
    """
    return _Builder(report, trace).build()


class _Builder:
    def __init__(self, report: Report, trace: Trace | None) -> None:
        self.report = report
        self.ops = trace.ops if trace is not None else (None,) * len(report.rows)
        self.chains = [op.modules for op in trace.ops] if trace is not None else chains_of(report)
        self.readers = _readers(report)
        self.signatures: dict[object, int] = {}
        self.modules: dict[str, Part] = {}
        self.idents: Counter[str] = Counter()

    def build(self) -> Outline:
        root = self._module(0, len(self.report.rows), 0)
        return Outline(self.report, root, self.modules, self.readers)

    def _module(self, start: int, end: int, level: int) -> Part:
        """The run of the module at that level of the chains which the rows from start to end belong to."""
        path, run = self.chains[start][level] if end > start else ("", 0)
        children: list[Part] = []
        at = start
        while at < end:
            chain = self.chains[at]
            if len(chain) == level + 1:
                children.append(self._call(at))
                at += 1
                continue
            stop = at + 1
            while stop < end and self.chains[stop][level + 1 : level + 2] == chain[level + 1 : level + 2]:
                stop += 1
            children.append(self._module(at, stop, level + 1))
            at = stop
        children = self._joined(children)
        if len(children) == 1 and level:
            self.modules.setdefault(path, children[0])
            return children[0]
        reads = list(
            dict.fromkeys(tensor for child in children for tensor in child.reads if not start <= tensor[0] < end)
        )
        makes = [tensor for child in children for tensor in child.makes if self._read_outside(tensor, start, end)]
        part = Part(path, list(range(start, end)), reads, makes, ident=self._ident(path, run), children=children)
        module = self.report.modules.get(path)
        inner = (tuple(child.signature for child in children), edges(children, reads, makes))
        part.signature = self._signature((module.kind if module else "", inner))
        self.modules.setdefault(path, part)
        return part

    def _read_outside(self, tensor: Tensor, start: int, end: int) -> bool:
        readers = self.readers.get(tensor, [])
        return bool(readers) and not (start <= readers[0] and readers[-1] < end)

    def _call(self, number: int) -> Part:
        row = self.report.rows[number]
        words = label(row, self.ops[number])
        reads = list(dict.fromkeys(tensors(row.inputs_from)))
        makes = [(number, output) for output in range(len(row.output_shapes)) if (number, output) in self.readers]
        part = Part(row.path, [number], reads, makes, self._ident(row.path, row.call), words.kind, words)
        sizes = (row.input_shapes, row.output_shapes, row.macs, tuple(each.shape for each in row.parameters))
        part.signature = self._signature((row.kind, words.text, row.window, sizes))
        return part

    def _joined(self, children: list[Part]) -> list[Part]:
        """The parts with norms, activations and the like taken into what they follow."""
        maker: dict[Tensor, Part] = {}
        kept: list[Part] = []
        for part in children:
            host = maker.get(part.reads[0]) if self._follows(part) else None
            if host is None or host.kind in ("module", "unknown") or len(host.makes) != 1:
                kept.append(part)
                maker.update((tensor, part) for tensor in part.makes)
                continue
            host.rows += part.rows
            host.makes = part.makes
            short = part.label.short if part.label else ""
            for detail in (short, *part.details):
                if detail not in host.details[-1:]:
                    host.details.append(detail)
            host.signature = self._signature((host.signature, part.signature))
            maker.update((tensor, host) for tensor in part.makes)
        return kept

    def _follows(self, part: Part) -> bool:
        """Whether a part reads one tensor, which nothing else reads, and does no more than change it a little."""
        if part.kind not in FOLLOWS or len(part.reads) != 1 or len(part.makes) != 1:
            return False
        if part.kind == "other" and not (part.label and part.label.elementwise):
            return False
        return self.readers[part.reads[0]] == [part.rows[0]]

    def _ident(self, path: str, run: int) -> str:
        """A name that no other part has, and that the part has in every picture."""
        ident = f"{path}#{run + 1}" if run else path
        self.idents[ident] += 1
        return ident if self.idents[ident] == 1 else f"{ident}~{self.idents[ident]}"

    def _signature(self, value: object) -> int:
        return self.signatures.setdefault(value, len(self.signatures))


def tensors(sources: Iterable[Source]) -> list[Tensor]:
    """The tensors that calls make and that the network is given, among where tensors come from."""
    made = [(INPUT if source.row is None else source.row, source.output, source.origin) for source in sources]
    return [(row, output) for row, output, origin in made if origin in ("call", "input")]


def edges(
    children: Sequence[Part], reads: Sequence[Tensor], makes: Sequence[Tensor]
) -> tuple[tuple[tuple[int, int], tuple[int, int]], ...]:
    """The tensors between parts, and between them and what is around them, each as two places (see graph.Edge)."""
    maker = {tensor: (OUTSIDE, at) for at, tensor in enumerate(reads)}
    for number, child in enumerate(children):
        maker.update((tensor, (number, at)) for at, tensor in enumerate(child.makes))
    inner = [
        (maker[tensor], (number, at)) for number, child in enumerate(children) for at, tensor in enumerate(child.reads)
    ]
    return (*inner, *((maker[tensor], (OUTSIDE, at)) for at, tensor in enumerate(makes)))


def _readers(report: Report) -> dict[Tensor, list[int]]:
    """The rows that read each tensor, in order; the network's end counts as one row more."""
    readers: dict[Tensor, list[int]] = {}
    for number, row in enumerate(report.rows):
        for tensor in dict.fromkeys(tensors(row.inputs_from)):
            readers.setdefault(tensor, []).append(number)
    for tensor in dict.fromkeys(tensors(report.outputs_from)):
        readers.setdefault(tensor, []).append(len(report.rows))
    return readers


def chains_of(report: Report) -> list[Chain]:
    """For each row the modules around it by its path, from the root; one that is left and entered again runs again."""
    runs: dict[str, int] = {}
    chains: list[Chain] = []
    before: Chain = ()
    for row in report.rows:
        parts = row.module.split(".") if row.module else []
        paths = ["", *(".".join(parts[: at + 1]) for at in range(len(parts)))]
        paths = [path for path in paths if path in ("", row.module) or _ran(report, path)]
        chain: list[tuple[str, int]] = []
        for at, path in enumerate(paths):
            same = len(before) > at and before[at][0] == path and list(before[:at]) == chain
            if not same:
                runs[path] = runs.get(path, -1) + 1
            chain.append((path, runs[path]))
        before = tuple(chain)
        chains.append(before)
    return chains


def _ran(report: Report, path: str) -> bool:
    module = report.modules.get(path)
    return module is not None and module.runs > 0
