"""Top-k errors: how often the true class is not among the k of the highest score. Nothing here needs torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archcalc.values.shown import Shown
from archcalc.values.stored import Stored


@dataclass(frozen=True, slots=True)
class TopKError(Stored):
    """The top-k error for one k: `wrong` of `images` are wrong.

    Equal scores have no order. `wrong` ranks the true class behind every class of the same score; `tied` of these
    images would be right if it were ranked before them.
    """

    k: int
    images: int
    wrong: int
    tied: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.tied <= self.wrong <= self.images or self.images < 1:
            raise ValueError("there should be one image at least, no more wrong ones than images, nor more tied ones")

    @property
    def error(self) -> float:
        """The share of images that are wrong, 0 to 1, with ties counted as wrong."""
        return self.wrong / self.images

    @property
    def least_error(self) -> float:
        """The share of images that are wrong however ties are broken."""
        return (self.wrong - self.tied) / self.images

    def _write(self, document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "error": self.error, "least_error": self.least_error}


@dataclass(frozen=True, slots=True)
class TopKErrors(Shown, Stored):
    """Top-k errors of the same scores for one or several k; `errors[5]` is the top-5 error, a share of 0 to 1.

    `unordered` counts images with a score that is not a number: they are wrong at every k.
    """

    SCHEMA: ClassVar[str] = "archcalc.top-k/1"

    images: int
    classes: int
    unordered: int
    rows: tuple[TopKError, ...]

    def __getitem__(self, k: int) -> float:
        for row in self.rows:
            if row.k == k:
                return row.error
        raise KeyError(f"no top-{k} error was asked for, but {', '.join(f'top-{row.k}' for row in self.rows)}")
