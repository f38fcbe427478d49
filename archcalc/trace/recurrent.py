"""Recurrent layers on the meta device as the CPU runs them, which decides what is saved for the backward pass.

There oneDNN runs an LSTM in float32 or bfloat16: one op for each layer and direction, with a workspace. Of the others
each layer and direction puts the inputs of all steps through their matrix at once, and so copies inputs that do not lie
in the order of the steps; on the meta device torch goes step by step and copies nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from archcalc.trace.tensors import empty

KINDS = frozenset(["lstm", "gru", "rnn_tanh", "rnn_relu"])
_KERNEL = torch.ops.aten.mkldnn_rnn_layer
_LSTM = 2
"""What the kernel calls its mode."""
_DTYPES = (torch.float32, torch.bfloat16)


def recurrent(plain: Callable[..., Any]) -> Callable[..., Any]:
    """A recurrent function of torch's as it runs on the CPU; packed sequences it takes as they are."""

    def run(*args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != 9 or not isinstance(args[3], bool) or not args[0].is_meta:
            return plain(*args, **kwargs)
        return _run_layers(plain, *args)

    return run


def _run_layers(
    plain: Callable[..., Any],
    x: Tensor,
    hx: Any,
    params: Sequence[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> Any:
    states = hx if isinstance(hx, (tuple, list)) else (hx,)
    directions = 2 if bidirectional else 1
    each = len(params) // (num_layers * directions)
    one_kernel = len(states) == 2 and x.dtype in _DTYPES and x.numel() > 0 and each == (4 if has_biases else 2)

    def run(x: Tensor, at: int) -> tuple[Tensor, ...]:
        weights = params[at * each : (at + 1) * each]
        first = [state[at] for state in states]
        if one_kernel:
            biases = weights[2:] or [torch.zeros_like(weight) for weight in weights]
            settings = (at % directions > 0, (), _LSTM, len(weights[1][0]), num_layers)
            result = _KERNEL(x, *weights[:2], *biases, *first, *settings, has_biases, bidirectional, batch_first, train)
            return tuple(result[:3])
        x = x.reshape(-1, x.shape[-1]).view(x.shape)
        first = [state.unsqueeze(0) for state in first]
        given = first if len(states) == 2 else first[0]
        out, *last = plain(x, given, weights, has_biases, 1, 0.0, train, False, False)
        return (out, *[state[0] for state in last])

    x = x.transpose(0, 1) if batch_first else x
    if one_kernel:
        x, states = x.contiguous(), [state.contiguous() for state in states]
    last: list[Sequence[Tensor]] = []
    for layer in range(num_layers):
        results = [run(x, layer * directions + direction) for direction in range(directions)]
        x = torch.cat([out for out, *_ in results], -1) if bidirectional else results[0][0]
        last += [of_states for _, *of_states in results]
        if dropout and train and layer < num_layers - 1:
            x = torch.dropout(x, dropout, train)
    return (x.transpose(0, 1) if batch_first else x, *[torch.stack(of_state) for of_state in zip(*last, strict=True)])


def rnn_layer(x: Tensor, input_weight: Tensor, hidden_weight: Tensor) -> tuple[Tensor, ...]:
    """What oneDNN's kernel gives on meta tensors: the output, both states after the last step, and the workspace."""
    steps, batch, width = x.shape
    hidden = hidden_weight.shape[1]
    size = workspace_bytes(steps, batch, width, hidden, x.dtype.itemsize) if torch.is_grad_enabled() else 0
    state = ((batch, hidden), (hidden, 1), x.dtype)
    output = ((steps, batch, hidden), (batch * hidden, hidden, 1), x.dtype)
    return tuple([empty(key) for key in (output, state, state, ((size,), (1,), torch.uint8))])


def workspace_bytes(steps: int, batch: int, width: int, hidden: int, item: int) -> int:
    """Bytes that oneDNN keeps of one direction of an LSTM layer for its backward pass; `item` are those of an element.

    What the steps make is kept for each step: the gates, the hidden state before it is projected, and, for the place
    before the first step too, both states and their gradients, a gradient in float32 for layer and time each, both for
    the layer and for what goes into it. Each of these begins at a page; a row of what matrix products read or write
    takes whole cache lines.
    """
    row = _row(max(width, hidden), item)
    gradient_row = _row(max(width, hidden), 4)
    states = 2 * (steps + 1) * batch
    parts = (
        steps * batch * _row(4 * hidden, item),
        steps * batch * _row(hidden, item),
        states * row,
        states * hidden * item,
        states * gradient_row,
        states * gradient_row,
        states * hidden * 4,
    )
    return sum(-(-part // _PAGE) * _PAGE for part in parts)


_PAGE = 4096
_CACHE_LINE = 64


def _row(elements: int, item: int) -> int:
    """Bytes of a row in whole cache lines, with one more where its elements are a multiple of 256."""
    lines = -(-elements * item // _CACHE_LINE)
    return (lines + (lines * _CACHE_LINE // item % 256 == 0)) * _CACHE_LINE
