"""A mixin for `str(value)` that calls a registered renderer, so that values import none."""

from __future__ import annotations

from collections.abc import Callable

Renderer = Callable[[object], str]

_renderers: list[Renderer] = []


def render_with(renderer: Renderer) -> None:
    """Make `renderer` the function that turns every `Shown` value into text; `archcalc/__init__` calls this once."""
    _renderers[:] = [renderer]


class Shown:
    """A value whose `str()` is the table that its command prints, 100 columns wide."""

    __slots__ = ()

    def __str__(self) -> str:
        return _renderers[0](self)
