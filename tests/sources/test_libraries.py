"""Models of libraries by name, on small stand-ins for the libraries: what is built, on what, and what is refused."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import archcalc
from archcalc.cli.options import complete_model
from archcalc.sources import libraries
from archcalc.sources.trust import vet
from archcalc.values.errors import ModelError, UsageError
from tests.cli.test_cli import run

NETS = """
from torch import nn
class Net(nn.Module):
    def __init__(self, width=4, channels=3):
        super().__init__()
        self.conv = nn.Conv2d(channels, width, 3)
    def forward(self, x):
        return self.conv(x)
"""
TIMM = """
from .models import tiny
__version__ = "0.1"
def is_model(name): return name.partition(".")[0] == "tiny"
def list_models(): return ["tiny"]
def create_model(name, pretrained, **settings):
    assert not pretrained
    return tiny(**settings)
"""
TIMM_MODELS = f"""{NETS}
def register_model(function): return function

@register_model
def tiny(in_chans=3, **settings):
    settings.pop("img_size", None)
    net = Net(channels=in_chans, **settings)
    net.pretrained_cfg = {{"input_size": (3, 8, 10)}}
    return net
"""
TORCHVISION_MODELS = f"""{NETS}
from enum import Enum
from functools import partial
from types import SimpleNamespace
def register_model(name=None): return lambda function: function
def list_models(): return ["tiny", "clip"]
def get_model_builder(name): return {{"tiny": tiny, "clip": clip}}[name]
def get_model_weights(name): return Weights if name == "tiny" else VideoWeights

class Weights(Enum):
    OLD = SimpleNamespace(transforms=partial(print, crop_size=6), meta={{}})
    NEW = SimpleNamespace(transforms=partial(print, crop_size=8), meta={{}})
    transforms = property(lambda self: self.value.transforms)
    meta = property(lambda self: self.value.meta)

class VideoWeights(Enum):
    __module__ = "torchvision.models.video.clip"
    NEW = SimpleNamespace(transforms=partial(print, crop_size=(8, 9)), meta={{"min_temporal_size": 5}})
    transforms = property(lambda self: self.value.transforms)
    meta = property(lambda self: self.value.meta)

@register_model(name="tiny")
def other(*, weights=None, **settings): pass

def tiny(*, weights="downloads", weights_backbone="downloads", **settings):
    assert weights is None and weights_backbone is None
    settings.pop("image_size", None)
    return Net(**settings)

@register_model()
def clip(*, weights=None, **settings): return nn.Conv3d(3, 2, 3)
"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path with small packages timm and torchvision."""
    texts = {
        "timm/__init__.py": TIMM,
        "timm/models/__init__.py": TIMM_MODELS,
        "torchvision/__init__.py": "from . import models\n__version__ = '0.2'\n",
        "torchvision/models/__init__.py": TORCHVISION_MODELS,
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for name in [*sys.modules]:
        if name.partition(".")[0] in ("timm", "torchvision"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    yielded = {*sys.modules}
    monkeypatch.setattr(libraries, "_registered", libraries._registered.__wrapped__)
    yield tmp_path
    for name in {*sys.modules} - yielded:
        if name.partition(".")[0] in ("timm", "torchvision"):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("name", "settings", "shape", "macs"),
    [
        ("timm/tiny", {}, (1, 3, 8, 10), 4 * 6 * 8 * 27),
        ("timm/tiny.tag", {}, (1, 3, 8, 10), 4 * 6 * 8 * 27),
        ("timm/tiny?in_chans=1&img_size=6", {}, (1, 1, 6, 6), 4 * 4 * 4 * 9),
        ("timm/tiny", {"img_size": (6, 7)}, (1, 3, 6, 7), 4 * 4 * 5 * 27),
        ("torchvision/tiny?width=2", {}, (1, 3, 8, 8), 2 * 6 * 6 * 27),
        ("torchvision/tiny?image_size=6", {}, (1, 3, 6, 6), 4 * 4 * 4 * 27),
        ("torchvision/clip", {}, (1, 3, 5, 8, 9), 2 * 3 * 6 * 7 * 81),
    ],
)
@pytest.mark.usefixtures("packages")
def test_a_library_brings_the_input_of_its_model(
    name: str, settings: dict[str, Any], shape: tuple[int, ...], macs: int
) -> None:
    report = archcalc.analyze(name, **settings)
    assert report.input_shapes == (shape,)
    assert report.macs == macs
    assert archcalc.analyze(name, batch_size=2, **settings).macs == 2 * macs


@pytest.mark.usefixtures("packages")
def test_a_size_of_ones_own_goes_before_the_librarys() -> None:
    assert archcalc.analyze("timm/tiny", (3, 5, 5)).macs == 4 * 3 * 3 * 27
    assert archcalc.analyze("torchvision/clip", (3, 3, 3, 3)).macs == 2 * 81
    assert archcalc.analyze("torchvision/clip", (2, 3, 3, 3, 3)).macs == 2 * 2 * 81


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("table tiny", "it is installed as timm/tiny and as torchvision/tiny"),
        ("table timm/tine", "unknown model of timm 'tine': did you mean tiny?"),
        ("table torchvision/tine", "unknown model of torchvision 'tine': did you mean tiny?"),
        ("table timm/tiny?pretrained=True", "no weights are loaded: leave out pretrained"),
        ("table torchvision/tiny?weights=DEFAULT", "no weights are loaded: leave out weights"),
        ("table timm/tiny?depth=2", "unexpected keyword argument 'depth'"),
        ("table torchvision/tiny --set depth=2", "unexpected keyword argument 'depth'"),
        ("table timm/", "names no model; write timm/resnet50"),
        ("table timm/tiny --tokens 8", "--tokens is for hf/ and diffusers/ models"),
    ],
)
@pytest.mark.usefixtures("packages")
def test_what_a_library_does_not_have(command: str, reason: str) -> None:
    done = run(*command.split())
    assert done.exit_code == 2, done.output
    assert reason in done.stderr


def test_names_are_completed_without_running_the_library(packages: Path) -> None:
    (packages / "timm" / "__init__.py").write_text("raise SystemExit")
    assert complete_model("timm/t") == ["timm/tiny"]
    assert complete_model("torchvision/") == ["torchvision/clip", "torchvision/tiny"]
    assert complete_model("ti") == ["timm/"]
    assert "resnet50" in complete_model("resnet")


def test_a_library_that_is_not_installed_or_broken(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(libraries.LIBRARIES, "hf", libraries.Library("nowhere", ""))
    with pytest.raises(UsageError, match=r"hf/ needs nowhere, which is not installed: pip install nowhere"):
        archcalc.analyze("hf/bert")
    (packages / "timm" / "__init__.py").write_text("raise RuntimeError('no op')")
    with pytest.raises(ModelError, match="timm/tiny: timm cannot be imported: RuntimeError: no op"):
        archcalc.analyze("timm/tiny")


@pytest.mark.parametrize("target", ["timm/tiny", "A=torchvision/tiny", "hf/bert", "diffusers/a/config.json", "a.pt2"])
def test_a_file_of_claims_may_not_name_a_librarys_model(target: str) -> None:
    with pytest.raises(UsageError, match="neither a network of the zoo nor in a Python file"):
        vet(target, {}, [Path()])
