"""Models from a configuration, on small stand-ins for transformers and diffusers: class, inputs, hub, errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import archcalc
from archcalc.values.errors import UsageError
from tests.cli.test_cli import run

TRANSFORMERS = """
from torch import nn
__version__ = "0.3"

class Config:
    attribute_map = {"width": "hidden_size"}
    def __init__(self, **fields):
        self.hidden_size, self.vocab_size, self.max_position_embeddings = 4, 10, 16
        self.architectures = None
        self.__dict__.update(fields)
        assert "auto_map" not in fields and "quantization_config" not in fields
    @classmethod
    def from_dict(cls, fields): return cls(**fields)
    def to_dict(self): return dict(vars(self))

class PreTrainedModel(nn.Module):
    main_input_name = "input_ids"
    @classmethod
    def _from_config(cls, config): return cls(config)

class Reader(PreTrainedModel):
    def __init__(self, config):
        super().__init__()
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.hidden_size, padding_idx=1)
        self.words = nn.Embedding(config.vocab_size, config.hidden_size)
        self.head = nn.Linear(config.hidden_size, config.vocab_size)
    def forward(self, input_ids=None, attention_mask=None):
        assert attention_mask.all() and int(input_ids[0, -1]) == 2 and int(input_ids[0, 0]) == 6
        return self.head(self.words(input_ids))

class Seer(PreTrainedModel):
    main_input_name = "pixel_values"
    def __init__(self, config):
        super().__init__()
        self.conv = nn.Conv2d(3, config.hidden_size, 2)
    def forward(self, pixel_values): return self.conv(pixel_values)

class Hearer(PreTrainedModel):
    main_input_name = "input_features"
    def __init__(self, config):
        super().__init__()
        self.conv = nn.Conv1d(config.num_mel_bins, config.hidden_size, 1)
    def forward(self, input_features): return self.conv(input_features)

class Odd(Seer):
    main_input_name = "states"

class AutoModel:
    _model_mapping = {Config: Reader}

CONFIG_MAPPING = {"small": Config}
"""
DIFFUSERS = """
from torch import nn
__version__ = "0.4"
class ModelMixin(nn.Module):
    @classmethod
    def from_config(cls, config):
        config.pop("_class_name")
        return cls(**config)

class Unet(ModelMixin):
    def __init__(self, sample_size=8, in_channels=4, cross_attention_dim=6):
        super().__init__()
        self.config = {"sample_size": sample_size, "in_channels": in_channels}
        self.config["cross_attention_dim"] = cross_attention_dim
        self.conv, self.mix = nn.Conv2d(in_channels, 2, 1), nn.Linear(cross_attention_dim, 2)
    def forward(self, sample, timestep, encoder_hidden_states, class_labels=None, return_dict=True):
        assert timestep.shape == sample.shape[:1]
        return self.conv(sample), self.mix(encoder_hidden_states)

class Other(ModelMixin):
    def __init__(self):
        super().__init__()
        self.config = {}
    def forward(self, latents): return latents
"""
HUB = """
class errors:
    class HfHubHTTPError(Exception): pass
    class HFValidationError(Exception): pass
cache, online = {}, {}
def try_to_load_from_cache(repository, file): return cache.get((repository, file))
def hf_hub_url(repository, file): return (repository, file)
def get_hf_file_metadata(url, timeout):
    if not online: raise ConnectionError("no route")
    if url not in online: raise errors.HfHubHTTPError("404 for you (Request ID: 7)")
def hf_hub_download(repository, file): return online[repository, file]
"""
SMALL = {"model_type": "small", "architectures": ["Reader"], "eos_token_id": 2, "pad_token_id": 5}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path with small packages transformers, diffusers and huggingface_hub, and no configuration."""
    names = ("transformers", "diffusers", "huggingface_hub")
    for name, text in zip(names, (TRANSFORMERS, DIFFUSERS, HUB), strict=True):
        (tmp_path / "packages").mkdir(exist_ok=True)
        (tmp_path / "packages" / f"{name}.py").write_text(text)
    for name in [*sys.modules]:
        if name.partition(".")[0] in names:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path / "packages")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in names:
        sys.modules.pop(name, None)


def write(**fields: Any) -> str:
    Path("small").mkdir(exist_ok=True)
    Path("small/config.json").write_text(json.dumps(fields))
    return "small"


def test_a_text_of_as_many_words_as_there_are_positions() -> None:
    name = f"hf/{write(**SMALL, auto_map={'a': 'b'}, quantization_config={'bits': 4})}"
    positions = 16 - 1 - 1  # those before and at the padding's are for no word
    report = archcalc.analyze(name)
    assert report.input_shapes == ((1, positions), (1, positions))
    assert report.macs == positions * 4 * 10
    assert report.notes == ()
    assert report.source == "transformers 0.3, Reader, not quantized"
    assert archcalc.analyze(f"{name}/config.json?tokens=3&width=8", batch_size=2).macs == 2 * 3 * 8 * 10


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ({"architectures": ["Seer"], "image_size": 6}, (1, 3, 6, 6)),
        ({"architectures": ["Seer"], "image_size": [6, 8]}, (1, 3, 6, 8)),
        ({"architectures": ["Seer"], "vision_config": None}, (1, 3, 224, 224)),
        ({"architectures": ["Seer"], "num_queries": 5}, (1, 3, 800, 800)),
        ({"architectures": ["Hearer"], "num_mel_bins": 3, "max_source_positions": 5}, (1, 3, 10)),
        ({"architectures": None}, (1, 14)),
    ],
)
def test_a_model_gets_what_it_reads(fields: dict[str, Any], shape: tuple[int, ...]) -> None:
    report = archcalc.analyze(f"hf/{write(**(SMALL | fields))}")
    assert report.input_shapes[0] == shape


def test_a_part_of_a_pipeline_gets_noise_and_a_prompt() -> None:
    name = f"diffusers/{write(_class_name='Unet')}"
    assert archcalc.analyze(name).macs == 8 * 8 * 4 * 2 + 77 * 6 * 2
    done = run("table", f"{name}?sample_size=4", "--tokens", "5", "-b", "2", "-f", "json")
    assert json.loads(done.stdout)["totals"]["macs"] == 2 * (4 * 4 * 4 * 2 + 5 * 6 * 2)


@pytest.mark.parametrize(
    ("prefix", "fields", "options", "reason"),
    [
        ("hf", SMALL, "--tokens 15", "has 14 positions, fewer than 15 tokens"),
        ("hf", SMALL, "--set hiden_size=2", "unknown field of Config 'hiden_size': did you mean hidden_size"),
        ("hf", SMALL | {"architectures": ["Path"]}, "", "has no class Path; choose one by the setting architectures"),
        ("hf", SMALL | {"architectures": ["Odd"]}, "", "needs an input size by name, such as -i states=1x..."),
        ("hf", {"model_type": "new"}, "", "no model type 'new'; code that a model brings with it is not run"),
        ("hf", {"model_type": ["small"]}, "", "no model type ['small']"),
        ("hf", SMALL | {"architectures": 5}, "", "has no class 5"),
        ("hf", SMALL | {"architectures": ["Seer"], "image_size": 2.5}, "", "no input follows from the configuration"),
        ("diffusers", {"_class_name": "Unet", "sample_size": 2.5}, "", "no input follows from the configuration"),
        ("hf", {"_class_name": "Unet"}, "", "write diffusers/ for hf/"),
        ("diffusers", SMALL, "", "write hf/ for diffusers/"),
        ("diffusers", {"_class_name": "nn"}, "", "has no model nn"),
        ("diffusers", {"_class_name": "Pipe", "scheduler": []}, "", "the config.json of one of its parts"),
        ("diffusers", {"_class_name": "Other"}, "", "such as -i latents=1x..."),
        ("diffusers", {"_class_name": "Unet"}, "--set size=2", "unknown field of Unet 'size'"),
    ],
)
def test_what_a_configuration_does_not_allow(prefix: str, fields: dict[str, Any], options: str, reason: str) -> None:
    done = run("table", f"{prefix}/{write(**fields)}", *options.split())
    assert done.exit_code == 2, done.output
    assert reason in done.stderr


@pytest.mark.parametrize(("text", "reason"), [("[]", "no configuration of a model"), ("{", "is not JSON")])
def test_a_file_that_is_no_configuration(text: str, reason: str) -> None:
    write()
    Path("small/config.json").write_text(text)
    with pytest.raises(UsageError, match=reason):
        archcalc.analyze("hf/small")


def test_a_name_on_the_hub() -> None:
    file = f"{write(**SMALL)}/config.json"
    with pytest.raises(UsageError, match=r"there is no file a/config.json; write hf/path/to/config.json"):
        archcalc.analyze("hf/a/config.json")
    Path("empty").mkdir()
    with pytest.raises(UsageError, match=r"there is no config\.json in empty"):
        archcalc.analyze("hf/empty")
    with pytest.raises(UsageError, match=r"the hub cannot be reached: download its config.json .* hf/path/to"):
        archcalc.analyze("hf/org/net")
    hub: Any = sys.modules["huggingface_hub"]
    hub.online["org/net", "config.json"] = file
    assert archcalc.analyze("hf/org/net").macs
    with pytest.raises(UsageError, match=r"the hub has no unet/config.json of org/net for you: 404 for you$"):
        archcalc.analyze("diffusers/org/net/unet")
    hub.online.clear()
    hub.cache["org/net", "config.json"] = file
    assert archcalc.analyze("hf/org/net").macs
