"""Finds the other tools: every file of this folder that defines PEER is one."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from archcalc import peers as folder
from archcalc.peers.peer import Peer


@cache
def peers() -> dict[str, Peer]:
    """The other tools by name, in the order of their rows. None of them is imported.

    Raises ValueError if two have one name or one position.
    """
    modules = [import_module(f"{folder.__name__}.{file.name}") for file in iter_modules(folder.__path__)]
    tools = sorted((module.PEER for module in modules if hasattr(module, "PEER")), key=lambda peer: peer.position)
    for unique in ("name", "position"):
        if len({getattr(peer, unique) for peer in tools}) < len(tools):
            raise ValueError(f"two of {', '.join(peer.name for peer in tools)} have one {unique}")
    return {peer.name: peer for peer in tools}


def versions() -> str:
    """The releases whose rules these are, as one line."""
    return ", ".join(dict.fromkeys(f"{peer.packages[0]} {peer.version}" for peer in peers().values()))
