"""How wide a text is: no narrower than in the wide ones among the usual sans-serif fonts."""

from __future__ import annotations

from bisect import bisect_right

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"

_WIDTHS = {
    0.3: "ijlIJ'",
    0.34: " ,.·/:;\\|",
    0.42: "-()[]tfr!",
    0.5: '"*_`–',
    0.56: "?szLc",
    0.6: "Fkvxy",
    0.64: "PTYaeo$0123456789ESbdghnpqu{}",
    0.7: "KABCRVXZ",
    0.78: "UHNDG&",
    0.84: "OQw#+<=>^~×≥÷−→",
    0.98: "MWm%@…",
}
"""In parts of the font's size, as DejaVu Sans has them, rounded up."""

_WIDTH = {char: width for width, chars in _WIDTHS.items() for char in chars}
BOLD = 1.12


def width(text: str, size: float, *, bold: bool = False) -> float:
    """The most pixels that a text takes at a font size in pixels."""
    return sum(_WIDTH.get(char, 1.05) for char in text) * size * (BOLD if bold else 1)


def shortened(text: str, size: float, limit: float) -> str:
    """The text, or its beginning with "…", so that it is no wider than `limit` pixels."""
    if width(text, size) <= limit:
        return text
    lengths = range(len(text))
    kept = bisect_right(lengths, limit, key=lambda length: width(f"{text[:length]}…", size)) - 1
    return f"{text[: max(kept, 0)].rstrip(' ·')}…"
