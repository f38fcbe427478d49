"""What is known of another tool: how it counts, and how to run it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from archcalc.peers.counted_trace import CountedTrace
from archcalc.peers.tally import Tally

Args = tuple[Any, ...]
Kwargs = dict[str, Any]


class PeerError(Exception):
    """A tool is not installed, cannot take such inputs, or failed; the message says which."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another tool that counts the cost of networks. Each stands in a file of its own, as `PEER`.

    `name` heads its row and `position` orders the rows. `unit` is what the tool prints: "MACs", or "FLOPs" at two a
    mult-add. `packages` are what must be installed to run it, its own first, and `module` is the name that this one
    is imported by. `rules` computes what release `version` prints, as a difference to our own count. `run` is given
    a model in eval mode with its inputs and returns the number that the installed tool prints for one forward pass;
    it imports the tool. `with_gradients`: it runs the model with gradients enabled, which usually keeps torch from
    running attention in one piece.
    """

    name: str
    position: int
    unit: str
    version: str
    packages: tuple[str, ...]
    module: str
    rules: Callable[[CountedTrace], Tally]
    run: Callable[[nn.Module, Args, Kwargs], int]
    with_gradients: bool = False
