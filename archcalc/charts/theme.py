"""Colours and type of all charts, light and dark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archcalc.values.errors import unknown

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""The first of these comes with vl-convert, so that a picture is the same on every machine."""


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a chart.

    `palette` is after Okabe and Ito, whose colours stay apart for colour-blind readers; they are darker here on white
    and lighter on black, so that each has a contrast of 3 to 1 at least with the background, and text one of 4.5 to 1.
    """

    background: str
    text: str
    muted: str
    grid: str
    palette: tuple[str, ...]

    def colour(self, number: int) -> str:
        """A colour of the palette, which begins again where it ends."""
        return self.palette[number % len(self.palette)]


THEMES = {
    "light": Theme(
        background="#ffffff",
        text="#1b1f24",
        muted="#57606a",
        grid="#e3e6ea",
        palette=("#0072b2", "#c98500", "#c4450c", "#00805c", "#a3508a", "#5b6570", "#2f8fc4", "#7a5c00"),
    ),
    "dark": Theme(
        background="#0f1217",
        text="#eef1f4",
        muted="#a3adb8",
        grid="#2b313a",
        palette=("#56b4e9", "#f0b429", "#f4814a", "#2fc79a", "#e29ccb", "#aeb7c2", "#8ecbf0", "#d8c27a"),
    ),
}


def theme(name: str) -> Theme:
    """The theme of that name; UsageError where there is none."""
    if name not in THEMES:
        raise unknown("theme", name, THEMES)
    return THEMES[name]


def config(theme: Theme) -> dict[str, Any]:
    """Vega-Lite's configuration for a theme."""
    return {
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            "domain": False,
            "ticks": False,
            "gridColor": theme.grid,
            "labelColor": theme.muted,
            "labelFontSize": 12,
            "labelPadding": 6,
            "labelLimit": 240,
            "titleColor": theme.text,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "titlePadding": 10,
        },
        "legend": {
            "labelColor": theme.muted,
            "labelFontSize": 12,
            "titleColor": theme.text,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
        },
        "title": {
            "anchor": "start",
            "frame": "group",
            "color": theme.text,
            "fontSize": 16,
            "offset": 14,
            "subtitleColor": theme.muted,
            "subtitleFontSize": 12,
            "subtitlePadding": 6,
        },
        "text": {"fontSize": 12, "color": theme.text},
        "concat": {"spacing": 36},
    }
