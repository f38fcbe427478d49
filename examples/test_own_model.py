"""Shows: a budget for a model of your own as an ordinary test. Run: pytest examples/test_own_model.py."""

from types import ModuleType

from torch import Tensor, nn


class Net(nn.Module):
    """One convolution and a linear layer on the mean of its maps."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, padding=1)
        self.fc = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        """A batch of images to a batch of ten scores."""
        return self.fc(self.conv(x).relu().mean((2, 3)))


def test_the_network_keeps_to_its_budget(archcalc: ModuleType) -> None:
    """`archcalc` is a fixture that the installed package brings along."""
    report = archcalc.analyze(Net(), (1, 3, 64, 64))
    assert report.complete, report.unknown  # every call was counted: the totals are no lower bounds
    assert report.total("params") <= 1_000
    assert report.total("macs") <= 2_000_000


def test_training_on_a_batch_of_64_fits_into_64_mib(archcalc: ModuleType) -> None:
    """Weights, gradients, optimizer state and what the forward pass keeps for the backward pass."""
    budget = archcalc.memory(Net(), (3, 64, 64), batch_size=64, optimizer="adam")
    assert budget.training_total <= 64 * 2**20
