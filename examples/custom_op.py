"""Shows: an op of your own is named as unknown until a formula says what it costs."""

import torch
from torch import Tensor, nn

import archcalc


@torch.library.custom_op("examples::decayed_sum", mutates_args=())
def decayed_sum(x: Tensor, decay: Tensor) -> Tensor:
    """Along the sequence, each state is the one before it times a matrix, plus the input."""
    state, states = torch.zeros_like(x[:, 0]), []
    for step in x.unbind(1):
        state = state @ decay + step
        states.append(state)
    return torch.stack(states, 1)


@decayed_sum.register_fake
def _(x: Tensor, decay: Tensor) -> Tensor:
    return torch.empty_like(x)


class Mixer(nn.Module):
    """A linear layer, then the op."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.project = nn.Linear(width, width)
        self.decay = nn.Parameter(torch.eye(width))

    def forward(self, x: Tensor) -> Tensor:
        """Batch x length x width to the same shape."""
        return decayed_sum(self.project(x), self.decay)


before = archcalc.analyze(Mixer(), (1, 100, 32))
print(f"at least {before.total('macs'):,} mult-adds; unknown: {', '.join(before.unknown)}")


@archcalc.formula("examples::decayed_sum")
def _cost(out: archcalc.TensorSpec, x: archcalc.TensorSpec, decay: archcalc.TensorSpec) -> int:
    return x.numel * decay.shape[-1]  # every element of every state is a sum over the width


after = archcalc.analyze(Mixer(), (1, 100, 32))
print(f"{after.total('macs'):,} mult-adds; complete: {after.complete}")
