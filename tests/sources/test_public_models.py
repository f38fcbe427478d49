"""Public models by name, with the libraries themselves: sizes as their authors publish them."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import archcalc
from tests.support.torchvision_ops import import_torchvision

pytestmark = pytest.mark.oracle


def need(package: str) -> None:
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    if find_spec("torchvision") is not None:
        import_torchvision()  # which the others import where it is there


def built(report: archcalc.Report) -> int:
    """All parameters, those of heads that only run in training as well."""
    return report.params + sum(report.uncalled.values())


@pytest.mark.parametrize(
    "name", "alexnet densenet121 efficientnet_b0 inception_v3 mobilenet_v3_large resnet50 vit_b_16 swin_t".split()
)
def test_torchvision_publishes_the_same_size_and_cost(name: str) -> None:
    """Its weights say for how many parameters and billions of multiply-adds they are."""
    meta = import_torchvision().models.get_model_weights(name).DEFAULT.meta
    report = archcalc.analyze(f"torchvision/{name}")
    assert built(report) == meta["num_params"]
    assert report.macs is not None
    assert report.macs / 1e9 == pytest.approx(meta["_ops"], rel=0.01)


@pytest.mark.parametrize(
    ("name", "size"),
    [("fcn_resnet50?aux_loss=True", (1, 3, 520, 520)), ("r3d_18", (1, 3, 16, 112, 112)), ("raft_small", None)],
)
def test_torchvision_beyond_images(name: str, size: tuple[int, ...] | None) -> None:
    weights = import_torchvision().models.get_model_weights(name.partition("?")[0]).DEFAULT
    report = archcalc.analyze(f"torchvision/{name}")
    assert report.complete
    assert size is None or report.input_shapes == (size,)
    assert built(report) == weights.meta["num_params"]


@pytest.mark.parametrize("name", ["resnet50.a1_in1k", "vit_small_patch16_224", "convnext_tiny", "mixer_b16_224"])
def test_timm_builds_the_same(name: str) -> None:
    need("timm")
    import timm

    model = timm.create_model(name, pretrained=False)
    report = archcalc.analyze(f"timm/{name}")
    assert report.params == sum(parameter.numel() for parameter in model.parameters())
    assert report.input_shapes == ((1, *model.pretrained_cfg["input_size"]),)


def test_timm_at_another_size() -> None:
    need("timm")
    assert archcalc.analyze("timm/vit_small_patch16_224?img_size=384").input_shapes == ((1, 3, 384, 384),)


LLAMA = {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32}
LLAMA |= {"num_key_value_heads": 8, "vocab_size": 128256, "max_position_embeddings": 8192}
TRANSFORMERS: dict[str, tuple[dict[str, Any], int, tuple[int, ...]]] = {
    "GPT2LMHeadModel": ({"model_type": "gpt2"}, 124_439_808, (1, 1024)),
    "LlamaForCausalLM": ({"model_type": "llama"} | LLAMA, 8_030_261_248, (1, 2048)),
    "ViTModel": ({"model_type": "vit"}, 86_389_248, (1, 3, 224, 224)),
    "WhisperForConditionalGeneration": ({"model_type": "whisper"}, 37_760_640, (1, 80, 3000)),
    "CLIPModel": ({"model_type": "clip"}, 151_277_313, (1, 77)),
}
"""A configuration, its model's parameters, as their model cards show them, and the shape of its first input."""


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_transformers_from_a_configuration(name: str, tmp_path: Path) -> None:
    need("transformers")
    fields, params, shape = TRANSFORMERS[name]
    (tmp_path / "config.json").write_text(json.dumps(fields | {"architectures": [name]}))
    report = archcalc.analyze(f"hf/{tmp_path}")
    assert report.params == params
    assert report.input_shapes[0] == shape
    assert report.complete
    assert report.notes == ()


BLOCKS: dict[str, Any] = {"block_out_channels": [320, 640, 1280, 1280]}
BLOCKS["down_block_types"] = ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"]
BLOCKS["up_block_types"] = ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3
DIFFUSERS: dict[str, tuple[dict[str, Any], int]] = {
    "UNet2DConditionModel": ({"sample_size": 64, "cross_attention_dim": 768} | BLOCKS, 859_520_964),
    "FluxTransformer2DModel": ({"guidance_embeds": True}, 11_901_408_320),
}
"""Stable Diffusion 1.5's network and Flux.1's, with their parameters, 860M and 12B."""


@pytest.mark.parametrize("name", DIFFUSERS)
def test_diffusers_from_a_configuration(name: str, tmp_path: Path) -> None:
    need("diffusers")
    fields, params = DIFFUSERS[name]
    (tmp_path / "config.json").write_text(json.dumps(fields | {"_class_name": name}))
    report = archcalc.analyze(f"diffusers/{tmp_path}")
    assert report.params == params
    assert report.complete
