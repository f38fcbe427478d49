"""Bytes that are held in memory, kept as running sums, so that a step costs the same however much is alive."""

from __future__ import annotations

from collections.abc import Iterable


class Held:
    """Bytes of what is saved for the backward pass, and of what else is alive; what is both counts as saved."""

    def __init__(self, saved: dict[int, int]) -> None:
        self.saved = dict(saved)
        self.saved_bytes = sum(saved.values())
        self.unsaved_bytes = 0
        self._alive: dict[int, int] = {}

    def save(self, sizes: Iterable[tuple[int, int]]) -> None:
        """These memories are kept to the end of the forward pass."""
        self._put(self.saved, sizes)

    def begin(self, sizes: dict[int, int]) -> None:
        """These memories are alive from here on."""
        self._put(self._alive, sizes.items())

    def end(self, storages: Iterable[int]) -> None:
        """These memories are not needed any more, but for what is saved."""
        for storage in storages:
            self._count(storage, -1)
            self._alive.pop(storage, None)
            self._count(storage, 1)

    def _put(self, where: dict[int, int], sizes: Iterable[tuple[int, int]]) -> None:
        for storage, size in sizes:
            self._count(storage, -1)
            where[storage] = size
            self._count(storage, 1)

    def _count(self, storage: int, sign: int) -> None:
        if storage in self.saved:
            self.saved_bytes += sign * self._alive.get(storage, self.saved[storage])
        else:
            self.unsaved_bytes += sign * self._alive.get(storage, 0)


class Gradients(dict[int, tuple[int, int]]):
    """By a tensor's producer: which buffer holds its gradient, and its bytes; `nbytes` are those of all buffers."""

    def __init__(self) -> None:
        self.nbytes = 0
        self._uses: dict[int, int] = {}

    def __setitem__(self, producer: int, buffer: tuple[int, int]) -> None:
        self.release(producer)
        super().__setitem__(producer, buffer)
        self._uses[buffer[0]] = self._uses.get(buffer[0], 0) + 1
        self.nbytes += buffer[1] if self._uses[buffer[0]] == 1 else 0

    def release(self, producer: int) -> None:
        """That gradient is not needed any more; its buffer stays while another one lies in it."""
        if producer in self:
            number, nbytes = super().pop(producer)
            self._uses[number] -= 1
            self.nbytes -= 0 if self._uses[number] else nbytes
