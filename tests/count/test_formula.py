"""Formulas that a user registers for ops of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archcalc
from archcalc.ops import user_formulas
from tests.cli.test_cli import run
from tests.trace.test_trace import Of


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_formulas, "USER_FORMULAS", {})


@torch.library.custom_op("archcalc_test::scan", mutates_args=())
def scan(x: Tensor, state: Tensor, times: int = 1) -> Tensor:
    return x.clone()


scan.register_fake(lambda x, state, times=1: torch.empty_like(x))

LIBRARY = torch.library.Library("archcalc_test", "FRAGMENT")
LIBRARY.define("scan_twice(Tensor x, Tensor state) -> Tensor")
LIBRARY.impl("scan_twice", lambda x, s: torch.ops.archcalc_test.scan(scan(x, s), s), "CompositeImplicitAutograd")


def net(forward: Any) -> nn.Module:
    return Of(forward, inner=nn.Linear(4, 3))


def scans() -> nn.Module:
    return net(lambda s, x: scan(x, s.inner.weight) + scan(x, s.inner.weight, times=5) * 2)


def test_an_op_of_ones_own_is_unknown_until_it_has_a_formula() -> None:
    assert archcalc.analyze(scans(), (2, 4)).unknown == (
        "archcalc_test::scan: archcalc_test.scan",
        "archcalc_test::scan_2: archcalc_test.scan",
    )

    @archcalc.formula("archcalc_test::scan")
    def macs(out: archcalc.TensorSpec, x: archcalc.TensorSpec, state: archcalc.TensorSpec, times: int = 1) -> int:
        assert out.shape == x.shape
        return x.numel * state.shape[0] * times

    found = archcalc.analyze(scans(), (2, 4))
    assert found.complete
    assert [row.macs for row in found.rows if row.kind == "archcalc_test.scan"] == [2 * 4 * 3, 2 * 4 * 3 * 5]
    assert found.depth == 1  # it has a weight
    assert macs(found_spec(2, 4), found_spec(2, 4), found_spec(3, 4)) == 24  # the function is as it was


def found_spec(*shape: int) -> archcalc.TensorSpec:
    return archcalc.TensorSpec(shape, "float32")


def test_it_is_found_beneath_other_calls_too() -> None:
    archcalc.formula("archcalc_test::scan")(lambda out, x, state, times=1: out.numel)
    found = archcalc.analyze(net(lambda s, x: torch.ops.archcalc_test.scan_twice(x, s.inner.weight)), (2, 4))
    assert (found.total("macs"), found.complete) == (2 * (2 * 4), True)


def test_a_torch_op_that_has_none_can_have_one() -> None:
    # a transform of n points as log2 n rounds of n/2 butterflies
    archcalc.formula("aten::_fft_c2c")(lambda out, x, *rest: x.numel // 2 * (x.shape[-1].bit_length() - 1))
    found = archcalc.analyze(Of(lambda s, x: torch.fft.fft(torch.complex(x, x)).abs()), (3, 8))
    assert (found.total("macs"), found.complete) == (3 * (8 // 2) * 3, True)


def test_what_it_costs_backward_stays_unknown() -> None:
    archcalc.formula("archcalc_test::scan")(lambda out, *rest, **named: out.numel)
    found = archcalc.analyze(scans(), (2, 4), backward=True)
    assert [row.backward_macs for row in found.rows if row.macs] == [None, None]
    assert "lower bound" in found.notes[0]


def test_it_can_say_that_there_is_nothing_to_count() -> None:
    archcalc.formula("archcalc_test::scan")(lambda out, *rest, **named: 0)
    found = archcalc.analyze(scans(), (2, 4))
    assert (found.total("macs"), found.complete, found.rows[0].free) == (
        0,
        True,
        "none by the formula for archcalc_test.scan",
    )


@pytest.mark.parametrize("op", ["archcalc_test::scan", "archcalc_test.scan", "linear", "relu"])
def test_a_second_formula_is_refused(op: str) -> None:
    archcalc.formula("archcalc_test::scan")(lambda out, *rest: 1)
    with pytest.raises(ValueError, match=r"a formula for .* already"):
        archcalc.formula(op)(lambda out, *rest: 2)


@pytest.mark.parametrize(
    "wrong", [lambda out, x: 1, lambda *every: 1.5, lambda *every, times=0: -1, lambda *every: None]
)
def test_a_formula_that_fails_is_named(wrong: Any) -> None:
    archcalc.formula("archcalc_test::scan")(wrong)
    with pytest.raises(archcalc.UsageError, match=r"the formula for archcalc_test.scan"):
        archcalc.analyze(scans(), (2, 4))


def test_it_needs_the_name_of_an_op() -> None:
    with pytest.raises(archcalc.UsageError, match="name the op"):
        archcalc.formula(lambda out: 1)  # type: ignore[arg-type]
    with pytest.raises(archcalc.UsageError, match="name the op"):
        archcalc.formula()


def test_in_a_file_beside_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(
        "import archcalc, torch\nfrom torch import nn\n"
        "@archcalc.formula('archcalc_test::scan')\ndef macs(out, x, state): return 7\n"
        "class Net(nn.Module):\n    def forward(self, x): return torch.ops.archcalc_test.scan(x, x)\n"
    )
    once = run("table", "net.py:Net", "-i", "4", "--strict", "-f", "csv")
    assert (once.exit_code, ",7," in once.stdout) == (0, True)
    assert run("compare", "net.py:Net", "net.py:Net", "-i", "4", "--strict").exit_code == 0  # the file runs twice
    assert (
        "7 multiply-adds by the formula for archcalc_test.scan"
        in run("explain", "net.py:Net", "archcalc_test::scan", "-i", "4").stdout
    )
