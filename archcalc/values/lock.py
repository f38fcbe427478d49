"""A pinned architecture: what every layer is, reads and holds, without the values of its weights."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, ClassVar

from archcalc.values.errors import UsageError
from archcalc.values.files import save_file
from archcalc.values.json_types import PlainTree
from archcalc.values.stored import Stored
from archcalc.values.trace import Shape


@dataclass(frozen=True, slots=True)
class LockedTensor:
    """An input or a parameter; the name of an input is that of the argument."""

    name: str
    shape: Shape
    dtype: str


@dataclass(frozen=True, slots=True)
class LockedLayer:
    """One call: `run` counts the runs of its module, `reads` names its tensors, and `arguments` says the others.

    `hash` is of all of it; where only the hash differs, an argument does that has no plain form.
    """

    path: str
    run: int
    kind: str
    reads: tuple[str, ...]
    outputs: tuple[str, ...]
    hash: str
    arguments: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """The path and the kind, and the run of a module that ran before."""
        return f"{self.path} ({self.kind})" + (f" in run {self.run}" if self.run else "")


@dataclass(frozen=True, slots=True)
class Lock(Stored):
    """An architecture: two networks of equal `hash` have the same layers, wired alike, with parameters of equal shape.

    `model`, `settings`, `training` and `inputs`, which are given `by_name` or by position, say how to build and run it
    again; `model` is "" where that needs Python, as for a module that was handed in. `outputs` names the layers that
    the network's outputs come from.
    """

    SCHEMA: ClassVar[str] = "archcalc.lock/1"

    model: str
    hash: str
    inputs: tuple[LockedTensor, ...]
    outputs: tuple[str, ...]
    layers: tuple[LockedLayer, ...]
    parameters: tuple[LockedTensor, ...]
    training: bool = False
    by_name: bool = False
    settings: dict[str, PlainTree] = field(default_factory=dict, hash=False)

    @classmethod
    def load(cls, path: str | Path) -> Lock:
        """The lock that a file holds; UsageError, naming the place of the first problem, where there is none."""
        return cls.from_file(path)

    def save(self, path: str | Path) -> None:
        """Write the lock as a file; UsageError where that cannot be done."""
        save_file(Path(path), self.text().encode())

    def text(self) -> str:
        """The lock as JSON with a line for each layer and parameter, for diffs that can be read."""
        document = self.to_dict()
        lines = [f"  {json.dumps(key)}: {_lines(value)}" for key, value in document.items()]
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def difference(self, now: Lock) -> str:
        """The first thing that is not as it was locked, in words; "" where all is."""
        if self.hash == now.hash:
            return ""
        if self.training != now.training:
            return f"it was locked in {_mode(self)}, and is in {_mode(now)} mode"
        if self.inputs != now.inputs:
            return f"the inputs were {_tensors(self.inputs)}, and are {_tensors(now.inputs)}"
        for number, (locked, layer) in enumerate(zip_longest(self.layers, now.layers), 1):
            if locked != layer:
                return _layer_difference(number, locked, layer)
        if self.outputs != now.outputs:
            return f"the output came from {', '.join(self.outputs)}, and comes from {', '.join(now.outputs)}"
        for one, other in zip_longest(self.parameters, now.parameters):
            if one != other:
                return f"a parameter was {_tensors([one] if one else [])}, and is {_tensors([other] if other else [])}"
        return "the hash of the file is not that of what it holds: it was edited; lock the model again"


def _lines(value: Any) -> str:
    """JSON, with a line for each of a list of objects."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"    {json.dumps(item)}" for item in value) + "\n  ]"
    return json.dumps(value)


def _mode(lock: Lock) -> str:
    return "training" if lock.training else "eval"


def _tensors(tensors: Any) -> str:
    sizes = (f"{tensor.name} {'x'.join(map(str, tensor.shape))} {tensor.dtype}".strip() for tensor in tensors)
    return ", ".join(sizes) or "none"


def _layer_difference(number: int, locked: LockedLayer | None, layer: LockedLayer | None) -> str:
    if locked is None or layer is None:
        gone = f"{locked.name} is gone" if locked else ""
        return f"layer {number}: {gone}" + (f"{layer.name} is new" if layer else "")
    if (locked.path, locked.run, locked.kind) != (layer.path, layer.run, layer.kind):
        return f"layer {number}: {layer.name} stands where {locked.name} was locked"
    changes = [
        f"{what} {', '.join(one) or 'none'} -> {', '.join(other) or 'none'}"
        for what, one, other in (("reads", locked.reads, layer.reads), ("outputs", locked.outputs, layer.outputs))
        if one != other
    ]
    for name in dict.fromkeys([*locked.arguments, *layer.arguments]):
        before, now = locked.arguments.get(name, "none"), layer.arguments.get(name, "none")
        if before != now:
            changes.append(f"{name} {before} -> {now}")
    if changes:
        return f"layer {number}: {layer.name}: {'; '.join(changes)}"
    return f"layer {number}: {layer.name} has an argument that is another than when it was locked"


def require_model(lock: Lock, file: str | Path) -> None:
    """Raise UsageError for a lock that cannot be checked without Python."""
    if not lock.model:
        raise UsageError(
            f"{file} was locked from a module or from inputs that a file cannot hold: compare it in Python, "
            "Lock.load(file).difference(archcalc.lock(module, inputs))"
        )
