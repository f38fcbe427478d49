"""What a model of the library transformers is given: text, images or speech, of its configuration's sizes."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn

from archcalc.sources.subject import OwnInputs
from archcalc.values.errors import UsageError
from archcalc.values.trace import Shape

TOKENS = 2048
"""Length of a text, where the model has as many positions."""
IMAGE_SIZE = 224
"""Height and width of an image, where the configuration gives none."""
DETECTION_SIZE = 800
"""The same for a model that looks for objects."""
SAMPLING_RATE = 16_000
"""Samples of speech, one second of them, where the configuration gives no rate."""

_POSITIONS = ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "max_target_positions")


def own_inputs(target: str, module: Any, config: Any, tokens: Any) -> OwnInputs:
    """The inputs of a forward pass, by name; UsageError for a number of tokens that the model has no positions for."""
    text = _text(config)
    accepted = set(inspect.signature(module.forward).parameters)
    main = module.main_input_name if isinstance(module.main_input_name, str) else module.main_input_name[0]

    def inputs(batch_size: int | None) -> Any:
        batch, length = batch_size or 1, _length(target, module, text, tokens)
        if main == "input_ids":
            given = _read(text, batch, length, accepted)
            if "pixel_values" in accepted and _has_towers(config):
                given["pixel_values"] = (batch, *_image(config))
        else:
            shape = _SHAPES[main](config) if main in _SHAPES else None
            if shape is None:
                raise UsageError(f"{target} needs an input size by name, such as -i {main}=1x...")
            given = {main: (batch, *shape)}
            if "input_ids" in accepted and _has_towers(config):
                given |= _read(text, batch, length, accepted)
        if "decoder_input_ids" in accepted and getattr(config, "is_encoder_decoder", False):
            given["decoder_input_ids"] = _words(text, batch, length)
        return given

    return inputs


def _words(text: Any, batch: int, length: int) -> Tensor:
    """A text of one ordinary word, again and again, and the mark of the end: no padding, no place for an image."""
    marks = {value for key, value in vars(text).items() if key.endswith(("_token_id", "_token_index"))}
    size = getattr(text, "vocab_size", None) or 2
    word = next((word for word in range(size // 2, size) if word not in marks), 0)
    words = torch.full((batch, length), word)
    end = getattr(text, "eos_token_id", None)
    if isinstance(end, int) and 0 <= end < size:
        words[:, -1] = end
    return words


def _read(text: Any, batch: int, length: int, accepted: set[str]) -> dict[str, Any]:
    """A text and a mask without padding."""
    given: dict[str, Any] = {"input_ids": _words(text, batch, length)}
    if "attention_mask" in accepted:
        given["attention_mask"] = torch.ones(batch, length, dtype=torch.int64)
    return given


def _length(target: str, module: nn.Module, text: Any, tokens: Any) -> int:
    """The number of tokens asked for, or TOKENS where the model has as many positions and else all of these."""
    limits = [value for key in _POSITIONS if isinstance(value := getattr(text, key, None), int) and value > 0]
    for name, table in module.named_modules():
        # tables with a row for padding count positions from the one behind it
        if "position" in name and isinstance(table, nn.Embedding) and table.padding_idx is not None:
            limits.append(table.num_embeddings - table.padding_idx - 1)
    limit = min(limits, default=None)
    if tokens is None:
        return TOKENS if limit is None else min(TOKENS, limit)
    if not isinstance(tokens, int) or isinstance(tokens, bool) or tokens < 1:
        raise UsageError(f"a text has at least one token, not {tokens!r}")
    if limit is not None and tokens > limit:
        raise UsageError(f"{target} has {limit:,} positions, fewer than {tokens:,} tokens")
    return tokens


def _text(config: Any) -> Any:
    """The part of the configuration that is about text."""
    return getattr(config, "text_config", None) or config


def _has_towers(config: Any) -> bool:
    """Whether image and text go into towers of their own, and no image stands among the words."""
    among = ("image_token_id", "image_token_index")
    return hasattr(config, "vision_config") and not any(hasattr(config, key) for key in among)


def _image(config: Any) -> Shape:
    """Channels, height and width of an image, behind the frames of a video."""
    vision = getattr(config, "vision_config", None) or config
    size = getattr(vision, "image_size", None) or getattr(vision, "img_size", None)
    if size is None:
        size = DETECTION_SIZE if hasattr(config, "num_queries") else IMAGE_SIZE
    if isinstance(size, dict):
        size = (size.get("height", IMAGE_SIZE), size.get("width", IMAGE_SIZE))
    sides = (size, size) if isinstance(size, int) else tuple(size)
    shape = (getattr(vision, "num_channels", None) or getattr(vision, "in_channels", None) or 3, *sides)
    frames = getattr(vision, "num_frames", None) or getattr(vision, "frames_per_clip", None)
    return (frames, *shape) if isinstance(frames, int) else shape


def _features(config: Any) -> Shape | None:
    """Frames of a spectrogram: bins by frames, or frames by bins for what takes its features one behind the other."""
    frames, bins = getattr(config, "max_source_positions", None), getattr(config, "num_mel_bins", None)
    if frames and bins:
        return (bins, 2 * frames)  # two convolutions, the second of stride 2, come before the positions
    bins = getattr(config, "input_feat_per_channel", None)
    return (frames, bins * config.input_channels) if frames and bins else None


def _speech(config: Any) -> Shape:
    """A spectrogram for what takes one, or a second of sound."""
    if getattr(config, "num_mel_bins", None) and getattr(config, "max_length", None):
        return (config.max_length, config.num_mel_bins)
    samples = getattr(config, "sampling_rate", None) or SAMPLING_RATE
    channels = getattr(config, "audio_channels", None)
    return (channels, samples) if channels else (samples,)


_SHAPES = {
    "pixel_values": _image,
    "pixel_values_videos": _image,
    "input_features": _features,
    "input_values": _speech,
}
"""By the name of a model's main input: the shape of one sample."""
