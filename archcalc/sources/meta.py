"""Building a module without allocating its weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary

_FILLS = frozenset(["fill_", "zero_", "uniform_", "normal_", "trunc_normal_", "copy_", "mul_", "erfinv_"])


class _Unfilled(TorchFunctionMode):
    """Skips the initialisation of tensors that have no data."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in _FILLS or getattr(func, "__module__", None) == "torch.nn.init":
            target = args[0] if args else kwargs.get("tensor")
            if isinstance(target, torch.Tensor) and target.is_meta:
                return target
        return func(*args, **kwargs)


@contextmanager
def weights_on_meta() -> Iterator[None]:
    """Within it, every parameter of a module that is built goes to the meta device as soon as it is registered.

    Other tensors stay real, so a constructor may compute with values, and none of a parameter's memory is touched.
    """
    twins = WeakIdKeyDictionary()  # a parameter that is registered twice must stay one

    def to_meta(module: nn.Module, name: str, parameter: nn.Parameter | None) -> nn.Parameter | None:
        if parameter is None or parameter.is_meta or isinstance(parameter, nn.UninitializedParameter):
            return None
        if parameter not in twins:
            twin = torch.empty_strided(parameter.shape, parameter.stride(), dtype=parameter.dtype, device="meta")
            twins[parameter] = nn.Parameter(twin, parameter.requires_grad)
        known: nn.Parameter = twins[parameter]
        return known

    hook = register_module_parameter_registration_hook(to_meta)  # type: ignore[arg-type]  # torch's own type is wrong
    try:
        with _Unfilled():
            yield
    finally:
        hook.remove()
