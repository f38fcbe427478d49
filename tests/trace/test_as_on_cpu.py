"""Ops whose kernels for the meta device differ from the CPU's: what they give and refuse is the CPU's."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from archcalc.trace.as_on_cpu import run_op

BAGS = torch.ops.aten._embedding_bag.default


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("padding", [-1, 3])
def test_what_an_embedding_bag_keeps(mode: int, padding: int, dtype: torch.dtype) -> None:
    real = [torch.rand(10, 4, dtype=dtype), torch.arange(6), torch.tensor([0, 3])]
    rest = (False, mode, False, None, False, padding)
    expected = BAGS(*real, *rest)
    given = run_op(BAGS, (*[tensor.to("meta") for tensor in real], *rest), {})
    for one, other in zip(given, expected, strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        assert one.untyped_storage().nbytes() == other.untyped_storage().nbytes()


def outcome(first: Tensor, second: Tensor, ends: Tensor) -> Any:
    try:
        result = run_op(torch.ops.aten._grouped_mm.default, (first, second, ends), {})
    except RuntimeError:
        return "refused"
    return tuple(result.shape), result.stride()


@pytest.mark.parametrize("rows", [8, 6])
@pytest.mark.parametrize("columns", [8, 6])
@pytest.mark.parametrize("transposed", [False, True])
def test_which_grouped_products_are_refused(rows: int, columns: int, transposed: bool) -> None:
    first, ends = torch.rand(32, rows), torch.tensor([16, 32], dtype=torch.int32)
    second = torch.rand(2, columns, rows).mT if transposed else torch.rand(2, rows, columns)
    assert outcome(first.to("meta"), second.to("meta"), ends.to("meta")) == outcome(first, second, ends)


def test_experts_of_odd_width_fail_without_data_as_they_do_with_it() -> None:
    import archcalc

    net: Any = nn.Module()
    net.experts = nn.Parameter(torch.rand(2, 6, 8))
    net.forward = lambda x: torch._grouped_mm(x, net.experts, offs=torch.tensor([16, 32], dtype=torch.int32))
    with pytest.raises(archcalc.ModelError, match="16 bytes"):
        archcalc.analyze(net.eval(), (32, 6))
