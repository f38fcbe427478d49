"""The tree of modules before it runs: what each of them is, and what it holds."""

from __future__ import annotations

from torch import nn
from torch.nn.parameter import is_lazy

from archcalc.trace.values import Module


def tree(root: nn.Module) -> dict[str, Module]:
    """Every module by the first of its paths."""
    places = _places(root)
    classes = {kind: _classes(kind) for kind in {type(child) for child in root.modules()}}
    return {
        path: Module(
            kind=type(child).__name__,
            classes=classes[type(child)],
            parameters={
                name: () if is_lazy(value) else tuple(value.shape)
                for name, value in child.named_parameters(recurse=False)
            },
            places=places[id(child)],
            leaf=not any(True for _ in child.children()),
        )
        for path, child in root.named_modules()
    }


def _places(root: nn.Module) -> dict[int, int]:
    """How many ways lead from the root to each module; two names in one parent are one way."""
    parents_first: list[nn.Module] = []
    seen: set[int] = set()
    stack = [(root, False)]
    while stack:  # not recursive: a network may be nested deeper than Python's stack
        module, done = stack.pop()
        if done:
            parents_first.append(module)
        elif id(module) not in seen:
            seen.add(id(module))
            stack.append((module, True))
            stack += [(child, False) for child in module.children()]
    parents_first.reverse()
    ways = dict.fromkeys(seen, 0) | {id(root): 1}
    for module in parents_first:
        for child in module.children():
            ways[id(child)] += ways[id(module)]
    return ways


def _classes(kind: type) -> tuple[str, ...]:
    return tuple(_name(each) for each in kind.__mro__[: kind.__mro__.index(nn.Module) + 1])


def _name(kind: type) -> str:
    if kind.__module__.startswith("torch.nn.modules.") and not kind.__module__.endswith("dynamic"):
        return f"nn.{kind.__qualname__}"
    return f"{kind.__module__}.{kind.__qualname__}"
