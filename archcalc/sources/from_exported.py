"""`model.pt2`: an archive that `torch.export.save` wrote, with the inputs that it was exported with."""

from __future__ import annotations

from typing import Any
from warnings import catch_warnings, simplefilter

import torch
from torch import nn

from archcalc.sources.named import Named
from archcalc.sources.subject import Built, OwnInputs
from archcalc.values.errors import ModelError, UsageError, error_text
from archcalc.values.input_size import CallInputs

_AS_WRITTEN = frozenset(
    """conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d linear matmul bmm mm addmm relu relu_
    sigmoid tanh gelu silu silu_ hardtanh hardswish leaky_relu softmax add add_ sub mul div neg exp sqrt rsqrt pow
    mean sum flatten unflatten cat stack permute transpose reshape view contiguous clone unsqueeze squeeze expand
    select chunk max_pool2d avg_pool2d adaptive_avg_pool2d batch_norm layer_norm group_norm dropout
    scaled_dot_product_attention""".split()
)
"""Functions of torch that take the arguments of the torch op of their name."""


def load(model: Named, settings: dict[str, Any], real: bool) -> Built:
    """The program in the archive as modules in modules, its weights as they are stored."""
    if settings:
        raise UsageError(f"{model.target} is built already and takes no settings")
    try:
        with catch_warnings():
            simplefilter("ignore", FutureWarning)  # which torch's own code is the cause of
            program = torch.export.load(model.target)
            module = torch.export.unflatten(program)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise ModelError(f"{model.target} cannot be loaded by torch.export: {error_text(error)}") from error
    _call_functions(module)
    return Built(module, f"exported for torch {torch.__version__}", own_inputs=_own_inputs(model.target, program))


def _call_functions(module: nn.Module) -> None:
    """Call `conv2d`, say, where the program calls the torch op beneath it, so that windows and fields show."""
    child: Any
    for child in module.modules():
        graph: Any = getattr(child, "graph", None)
        for node in getattr(graph, "nodes", ()):
            op = node.target
            name = op.overloadpacket.__name__ if isinstance(op, torch._ops.OpOverload) else ""
            if name in _AS_WRITTEN and op.namespace == "aten":
                places: tuple[Any, ...] = (torch, torch._C._nn, torch.Tensor)
                node.target = next(getattr(place, name) for place in places if hasattr(place, name))
        if graph is not None and hasattr(child, "recompile"):
            child.recompile()


def _own_inputs(target: str, program: Any) -> OwnInputs:
    """The example that the archive holds, whose batch is part of the program."""

    def inputs(batch_size: int | None) -> Any:
        if batch_size is not None:
            raise UsageError(f"the batch of {target} is in the sizes that it was exported with: leave out -b")
        if program.example_inputs is None:
            raise UsageError(f"{target} holds no example of its inputs: give their sizes, such as -i 1x3x224x224")
        args, kwargs = program.example_inputs
        return CallInputs(tuple(args), dict(kwargs or {}))

    return inputs
