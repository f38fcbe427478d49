"""The graph of a picture as frozen values: boxes, those inside them, and the tensors that they hand each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

OUTSIDE = -1
"""In an edge: the module around the boxes, which takes a tensor in or hands it on."""

KINDS = {
    "input": "input",
    "output": "output",
    "module": "module",
    "conv": "convolution",
    "linear": "linear, matmul",
    "attention": "attention",
    "recurrent": "recurrent",
    "embedding": "embedding",
    "pool": "pooling",
    "norm": "normalisation",
    "activation": "activation",
    "join": "join",
    "reshape": "data movement",
    "other": "other",
    "unknown": "not counted",
}
"""What a box is, and how a legend calls it."""

Place = tuple[int, int]
"""The number of a box among its siblings, or OUTSIDE, and the number of one of its tensors."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A tensor on its way between two boxes of one module: from an output of one to an input of the other.

    Where a source is OUTSIDE, the tensor is that input of the module; where a target is, it is that output of it.
    """

    source: Place
    target: Place


@dataclass(frozen=True, slots=True)
class Box:
    """A box: a call with what follows it, a folded module, or an open one with `children` and the `edges` between.

    `id` is the same in every picture of a network and differs from that of any other box in it. `path` is that of the
    module, or of the row of the first call. `kind` is a key of KINDS; `label` and `detail` are what stands in the box,
    and `shape` what is written at its output where the shape changes there, else "". `rows` are the numbers of the
    report's rows that the box stands for. `inputs` and `outputs` count the tensors that enter and leave it. `repeats`
    is the number of equal modules, one after the other, that are drawn as this one.
    """

    id: str
    path: str
    kind: str
    label: str
    detail: str = ""
    shape: str = ""
    rows: tuple[int, ...] = ()
    inputs: int = 0
    outputs: int = 0
    repeats: int = 1
    elementwise: bool = False
    children: tuple[Box, ...] = ()
    edges: tuple[Edge, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether what is inside it is drawn."""
        return bool(self.children)

    def walk(self) -> Iterator[Box]:
        """The box itself and all inside it, from the outside in and in forward order."""
        yield self
        for child in self.children:
            yield from child.walk()
