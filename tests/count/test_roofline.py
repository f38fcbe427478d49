"""Least times on a device: derived by hand from the bytes and multiply-adds of small nets."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import archcalc
from archcalc.count.devices import device, devices
from archcalc.count.roofline import roofline, with_roofline
from archcalc.values.device import ELEMENT_BYTES, Device
from archcalc.values.errors import UsageError
from tests.cli.test_cli import rows, run

SLOW = Device("slow", flops_per_second=1e3, bytes_per_second=1e6, dtype="bf16")
"""Arithmetic is what bounds every call that does any."""


def test_resnet50_on_an_a100_moves_bfloat16() -> None:
    """The bytes by hand: half of float32's; 13 convolutions do more than 153 FLOPs a byte then, and 4 did before."""
    report = archcalc.analyze("resnet50")
    a100 = device("a100-bf16")
    placed = with_roofline(report, a100)
    by_hand = sum(max(2 * (row.macs or 0) / 312e12, row.bytes_moved / 2 / 2.039e12) for row in report.rows)
    assert sum(row.least_seconds or 0 for row in placed.rows) == pytest.approx(by_hand, rel=1e-12)
    assert [row.bytes_moved for row in placed.rows] == [row.bytes_moved / 2 for row in report.rows]
    intense = [row for row in report.rows if row.bytes_moved and 4 * (row.macs or 0) / row.bytes_moved > a100.ridge]
    assert [row.path for row in placed.rows if row.bound == "arithmetic"] == [row.path for row in intense]


def test_a_line_of_float32_moves_what_was_traced() -> None:
    report = archcalc.analyze("alexnet")
    placed = with_roofline(report, device("a100-fp32"))
    assert [row.bytes_moved for row in placed.rows] == [row.bytes_moved for row in report.rows]


class Ids(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(10, 4)

    def forward(self, ids: Tensor) -> Tensor:
        return self.table(ids)


def test_ids_keep_their_bytes() -> None:
    report = archcalc.analyze(Ids(), lambda: torch.zeros(1, 6, dtype=torch.int64))
    (row,) = with_roofline(report, SLOW).rows
    assert row.read_bytes == 8 * 6 + 2 * 10 * 4
    assert row.written_bytes == 2 * 6 * 4


def test_a_network_in_half_precision_on_a_line_of_float32() -> None:
    report = archcalc.analyze(nn.Linear(4, 3).bfloat16(), lambda: torch.zeros(2, 4, dtype=torch.bfloat16))
    (row,) = with_roofline(report, Device("one", 1.0, 1.0, dtype="fp32")).rows
    assert row.bytes_moved == 4 * (2 * 4 + 4 * 3 + 3 + 2 * 3)


def test_a_device_without_a_dtype_leaves_the_bytes() -> None:
    report = archcalc.analyze(nn.Linear(4, 3).bfloat16(), lambda: torch.zeros(2, 4, dtype=torch.bfloat16))
    (row,) = with_roofline(report, Device("one", 1.0, 1.0)).rows
    assert row.bytes_moved == report.rows[0].bytes_moved == 2 * (2 * 4 + 4 * 3 + 3 + 2 * 3)


def test_a_step_is_forward_backward_and_update() -> None:
    report = archcalc.analyze(nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)), (5, 4), training=True, backward=True)
    first, second = with_roofline(report, Device("one", 2.0, 1e9, dtype="fp32"), "step").rows
    # the image needs no gradient: the first layer has one product behind it, the second two
    update = 5 * 4 / 1e9
    assert first.least_seconds == pytest.approx((1 + 1) * 5 * 4 * 3 + update * (4 * 3 + 3))
    assert second.least_seconds == pytest.approx((1 + 2) * 5 * 3 * 2 + update * (3 * 2 + 2))


def test_an_unknown_op_is_no_zero() -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.special.bessel_j0(torch.einsum("ij,kj->ik", x, x))

    report = archcalc.analyze(Net(), (3, 4))
    placed = with_roofline(report, SLOW)
    assert all((row.least_seconds or 0) > 0 for row in placed.rows)
    assert all(row.bound is None for row in placed.rows if row.unknown)


def test_a_folded_module_and_the_total_add_up() -> None:
    line = "table resnet18 --device h100-bf16 -f csv --columns"
    whole = rows(run(*line.split(), "path,least_ms"))
    folded = rows(run(*line.split(), "path,least_ms", "--depth", "1"))
    total = sum(float(row["least_ms"] or 0) for row in whole)
    assert sum(float(row["least_ms"] or 0) for row in folded) == pytest.approx(total, rel=1e-9)
    text = run(*"table resnet18 --device h100-bf16 --depth 1".split()).stdout
    assert f"{total:.4f}" in text.partition("total")[2].splitlines()[0]
    assert "bound by" in text  # also where the terminal has no room for other columns


def test_what_bounds_the_largest_rows_is_said() -> None:
    text = " ".join(run(*"table alexnet --device a100-fp32".split()).stdout.split())
    assert "bound by memory: weights are 100.0% of its bytes, and a larger batch shares them" in text
    assert "relu" not in text.partition("largest")[2].partition("params")[0]


def test_every_device_says_where_its_figures_stand() -> None:
    assert len(devices()) > 50
    for name, known in devices().items():
        assert known.source
        assert known.title
        assert known.memory
        assert known.dtype in ELEMENT_BYTES
        assert name == known.name == f"{name.rpartition('-')[0]}-{known.dtype}"


def test_narrower_numbers_are_never_slower() -> None:
    """A law of every data sheet: fewer bits, at least as many operations a second."""
    for name, known in devices().items():
        board = name.rpartition("-")[0]
        for other in devices().values():
            narrower = ELEMENT_BYTES[str(other.dtype)] < ELEMENT_BYTES[str(known.dtype)]
            if other.name.rpartition("-")[0] == board and narrower:
                assert other.flops_per_second >= known.flops_per_second


@pytest.mark.parametrize("name", ["rtx4090-bf16", "RTX 4090-bf16", "rtx_4090-BF16"])
def test_a_device_by_its_name_as_people_write_it(name: str) -> None:
    assert device(name) is devices()["rtx4090-bf16"]


def test_a_device_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text("[Edge]\nbytes_per_second = 1e9\nflops_per_second = { fp16 = 2e9 }\n")
    assert device(str(file)) == device(f"{file}:edge-fp16") == Device("edge-fp16", 2e9, 1e9, dtype="fp16")
    assert [row["name"] for row in rows(run("devices", str(file), "-f", "csv"))] == ["edge-fp16"]
    assert run("table", "lenet5", "--device", str(file)).exit_code == 0


WRONG = {
    "": "describes no device",
    "x = 1": "stands alone",
    "x": "not TOML",
    "[x]": "give bytes_per_second",
    "[x]\nbytes_per_second = 1e9\nflops_per_second = 1e9": "give bytes_per_second",
    "[x]\nbytes_per_second = 0\nflops_per_second = { fp16 = 1e9 }": "a number from 1 to",
    "[x]\nbytes_per_second = nan\nflops_per_second = { fp16 = 1e9 }": "a number from 1 to",
    "[x]\nbytes_per_second = 1e9\nflops_per_second = { fp16 = true }": "a number from 1 to",
    "[x]\nbytes_per_second = 1e9\nflops_per_second = { fp17 = 1e9 }": "fp16",
    "[x]\nbandwidth = 1e9": "bytes_per_second",
    "[x]\ntitle = 3": "must be text",
    "x = " + "[" * 3000: "not TOML",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_file_that_describes_no_device_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=WRONG[text]):
        device(str(file))
    assert run("table", "lenet5", "--device", str(file)).exit_code == 2


def test_wrong_names() -> None:
    with pytest.raises(UsageError, match=r"in which dtype does a100 compute.*a100-bf16"):
        device("a100")
    with pytest.raises(UsageError, match="rtx4090"):
        device("rtx4091-fp32")
    with pytest.raises(UsageError, match="cannot read"):
        device("nowhere.toml:x")
    with pytest.raises(UsageError, match="not both"):
        roofline("a100-bf16", 1.0, None)


def test_the_machine_at_hand_can_be_measured(tmp_path: Path) -> None:
    file = tmp_path / "this.toml"
    assert run("devices", "--measure", "--seconds", "0.01", "-o", str(file)).exit_code == 0
    assert device(f"{file}:this-machine-fp32").memory is None
