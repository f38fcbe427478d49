"""How large boxes are: their texts, and boxes of one module as wide as each other."""

from __future__ import annotations

from collections.abc import Iterable

from archcalc.pictures.graph import Box
from archcalc.pictures.text import shortened, width

LABEL = 13.0
DETAIL = 10.5
"""Sizes of fonts, in pixels."""

WIDEST = 230.0
"""Of a box's text; a longer one is shortened, and the whole of it is in the tooltip."""

USUAL = 150.0
"""Boxes of calls are as wide as the widest of a picture, or this where that is wider; to the right, as they need."""

BESIDE = 20.0
"""What a box has on both sides of its text, together."""

PILL = 26.0
"""The height of a box of one line that joins tensors, and its least width."""

TALL = 40.0
"""The height of a box with room for a detail below its label."""

LOW = 30.0
ENDS = 20.0
"""The height of an input or output, which is text alone."""

CAPTION = 14.0
"""The height of a text at an output."""


def is_pill(box: Box) -> bool:
    """Whether label and detail of a box stand in one line, in a shape with round ends."""
    return box.kind == "join"


def texts(box: Box) -> tuple[str, str]:
    """Label and detail, no wider than a box may be."""
    return shortened(badge(box) + box.label, LABEL, WIDEST), shortened(box.detail, DETAIL, WIDEST)


def badge(box: Box) -> str:
    """How often a module is repeated, before its name."""
    return f"{box.repeats} × " if box.repeats > 1 else ""


def needed_width(box: Box) -> float:
    """The width of a box by its own texts."""
    label, detail = texts(box)
    if box.kind in ("input", "output"):
        return width(label, LABEL) + 8
    if is_pill(box):
        return max(
            PILL,
            width(label, LABEL)
            + (width(detail, DETAIL) + 6 if detail else 0)
            + (16 if box.detail or len(label) > 1 else 0),
        )
    return max(width(label, LABEL), width(detail, DETAIL)) + BESIDE


def height(box: Box, has_details: bool) -> float:
    """The height of a box; `has_details` is whether any box of the picture has a second line."""
    if box.kind in ("input", "output"):
        return ENDS
    return PILL if is_pill(box) else TALL if has_details else LOW


def common_width(boxes: Iterable[Box]) -> float:
    """The width that all of these boxes need, those apart that are text alone, round or open."""
    return max((needed_width(box) for box in boxes if shares_width(box)), default=0.0)


def shares_width(box: Box) -> bool:
    """Whether a box is as wide as its siblings."""
    return not box.is_open and not is_pill(box) and box.kind not in ("input", "output")
