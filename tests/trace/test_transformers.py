"""Language models of the library transformers, with masks: all of them without real weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import archcalc

transformers = pytest.importorskip("transformers")

SMALL = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128}
IDS = torch.arange(64).reshape(2, 32) + 3
MASK = torch.ones(2, 32, dtype=torch.int64)
TEXT = {"input_ids": IDS, "attention_mask": MASK}
MODELS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "bert": (SMALL, TEXT),
    "big_bird": (SMALL | {"block_size": 8}, TEXT),
    "deberta": (SMALL, TEXT),
    "deberta-v2": (SMALL, TEXT),
    "encodec": (
        {"num_filters": 8, "hidden_size": 32, "codebook_dim": 32, "codebook_size": 64},
        {"input_values": torch.ones(1, 1, 2400), "padding_mask": torch.ones(1, 1, 2400, dtype=torch.int64)},
    ),
    "layoutlm": (SMALL, TEXT | {"bbox": torch.zeros(2, 32, 4, dtype=torch.int64)}),
    "llama": (SMALL, TEXT),
    "longformer": (SMALL | {"attention_window": [16, 16]}, TEXT),
    "mistral": (SMALL | {"num_key_value_heads": 2}, TEXT),
    "mixtral": (SMALL | {"num_key_value_heads": 2, "num_local_experts": 4}, TEXT),
    "nystromformer": (SMALL | {"segment_means_seq_len": 32, "num_landmarks": 8}, TEXT),
    "t5": ({"d_model": 64, "d_ff": 128, "num_layers": 2, "num_heads": 4}, TEXT | {"decoder_input_ids": IDS[:, :8]}),
    "vilt": (
        SMALL | {"image_size": 32, "patch_size": 8},
        TEXT | {"pixel_values": torch.ones(2, 3, 32, 32), "pixel_mask": torch.ones(2, 32, 32, dtype=torch.int64)},
    ),
    "whisper": (
        {"d_model": 64, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 4}
        | {"decoder_attention_heads": 4},
        {"input_features": torch.ones(1, 80, 3000), "decoder_input_ids": IDS[:1, :8]},
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_masks_are_read_without_real_weights(name: str) -> None:
    settings, inputs = MODELS[name]
    net = transformers.AutoModel.from_config(transformers.CONFIG_MAPPING[name](**settings))
    report = archcalc.analyze(net, transformers.BatchEncoding(inputs))
    assert report.notes == ()
    assert report.complete


def test_llama_of_eight_billion_weights_with_a_mask() -> None:
    config = transformers.LlamaConfig(
        hidden_size=4096,
        intermediate_size=14336,
        num_hidden_layers=32,
        num_attention_heads=32,
        num_key_value_heads=8,
        vocab_size=128256,
    )
    with torch.device("meta"):
        net = transformers.AutoModelForCausalLM.from_config(config)
    report = archcalc.analyze(net, {"input_ids": IDS[:1], "attention_mask": MASK[:1]})
    block = 2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336  # queries and output, keys and values, the MLP
    weights = 32 * block + 4096 * 128256
    assert report.total("params") == weights + 4096 * 128256 + (2 * 32 + 1) * 4096  # the embedding, norms
    rotations = sum(row.macs or 0 for row in report.rows if row.path.endswith("rotary_emb"))
    assert (report.total("macs") or 0) - rotations == 32 * weights + 32 * 2 * 32 * 32 * 4096  # and scores times values
    assert report.notes == ()
