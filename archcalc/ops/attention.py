"""Attention: scaled_dot_product_attention, and the function behind `torch.nn.MultiheadAttention`."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from archcalc.ops.axis import UnknownError, reduced
from archcalc.ops.definition import LOWER, Definition, define
from archcalc.ops.field import Axes, SeenInput
from archcalc.ops.layout import Layout
from archcalc.values.report import Product
from archcalc.values.trace import AtenOp, Op, Shape, TensorSpec


def _field(along: int, masked: bool, seen: list[SeenInput]) -> Axes:
    """Every position of the keys and values, for each of the queries; unknown if a mask is given."""
    if masked:
        raise UnknownError
    positions = max(tensor.spec.shape[along] for tensor in seen)
    field: Axes = ()
    for axes in zip(*(tensor.field for tensor in seen), strict=True):
        sizes = {(axis, tensor.spec.shape[axis.dim]) for axis, tensor in zip(axes, seen, strict=True)}
        if any(axis.whole for axis in axes):
            field += (next(axis for axis in axes if axis.whole),)
        elif all(axis.dim == along for axis in axes):
            field += (reduced(axes[0], positions),)
        elif len(sizes) == 1 and axes[0].dim != -1:
            field += (axes[0],)
        else:
            raise UnknownError
    return field


@define("scaled_dot_product_attention")
@dataclass(slots=True, eq=False)
class Attention(Definition):
    """Queries, keys and values, B×H×L×E each."""

    query: TensorSpec
    key: TensorSpec
    value: TensorSpec
    attn_mask: TensorSpec | None = None
    dropout_p: float = 0.0
    is_causal: bool = False
    scale: float | None = None
    enable_gqa: bool = False

    autocast = LOWER
    layout = Layout.AS_QUERY

    def shape(self) -> Shape | None:
        """The query's shape where torch runs the call as one kernel on the CPU; None for other calls."""
        query, key = self.query.shape, self.key.shape
        if self.attn_mask is not None or self.dropout_p or self.enable_gqa or len(query) != 4:
            return None
        fits = key == self.value.shape and len(key) == 4 and key[:2] == query[:2] and key[3:] == query[-1:]
        return query if fits else None

    def products(self, out: TensorSpec) -> tuple[Product, ...]:
        """Scores (each query with each key) and their product with the values; a mask does not reduce them."""
        scores, keys = (*out.shape[:-1], self.key.shape[-2]), self.key.shape[-2:-1]
        return Product(scores, self.query.shape[-1:], "scores"), Product(out.shape, keys)

    def activations(self, out: TensorSpec) -> int:
        return prod(out.shape[:-1]) * self.key.shape[-2] + out.numel

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        return _field(-2, self.attn_mask is not None or bool(self.is_causal), seen)


@define("multi_head_attention_forward")
@dataclass(slots=True, eq=False)
class MultiHeadAttention(Definition):
    """Projections and attention; sequences are L×N×E and S×N×E, as `torch.nn.MultiheadAttention` passes them."""

    query: TensorSpec
    key: TensorSpec
    value: TensorSpec
    embed_dim_to_check: int
    num_heads: int
    in_proj_weight: TensorSpec | None
    in_proj_bias: TensorSpec | None
    bias_k: TensorSpec | None
    bias_v: TensorSpec | None
    add_zero_attn: bool
    dropout_p: float
    out_proj_weight: TensorSpec
    out_proj_bias: TensorSpec | None
    training: bool = True
    key_padding_mask: TensorSpec | None = None
    need_weights: bool = True
    attn_mask: TensorSpec | None = None
    use_separate_proj_weight: bool = False
    q_proj_weight: TensorSpec | None = None
    k_proj_weight: TensorSpec | None = None
    v_proj_weight: TensorSpec | None = None
    static_k: Any = None
    static_v: Any = None
    average_attn_weights: bool = True
    is_causal: bool = False

    autocast = LOWER
    layout = Layout.NEW
    most_outputs = 2
    weight_layers = 2  # the projections of query, key and value, and that of the output

    def shapes(self) -> tuple[Shape, ...] | None:
        """L×N×E, and the attention weights if `need_weights`; None with rarely used arguments."""
        if (self.training and self.dropout_p) or self.add_zero_attn or self._unusual():
            return None
        query, key, width, heads = self.query.shape, self.key.shape, self.embed_dim_to_check, self.num_heads
        if len(query) != 3 or key != self.value.shape or key[1:] != query[1:] or query[2] != width or width % heads:
            return None
        parameters = (self.in_proj_weight, self.in_proj_bias, self.out_proj_weight, self.out_proj_bias)
        wanted = ((3 * width, width), (3 * width,), (width, width), (width,))
        if tuple(parameter and parameter.shape for parameter in parameters) != wanted:
            return None
        length, batch, _ = query
        weights = (batch, length, key[0]) if self.average_attn_weights else (batch, heads, length, key[0])
        return (query, weights) if self.need_weights else (query,)

    def _unusual(self) -> bool:
        given = (self.bias_k, self.bias_v, self.key_padding_mask, self.attn_mask, self.is_causal)
        separate = (self.use_separate_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        return any(given) or any(separate) or bool(self.static_k) or bool(self.static_v)

    def aten_ops(self) -> tuple[AtenOp, ...]:
        """The products for input projections (one or three calls, the same total), scores, weighted sums and output."""
        (length, batch, width), other, heads = self.query.shape, self.key.shape[0], self.num_heads
        return (
            _matrix_product("mm", batch * (length + 2 * other) * width, width),
            _matrix_product("bmm", batch * heads * length * other, width // heads),
            _matrix_product("bmm", batch * length * width, other),
            _matrix_product("addmm", batch * length * width, width),
        )

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        along = -2 if len(op.inputs[0].shape) == 2 else -3
        return _field(along, self.attn_mask is not None or self.key_padding_mask is not None, seen)


def _matrix_product(name: str, elements: int, terms: int) -> AtenOp:
    return AtenOp(f"aten.{name}", 2 * elements * terms, (), elements)
