"""Shows: what training holds in memory by part, and the largest batch that fits into 1 GiB."""

from bisect import bisect_right

from torch import nn

import archcalc

net = nn.Sequential(
    nn.Conv2d(3, 64, 3, padding=1),
    nn.ReLU(),
    nn.Conv2d(64, 64, 3, padding=1),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(64, 10),
)


def budget(batch: int) -> archcalc.Budget:
    """What the network holds at that batch; nothing is allocated to find out."""
    return archcalc.memory(net, (3, 64, 64), batch_size=batch, optimizer="adam")


at_32 = budget(32)
for part in ("weights", "gradients", "optimizer_state", "input", "saved", "training_total"):
    print(f"{part:<16} {getattr(at_32, part):>12,} bytes")
print(f"the peak of a training step is at layer {at_32.training.path}")

largest = bisect_right(range(1, 4096), 2**30, key=lambda batch: budget(batch).training_total)
print(f"1 GiB is enough for a batch of {largest}")
