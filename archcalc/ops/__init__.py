"""The language of networks: one definition for each kind of call, with everything that follows from its arguments.

Importing this package registers every family; nothing here needs torch.
"""

from archcalc.ops import (  # noqa: F401  each registers its kinds
    activation,
    attention,
    autocast,
    convolution,
    elementwise,
    embedding,
    indexing,
    joining,
    normalisation,
    pooling,
    products,
    rearranging,
    recurrent,
    reduction,
    resizing,
)
from archcalc.ops.definition import DEFINITIONS, Definition, define, definition, parse

__all__ = ["DEFINITIONS", "Definition", "define", "definition", "parse"]
