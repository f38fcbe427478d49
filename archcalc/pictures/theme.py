"""The colours of pictures, light and dark, as style sheets; what is text has at least 4.5 times the contrast."""

from __future__ import annotations

from archcalc.pictures.choices import Theme
from archcalc.pictures.text import FONT

STEPS = 6
"""Shades of a measure."""

Palette = dict[str, str]

LIGHT: Palette = {
    "page": "#ffffff",
    "text": "#1f2328",
    "quiet": "#57606a",
    "line": "#59636e",
    "frame": "#818b98",
    "accent": "#bc4c00",
}
DARK: Palette = {
    "page": "#0d1117",
    "text": "#e6edf3",
    "quiet": "#a9b4c0",
    "line": "#9aa4af",
    "frame": "#6e7681",
    "accent": "#ffa657",
}

LIGHT_BOXES = {
    "module": ("#eef1f4", "#59636e"),
    "conv": ("#dfeaf8", "#35679f"),
    "linear": ("#fbe4e4", "#b2484c"),
    "attention": ("#fbe5f1", "#a8457d"),
    "recurrent": ("#fdeadb", "#a05a1c"),
    "embedding": ("#eaf0d2", "#687a1f"),
    "pool": ("#e2f1de", "#44803a"),
    "norm": ("#dbf0ef", "#2b7a7b"),
    "activation": ("#fbf0cf", "#8a6a14"),
    "join": ("#ece5f8", "#7352ad"),
    "reshape": ("#f4f4f4", "#6b7280"),
    "other": ("#f5ece6", "#8a6552"),
    "unknown": ("#ffffff", "#cf222e"),
}
"""Fill and border by the kind of a box."""

DARK_BOXES = {
    "module": ("#232b34", "#8b949e"),
    "conv": ("#1b3a5f", "#6fa3dc"),
    "linear": ("#52262a", "#e08084"),
    "attention": ("#4e243e", "#dc83b4"),
    "recurrent": ("#4a2f14", "#d9934f"),
    "embedding": ("#343c12", "#a9bb55"),
    "pool": ("#1f4224", "#76b56b"),
    "norm": ("#144142", "#5fb3b3"),
    "activation": ("#453910", "#c9a544"),
    "join": ("#392b5c", "#ab8fe0"),
    "reshape": ("#262b33", "#8b949e"),
    "other": ("#3d2f26", "#c39a83"),
    "unknown": ("#0d1117", "#ff7b72"),
}

_RAMPS = {"light": ((255, 250, 242), (246, 158, 82)), "dark": ((33, 26, 20), (146, 66, 8))}
"""From the least to the most of a measure."""


def ramp(theme: Theme) -> list[str]:
    """The shades of a measure from the least to the most, light or dark."""
    low, high = _RAMPS[theme]
    parts = [step / (STEPS - 1) for step in range(STEPS)]
    return ["#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(low, high, strict=True)) for part in parts]


def style_sheet(theme: Theme) -> str:
    """The style of a picture; a page with several of them needs it once."""
    if theme != Theme.auto:
        return _FIXED + _colours(theme)
    return f"{_FIXED}{_colours(Theme.light)}@media (prefers-color-scheme:dark){{{_colours(Theme.dark)}}}"


_FIXED = (
    f".archcalc text{{font-family:{FONT}}}"
    ".archcalc .label{font-size:13px;text-anchor:middle}"
    ".archcalc .detail{font-size:10.5px;text-anchor:middle}"
    ".archcalc .shape,.archcalc .note{font-size:10.5px}"
    ".archcalc .name{font-size:11.5px}"
    ".archcalc .middle{text-anchor:middle}"
    ".archcalc .title{font-size:16px;font-weight:600}"
    ".archcalc .total{font-size:12px}"
    ".archcalc .line{fill:none;stroke-width:1.3}"
    ".archcalc rect{stroke-width:1.2}"
    ".archcalc .frame{stroke-dasharray:4 3;stroke-width:1}"
    ".archcalc .k-unknown rect{stroke-dasharray:4 2}"
    ".archcalc .page{stroke:none}"
)


def _colours(theme: Theme) -> str:
    palette, boxes = (LIGHT, LIGHT_BOXES) if theme == Theme.light else (DARK, DARK_BOXES)
    rules = {
        ".page": f"fill:{palette['page']}",
        "text": f"fill:{palette['text']}",
        ".quiet": f"fill:{palette['quiet']}",
        ".line": f"stroke:{palette['line']}",
        ".head": f"fill:{palette['line']}",
        ".frame": f"fill:{palette['frame']};fill-opacity:.06;stroke:{palette['frame']}",
    }
    rules |= {f".k-{kind} rect": f"fill:{fill};stroke:{border}" for kind, (fill, border) in boxes.items()}
    rules[".plain rect"] = f"fill:{palette['page']};stroke:{palette['frame']}"
    rules |= {f".m{step} rect": f"fill:{fill};stroke:{palette['line']}" for step, fill in enumerate(ramp(theme))}
    rules |= {f".m{step} .detail": f"fill:{palette['text']}" for step in range(STEPS)}
    rules[".marked rect"] = f"stroke:{palette['accent']};stroke-width:3"
    return "".join(f".archcalc {selector}{{{style}}}" for selector, style in rules.items())
