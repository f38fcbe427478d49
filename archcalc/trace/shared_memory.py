"""Tensors that lie in one memory: what is written to one of them changes all the others."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class SharedMemory:
    """A memory with several tensors in it, and the last write to it.

    A write is taken over by each of the other tensors only when that is used again: a loop that writes to one view
    after another would otherwise touch all earlier views at every turn. `taken_over` has for each tensor, by id(),
    the number of the last write that it knows of.
    """

    writes: int = 0
    producer: int | None = None
    output: int = 0
    depends_on_input: bool = False
    taken_over: dict[int, int] = field(default_factory=dict)

    def write(self, target: int, producer: int | None, output: int, depends_on_input: bool) -> None:
        """Note that a call wrote to the tensor of that id(), which knows of it already."""
        self.writes += 1
        self.producer, self.output, self.depends_on_input = producer, output, depends_on_input
        self.take_over(target)

    def take_over(self, tensor: int) -> None:
        """Note that the tensor of that id() knows of every write so far."""
        self.taken_over[tensor] = self.writes

    def is_stale(self, tensor: int) -> bool:
        """Whether there was a write that the tensor of that id() does not know of."""
        return self.taken_over[tensor] != self.writes
