"""The registry: which networks there are, read without importing torch.

A network is registered by decorating its builder, in its family's file, with `@register(...)`. The families
import torch, and `archcalc list`, `--help` and shell completion must not wait for that. So the decorator's
arguments are literals, and the catalogue reads them from the source; only `build` imports the file.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module, resources
from typing import TYPE_CHECKING, Any, TypeVar

from archcalc.values.errors import UsageError, unknown
from archcalc.values.listing import Architecture, PublishedError

if TYPE_CHECKING:
    from torch import nn

Builder = TypeVar("Builder", bound="Callable[..., nn.Module]")


def register(
    name: str,
    *,
    year: int,
    source: str,
    input_shape: tuple[int, ...],
    variant_of: str | None = None,
    errors: tuple[PublishedError, ...] = (),
) -> Callable[[Builder], Builder]:
    """Put the decorated builder into the catalogue; its docstring's first line is the summary.

    Every argument must be a literal, since `catalogue` reads them from the source. The type checker checks
    them here; at run time there is nothing left to do.
    """
    return lambda builder: builder


@cache
def catalogue() -> dict[str, Architecture]:
    """Every registered network by name, in the order of year and file; imports no torch."""
    entries: list[Architecture] = []
    for file in sorted(resources.files("archcalc.zoo").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".py") and "@register(" in (text := file.read_text(encoding="utf-8")):
            entries += _registered(ast.parse(text), family=file.name.removesuffix(".py"))
    entries.sort(key=lambda architecture: architecture.year)
    return {architecture.name: architecture for architecture in entries}


def _registered(tree: ast.Module, family: str) -> list[Architecture]:
    entries = []
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for call in node.decorator_list:
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "register":
                entries.append(
                    Architecture(
                        name=ast.literal_eval(call.args[0]),
                        summary=(ast.get_docstring(node) or "").partition("\n")[0],
                        family=family,
                        builder=node.name,
                        settings=tuple(arg.arg for arg in node.args.args + node.args.kwonlyargs),
                        **{word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg},
                    )
                )
    return entries


def names() -> list[str]:
    """The names of all registered networks."""
    return list(catalogue())


def find(name: str) -> Architecture | None:
    """The registered network of that name, where `-` and `_` are one; None if there is none."""
    return catalogue().get(name.lower().replace("_", "-"))


def architecture(name: str) -> Architecture:
    """The same; UsageError with the closest names if there is none."""
    entry = find(name)
    if entry is None:
        raise unknown("network", name, names(), "`archcalc list` shows all of them")
    return entry


def check_settings(entry: Architecture, settings: Iterable[str]) -> None:
    """Raise UsageError for a setting that the network's builder does not have, naming those that it has."""
    for key in settings:
        if key not in entry.settings:
            raise unknown(f"setting of {entry.name}", key, entry.settings, "" if entry.settings else "it has none")


def build(name: str, **settings: Any) -> nn.Module:
    """A registered network as a fresh, initialised torch module in training mode.

    `settings` are the builder's own arguments, such as `num_classes=10`; UsageError names the right ones.
    """
    entry = architecture(name)
    check_settings(entry, settings)
    builder = getattr(import_module(f"archcalc.zoo.{entry.family}"), entry.builder)
    try:
        module: nn.Module = builder(**settings)
    except (TypeError, ValueError, RuntimeError) as error:
        given = ", ".join(f"{key}={value!r}" for key, value in settings.items())
        raise UsageError(f"{entry.name} cannot be built with {given}: {error}") from error
    return module
