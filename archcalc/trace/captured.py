"""The weights that an operator reads through a function it is given, such as a `score_mod` of flex_attention."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from archcalc.trace.tensors import with_tensors


class CapturedParameters(TorchFunctionMode):
    """Active while such a function runs: `parameters` are those that it reads, which run as their stand-ins."""

    def __init__(self, stand_in: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.parameters: list[nn.Parameter] = []
        self._stand_in = stand_in

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run a call of the function with stand-ins for parameters."""
        return func(*with_tensors(args, self._noted), **with_tensors(kwargs or {}, self._noted))

    def _noted(self, tensor: Tensor) -> Tensor:
        if not isinstance(tensor, nn.Parameter):
            return tensor
        if not any(tensor is parameter for parameter in self.parameters):
            self.parameters.append(tensor)
        return self._stand_in(tensor)

    def watching(self, tree: Any) -> Any:
        """The same nested arguments, with every function in them watched."""
        if type(tree) in (tuple, list):
            return type(tree)(self.watching(item) for item in tree)
        if not isinstance(tree, FunctionType):
            return tree

        @wraps(tree)
        def watched(*args: Any, **kwargs: Any) -> Any:
            with self:
                return tree(*args, **kwargs)

        return watched
