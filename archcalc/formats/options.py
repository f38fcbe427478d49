"""What a writer may know of where its text goes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """`width` in terminal columns; whether colour is welcome; whether the stream has ASCII only."""

    width: int = 80
    colour: bool = False
    ascii_only: bool = False
