"""Graphs of boxes at random, from a seed: any acyclic graph, with modules in modules and several tensors a box."""

from __future__ import annotations

from random import Random

from archcalc.pictures.graph import OUTSIDE, Box, Edge, Place

LABELS = ("fc 10", "3×3 conv, 128 /2", "a long name of something", "x")


def picture(seed: int, most: int = 9, depth: int = 2) -> Box:
    """An open box without inputs of its own, as graphs of whole networks are."""
    random = Random(seed)
    return _module(random, "net", 0, random.randint(0, 2), most, depth)


def _module(random: Random, ident: str, inputs: int, outputs: int, most: int, depth: int) -> Box:
    tensors: list[Place] = [(OUTSIDE, at) for at in range(inputs)]
    children: list[Box] = []
    edges: list[Edge] = []
    for number in range(random.randint(1, most)):
        near = random.random() < 0.7  # mostly what was made last, as in real networks
        reads = random.sample(tensors[-3:] if near else tensors, min(len(tensors), random.choice((1, 1, 1, 2, 2, 3))))
        made = random.choice((1, 1, 1, 1, 2, 0))
        name = f"{ident}.{number}"
        if depth and random.random() < 0.3:
            child = _module(random, name, len(reads), made, most // 2 + 1, depth - 1)
        else:
            kind = random.choice(("conv", "linear", "join", "module"))
            shape = random.choice(("", "64×56×56")) if made else ""
            child = Box(name, name, kind, random.choice(LABELS), shape=shape, inputs=len(reads), outputs=made)
        children.append(child)
        edges += [Edge(source, (number, at)) for at, source in enumerate(reads)]
        tensors += [(number, at) for at in range(made)]
    inner = [tensor for tensor in tensors if tensor[0] != OUTSIDE]
    kept = [random.choice(inner) for _ in range(outputs)] if inner and ident != "net" else []
    edges += [Edge(source, (OUTSIDE, at)) for at, source in enumerate(kept)]
    return Box(
        ident, ident, "module", ident, inputs=inputs, outputs=outputs, children=tuple(children), edges=tuple(edges)
    )
