"""The work of a picture grows in a line with its boxes, also where none of them is in a module."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import archcalc
from archcalc.pictures.layout.nested import layout
from archcalc.pictures.text import shortened, width
from tests.support.calls import calls_of


class Wide(nn.Module):
    """Many calls read one tensor, and the last one reads all of theirs."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.calls = calls

    def forward(self, x: Tensor) -> Tensor:
        """N×3 to N×(3·calls)."""
        return torch.cat([x.softmax(1) for _ in range(self.calls)], 1)


class Chain(Wide):
    """One call after another, all of them in the box of the first."""

    def forward(self, x: Tensor) -> Tensor:
        """N×3 to N×3."""
        for _ in range(self.calls):
            x = (x + 1).relu()
        return x


@pytest.mark.parametrize("net", [Wide, Chain])
def test_the_work_of_a_flat_picture_grows_in_a_line(net: type[Wide]) -> None:
    drawings = [archcalc.draw(net(size), inputs=(2, 3)) for size in (60, 160, 260)]
    work = [calls_of(layout, drawn.graph) for drawn in drawings]
    assert work[2] - work[1] < 1.2 * (work[1] - work[0])


@pytest.mark.parametrize("limit", [1.0, 40.0, 123.4, 230.0])
def test_a_text_is_shortened_no_further_than_it_must_be(limit: float) -> None:
    text = "add1" * 40
    kept = shortened(text, 13, limit)
    assert kept == "…" or width(kept, 13) <= limit
    assert width(f"{text[: len(kept)]}…", 13) > limit
