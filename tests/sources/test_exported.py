"""Archives of torch.export: the program, its modules, and the inputs that it was exported with."""

from __future__ import annotations

from pathlib import Path
from warnings import catch_warnings, simplefilter

import pytest
import torch
from torch import Tensor, nn

import archcalc
from archcalc.values.errors import ModelError, UsageError


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)).relu()


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.block, self.fc = Block(), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.block(x).mean((2, 3))
        return self.fc(torch.cat([x, -x], 1))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("exported") / "net.pt2"
    with catch_warnings():
        simplefilter("ignore", FutureWarning)  # torch warns of itself
        torch.export.save(torch.export.export(Net().eval(), (torch.rand(2, 3, 9, 9),)), file)
    return str(file)


def test_an_archive_is_counted_as_the_module_that_it_was_made_of(archive: str) -> None:
    report, original = archcalc.analyze(archive), archcalc.analyze(Net(), (2, 3, 9, 9))
    assert report.input_shapes == original.input_shapes == ((2, 3, 9, 9),)
    rows = [(row.path, row.kind, row.output_shape, row.window, row.params, row.macs) for row in report.rows]
    assert rows == [(row.path, row.kind, row.output_shape, row.window, row.params, row.macs) for row in original.rows]
    assert report.macs == 2 * (4 * 4 * 4 * (3 * 3 * 3) + 8 * 2)
    assert archcalc.memory(archive).to_dict()["weights"] == 4 * (4 * 27 + 4 + 8 + 8 * 2 + 2)


def test_what_an_archive_does_not_take(archive: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="takes no settings"):
        archcalc.analyze(archive, width=2)
    with pytest.raises(UsageError, match="leave out -b"):
        archcalc.analyze(archive, batch_size=3)
    (tmp_path / "bad.pt2").write_text("no archive")
    with pytest.raises(ModelError, match=r"bad.pt2 cannot be loaded by torch.export"):
        archcalc.analyze(str(tmp_path / "bad.pt2"))
