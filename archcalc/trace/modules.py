"""The tree of modules: what each of them is and holds, which of them are running, and what went through them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.nn.parameter import is_lazy

from archcalc.values.trace import Module, Shape

Modules = list[tuple[str, nn.Module]]
Runs = dict[str, list[tuple[tuple[Shape, ...], tuple[Shape, ...]]]]


class ModuleStack:
    """The modules that are running, each with the number of its run; `enter` and `leave` are forward hooks.

    `running` has the outermost first: the root alone, also before it is entered.
    """

    def __init__(self, paths: dict[int, str]) -> None:
        self._paths = paths  # by id()
        self._runs: dict[str, int] = {}
        self._before: list[tuple[tuple[str, int], ...]] = []
        self.running: tuple[tuple[str, int], ...] = (("", 0),)

    def enter(self, module: nn.Module, args: Any) -> None:
        """A module begins to run; one made on the way has no path, and counts as another run of the one around it."""
        path = self._paths.get(id(module), self.running[-1][0])
        run = self._runs.get(path, 0)
        self._runs[path] = run + 1
        is_root = not self._before and not path
        self._before.append(self.running)
        self.running = ((path, run),) if is_root else (*self.running, (path, run))

    def leave(self, module: nn.Module, args: Any, result: Any) -> None:
        """The innermost module is done."""
        if self._before:  # torch calls it also where a module was too deep in a recursion to be entered
            self.running = self._before.pop()


@contextmanager
def forward_hooks(enter: Callable[..., None], leave: Callable[..., None]) -> Iterator[None]:
    """Within it `enter(module, args)` is called before every module runs, and `leave(module, args, result)` after it.

    The hooks are torch's global ones, so that the modules themselves get none; `leave` is called after an error too.
    """
    hooks = [register_module_forward_pre_hook(enter), register_module_forward_hook(leave, always_call=True)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def walk(root: nn.Module) -> Modules:
    """Every module with the first of its paths, as `named_modules()` but not recursive: networks may be nested deep."""
    modules: Modules = []
    seen: set[int] = set()
    stack = [("", root)]
    while stack:
        path, module = stack.pop()
        if id(module) not in seen:
            seen.add(id(module))
            modules.append((path, module))
            within = f"{path}." if path else ""
            stack += [(within + name, child) for name, child in module._modules.items() if child is not None][::-1]
    return modules


def tree(modules: Modules, runs: Runs) -> dict[str, Module]:
    """What each module is and holds, and what it took and gave whenever it ran."""
    places = _places([module for _, module in modules])
    classes = {kind: _classes(kind) for kind in {type(module) for _, module in modules}}
    return {
        path: Module(
            type(module).__name__,
            len(runs.get(path, ())),
            *_shapes(runs.get(path, ())),
            classes[type(module)],
            {
                name: () if is_lazy(value) else tuple(value.shape)
                for name, value in module._parameters.items()
                if value is not None
            },
            places[id(module)],
            not any(child is not None for child in module._modules.values()),
        )
        for path, module in modules
    }


def _shapes(runs: Sequence[tuple[tuple[Shape, ...], tuple[Shape, ...]]]) -> tuple[tuple[Shape, ...], tuple[Shape, ...]]:
    """What all runs took and gave, nothing where they differ."""
    return runs[0] if runs and all(run == runs[0] for run in runs) else ((), ())


def _places(modules: list[nn.Module]) -> dict[int, int]:
    """How many ways lead from the root, the first, to each module; two names in one parent are one way."""
    known = {id(module) for module in modules}  # a forward may put further ones in
    children = {id(module): {id(child) for child in module._modules.values()} & known for module in modules}
    parents = Counter(child for held in children.values() for child in held)
    ways = dict.fromkeys(children, 0)
    ready = [id(modules[0])]
    ways[ready[0]] = 1
    while ready:
        module = ready.pop()
        for child in children[module]:
            ways[child] += ways[module]
            parents[child] -= 1
            if not parents[child]:
                ready.append(child)
    return ways


def _classes(kind: type) -> tuple[str, ...]:
    return tuple(_name(base) for base in kind.__mro__[: kind.__mro__.index(nn.Module) + 1])


def _name(kind: type) -> str:
    module = str(kind.__module__)  # a class may set it to anything
    if module.startswith("torch.nn.modules.") and not module.endswith("dynamic"):
        return f"nn.{kind.__qualname__}"
    return f"{module}.{kind.__qualname__}"
