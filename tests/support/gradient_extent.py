"""What a unit sees, by asking autograd: the extent of the non-zero gradient of one output unit on the input.

Nothing here knows the arithmetic under test. Weights are positive, pooling averages, and a normalisation is the
identity, so that nothing cancels; each gradient on its way back is turned into 0 and 1, so that nothing vanishes.
`narrow` replaces every convolution by one of a single channel, since fields do not depend on channels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

Extent = tuple[int, int] | None
"""First and last position along an axis, None where the unit sees no pixel."""

CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def _listed(value: Any, axes: int) -> list[int]:
    return list(value) if isinstance(value, (tuple, list)) else [value] * axes


def _average_in_place_of_max(axes: int) -> Callable[..., Tensor]:
    def pool(
        x: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Tensor:
        steps = _listed(kernel_size if stride in (None, ()) else stride, axes)
        kernel, pads, gaps = (_listed(value, axes) for value in (kernel_size, padding, dilation))
        with torch.no_grad():
            out = getattr(F, f"max_pool{axes}d")(x, kernel_size, stride, padding, dilation, ceil_mode).shape[2:]
        borders: list[int] = []
        for size, n, k, s, p, d in reversed(list(zip(x.shape[2:], out, kernel, steps, pads, gaps, strict=True))):
            borders += [p, (n - 1) * s + d * (k - 1) + 1 - p - size]
        each = F.pad(x, borders).flatten(0, 1).unsqueeze(1)
        summed = CONVOLUTIONS[axes](each, torch.ones(1, 1, *kernel, dtype=x.dtype), stride=steps, dilation=gaps)
        return summed.reshape(*x.shape[:2], *out)

    return pool


def _one_channel(axes: int) -> Callable[..., Tensor]:
    def convolution(x: Tensor, weight: Tensor, bias: Any = None, *args: Any, **kwargs: Any) -> Tensor:
        kernel = weight.shape[2:]
        ones = torch.full((1, 1, *kernel), 1 / kernel.numel(), dtype=x.dtype)
        arguments = dict(zip(("stride", "padding", "dilation"), args, strict=False))  # groups make no difference
        arguments |= {key: value for key, value in kwargs.items() if key in ("stride", "padding", "dilation")}
        return CONVOLUTIONS[axes](x.mean(1, keepdim=True), ones, None, **arguments)

    return convolution


def _untouched(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    return x * 1  # a new tensor, so that an activation in place does not write to the old one


NORMALISATIONS = ("batch_norm", "layer_norm", "group_norm", "instance_norm", "local_response_norm")
PLAIN = dict.fromkeys(NORMALISATIONS, _untouched)
PLAIN |= {f"max_pool{axes}d": _average_in_place_of_max(axes) for axes in (1, 2, 3)}
NARROW = {f"conv{axes}d": _one_channel(axes) for axes in (1, 2, 3)}
NARROW |= {"linear": lambda x, *_: x.mean(-1, keepdim=True)}


class Traceable(TorchFunctionMode):
    """Runs a network so that its gradients tell what sees what."""

    def __init__(self, narrow: bool) -> None:
        super().__init__()
        self.replaced = PLAIN | NARROW if narrow else PLAIN

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = self.replaced.get(getattr(func, "__name__", ""), func)(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(tensor, Tensor) and tensor.grad_fn is not None:
                tensor.register_hook(_zeros_and_ones)
        return result


def _zeros_and_ones(gradient: Tensor) -> Tensor:
    size = gradient.abs()
    return (size > 1e-7 * size.max()).to(gradient.dtype)  # what rounding leaves of a zero is no sight


def outputs(
    net: nn.Module, shape: Sequence[int], batch: int, paths: Sequence[str], narrow: bool = False
) -> tuple[Tensor, dict[str, Tensor]]:
    """An input, and what the modules of these paths put out on it, with gradients that tell extents."""
    if not narrow:
        with torch.no_grad():
            for parameter in net.double().parameters():
                parameter.fill_(1 / max(1, parameter[0].numel()) if parameter.ndim > 1 else 0.1)
    x = torch.ones(batch, *shape, dtype=torch.float64, requires_grad=True)
    found: dict[str, Tensor] = {}

    def keep(path: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: Any, result: Tensor) -> None:
            found[path] = result * 1

        return hook

    handles = [net.get_submodule(path).register_forward_hook(keep(path)) for path in paths]
    try:
        with Traceable(narrow):
            net.eval()(x * 1)
    except RuntimeError:  # a fully connected end fits one input size only
        if len(found) < len(paths):
            raise
    finally:
        for handle in handles:
            handle.remove()
    return x, found


def extents(x: Tensor, out: Tensor, units: Sequence[tuple[int, ...]]) -> list[list[Extent]]:
    """For unit number b of sample number b: what it sees along each axis."""
    chosen = torch.stack([out[(number, slice(None), *unit)].sum() for number, unit in enumerate(units)])  # type: ignore[index]
    (gradient,) = torch.autograd.grad(chosen.sum(), x, retain_graph=True)
    seen = gradient.ne(0).any(1)
    found: list[list[Extent]] = []
    for sample in seen[: len(units)]:
        axes = range(sample.ndim)
        along = [
            sample.any(tuple(other for other in axes if other != axis)) if len(axes) > 1 else sample for axis in axes
        ]
        places = [line.nonzero().flatten().tolist() for line in along]
        found.append([(place[0], place[-1]) if place else None for place in places])
    return found
