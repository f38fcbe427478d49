"""Control flow that torch has as operators, such as `torch.cond`, run as the Python that it stands for.

So the calls of the branch that is taken and of every step of a loop are recorded like all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree


@contextmanager
def uncompiled_control_flow() -> Iterator[None]:
    """Within it these operators are called as they are, where torch would compile the functions that they are given."""
    utils: Any = torch._higher_order_ops.utils
    compile_and_call = utils._hop_compile_and_call
    utils._hop_compile_and_call = lambda function, args, kwargs=None: function(*args, **(kwargs or {}))
    try:
        yield
    finally:
        utils._hop_compile_and_call = compile_and_call


def _cond(predicate: Any, if_true: Callable[..., Any], if_false: Callable[..., Any], operands: Any = ()) -> Any:
    return (if_true if predicate else if_false)(*operands)


def _while_loop(condition: Any, body: Callable[..., Any], carried: Any, additional: Any = (), **options: Any) -> Any:
    if options.get("stack_output"):
        raise NotImplementedError("a while_loop that stacks what its steps give cannot be followed")
    while condition(*pytree.tree_leaves(carried), *additional):
        carried = body(*pytree.tree_leaves(carried), *additional)
    return carried


def _scan(combine: Callable[..., Any], initial: Any, sequences: Any, additional: Any = ()) -> Any:
    """The carried values after the last step, and what each step gave beside them, stacked."""
    carried, given, result = list(initial), [], None
    for at in range(len(sequences[0])):
        result = combine(*carried, *[sequence[at] for sequence in sequences], *additional)
        leaves = pytree.tree_leaves(result)
        carried, rest = leaves[: len(carried)], leaves[len(carried) :]
        given.append(rest)
    leaves = [*carried, *map(_stacked, zip(*given, strict=True))]
    return pytree.tree_unflatten(leaves, pytree.tree_structure(result))


def _map(function: Callable[..., Any], sequences: Any, additional: Any = ()) -> Any:
    results = [function(*[one[at] for one in sequences], *additional) for at in range(len(sequences[0]))]
    leaves = [pytree.tree_leaves(result) for result in results]
    return pytree.tree_unflatten(list(map(_stacked, zip(*leaves, strict=True))), pytree.tree_structure(results[0]))


def _stacked(values: Any) -> Any:
    return torch.stack(list(values)) if isinstance(values[0], Tensor) else values[0]


CONTROL_FLOW: dict[str, Callable[..., Any]] = {
    "torch.ops.higher_order.cond": _cond,
    "torch.ops.higher_order.while_loop": _while_loop,
    "torch.ops.higher_order.scan": _scan,
    "torch.ops.higher_order.map_impl": _map,
}
"""The operators that run as Python, by the kind of call that they are."""
