"""Depth: a network has as many weight layers, however its attention is written."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import archcalc

TOKENS, WIDTH, HEADS = 5, 8, 2


class ByTorch(nn.Module):
    """Self-attention in one call."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.attention(x, x, x, need_weights=False)[0]
        return mixed


class ByHand(nn.Module):
    """The same written out: one projection in, one out."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        batch = x.shape[0]
        query, key, value = (
            part.view(batch, TOKENS, HEADS, WIDTH // HEADS).transpose(1, 2) for part in self.project(x).chunk(3, -1)
        )
        scores = query @ key.transpose(-2, -1) / (WIDTH // HEADS) ** 0.5
        mixed = torch.softmax(scores, -1) @ value
        result: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, TOKENS, WIDTH))
        return result


def test_attention_in_one_call_is_as_deep_as_the_same_written_out() -> None:
    for times in (1, 3):  # a projection in and one out each
        one_call, by_hand = (
            archcalc.analyze(nn.Sequential(*(block() for _ in range(times))), (1, TOKENS, WIDTH))
            for block in (ByTorch, ByHand)
        )
        assert (one_call.params, one_call.macs) == (by_hand.params, by_hand.macs)
        assert one_call.depth == by_hand.depth == 2 * times


def test_an_encoder_layer_has_its_attention_and_its_two_linear_layers() -> None:
    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 2 * WIDTH, batch_first=True)
    assert archcalc.analyze(layer, (1, TOKENS, WIDTH)).depth == 2 + 2
