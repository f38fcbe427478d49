"""What a part of a diffusion pipeline is given: noise, a time step and a prompt, of the sizes of its configuration."""

from __future__ import annotations

import inspect
from typing import Any

from archcalc.sources.subject import OwnInputs
from archcalc.values.errors import UsageError
from archcalc.values.input_size import Typed

PATCHES = 64
"""Patches along a side of the noise of a model that takes them in a row: an image of 1024 × 1024 pixels."""
NOISE_SIZE = 64
"""Height and width of the noise, where the configuration gives none."""
FRAMES = 14
"""Frames of a video, where the configuration gives none."""


class _Inputs:
    """An argument a method, named as the argument of `forward`; None for one that is left out."""

    def __init__(self, module: Any, batch: int, tokens: int | None) -> None:
        self.config = module.config
        self.batch = batch
        self.in_a_row = bool(self.get("axes_dims_rope"))
        self.tokens = tokens or self._prompt()

    def get(self, *keys: str) -> Any:
        """The first of these fields that the configuration has a value for."""
        return next((value for key in keys if (value := self.config.get(key)) is not None), None)

    def _prompt(self) -> int:
        """Tokens of a prompt: of CLIP, of T5 as Flux and PixArt use it, or of both."""
        if self.in_a_row:
            return 512
        if self.get("caption_channels"):
            return 300
        return 77 + 256 if self.get("joint_attention_dim") else 77

    def _noise(self) -> Any:
        channels, size = self.get("in_channels"), self.get("sample_size") or NOISE_SIZE
        sides = (size, size) if isinstance(size, int) else tuple(size)
        return (self.batch, channels, *sides)

    def sample(self) -> Any:
        """The noise, or the image that an autoencoder takes; with frames where the model is one of videos."""
        shape = self._noise()
        if not self.get("num_frames"):
            return shape
        return (shape[0], self.get("num_frames"), *shape[1:])

    def hidden_states(self) -> Any:
        """The noise, or its patches in a row."""
        return (self.batch, PATCHES**2, self.get("in_channels")) if self.in_a_row else self._noise()

    def timestep(self) -> Any:
        """One for each sample."""
        return Typed((self.batch,), "int64")

    def encoder_hidden_states(self) -> Any:
        """A prompt that is encoded already."""
        width = self.get("joint_attention_dim", "caption_channels", "cross_attention_dim", "encoder_hid_dim")
        width = width[0] if isinstance(width, (list, tuple)) else width
        return None if width is None else (self.batch, self.tokens, width)

    def pooled_projections(self) -> Any:
        """The prompt as one vector."""
        width = self.get("pooled_projection_dim")
        return None if width is None else (self.batch, width)

    def class_labels(self) -> Any:
        """One for each sample, where the model has classes."""
        has_classes = self.get("num_class_embeds") or self.get("norm_type") == "ada_norm_zero"
        return Typed((self.batch,), "int64") if has_classes else None

    def img_ids(self) -> Any:
        """Places of the patches."""
        return (PATCHES**2, 3)

    def txt_ids(self) -> Any:
        """Places of the tokens."""
        return (self.tokens, 3)

    def guidance(self) -> Any:
        """One for each sample, where the model is given it."""
        return (self.batch,) if self.get("guidance_embeds") else None

    def added_time_ids(self) -> Any:
        """Frame rate, motion and noise of a video."""
        return (self.batch, 3)

    def added_cond_kwargs(self) -> Any:
        """The prompt as one vector and the sizes of the image, or the resolution alone."""
        if self.get("addition_embed_type") == "text_time":
            width = self.get("projection_class_embeddings_input_dim") - 6 * self.get("addition_time_embed_dim")
            return {"text_embeds": (self.batch, width), "time_ids": (self.batch, 6)}
        if self.get("caption_channels") and (self.get("use_additional_conditions") or self._noise()[-1] == 128):
            return {"resolution": (self.batch, 2), "aspect_ratio": (self.batch, 1)}
        return {"resolution": None, "aspect_ratio": None} if self.get("caption_channels") else None


def own_inputs(target: str, module: Any, tokens: int | None) -> OwnInputs:
    """The inputs of a forward pass, by name; UsageError that names an argument for which there is no size."""

    def inputs(batch_size: int | None) -> Any:
        made = _Inputs(module, batch_size or 1, tokens)
        given: dict[str, Any] = {}
        for name, parameter in inspect.signature(module.forward).parameters.items():
            value = getattr(made, name)() if hasattr(_Inputs, name) else None
            if value is not None:
                given[name] = value
            elif parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD:
                if hasattr(_Inputs, name):
                    given[name] = None
                    continue
                raise UsageError(f"{target} needs its inputs by name, such as -i {name}=1x...")
        return given

    return inputs
