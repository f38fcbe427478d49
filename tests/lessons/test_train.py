"""Training: the arithmetic, the random states, what is resumed, and what cannot be trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import archcalc
from archcalc.lessons.data import load
from archcalc.lessons.experiment import train
from archcalc.lessons.learner import learners
from archcalc.lessons.train import batches, error_on, loss_of, refresh_batch_norm, scores_of
from archcalc.values.errors import ModelError, UsageError
from archcalc.values.training import Recipe, Training
from tests.support.trained_nets import linear, normed

QUICK: dict[str, Any] = {"data": "synthetic", "steps": 2, "threads": 1}


LINEAR, NORMED = "tests.support.trained_nets:linear", "tests.support.trained_nets:normed"


def timeless(training: Training) -> Training:
    """Without what no two runs have in common."""
    return replace(training, runs=tuple(replace(run, seconds=1.0) for run in training.runs))


def test_steps_are_those_of_gradient_descent_with_momentum_written_out() -> None:
    """A linear classifier, whose gradient is (softmax - truth) x, in numpy."""
    module = linear()
    start = [parameter.detach().double().numpy().copy() for parameter in module.parameters()]
    weight, bias = (array.copy() for array in start)
    data = load("synthetic")
    x = data.inputs(data.train, (1, 8, 8)).double().numpy().reshape(-1, 64)
    labels = data.train.labels.numpy()
    moved, shifted = numpy.zeros_like(weight), numpy.zeros_like(bias)
    losses = []
    for (_, chosen), _ in zip(batches(len(labels), 400, seed=7), range(4), strict=False):
        of_batch, truth = x[chosen.numpy()], labels[chosen.numpy()]
        scores = of_batch @ weight.T + bias
        softmax = numpy.exp(scores) / numpy.exp(scores).sum(1, keepdims=True)
        losses.append(-numpy.log(softmax[range(400), truth]).mean())
        softmax[range(400), truth] -= 1
        moved = 0.5 * moved + softmax.T @ of_batch / 400
        shifted = 0.5 * shifted + softmax.mean(0)
        weight, bias = weight - 0.1 * moved, bias - 0.1 * shifted
    wrong = ((x @ weight.T + bias).argmax(1) != labels).mean()

    (run,) = archcalc.train(
        module, data="synthetic", steps=4, batch_size=400, learning_rate=0.1, momentum=0.5, seeds=[7], threads=1
    ).runs
    epoch, point = run.points
    assert [(epoch.step, epoch.epoch), (point.step, point.epoch)] == [(3, 1), (4, 2)]  # of three batches each
    assert run.params == 64 * 10 + 10
    assert epoch.loss == pytest.approx(numpy.mean(losses[:3]), rel=1e-5)
    assert point.loss == pytest.approx(losses[3], rel=1e-5)
    assert point.train_error == pytest.approx(wrong, abs=1.5 / 1200)  # a tie in the last digit may fall either way
    assert all((p.detach().double().numpy() == s).all() for p, s in zip(module.parameters(), start, strict=True))


def test_an_epoch_shows_each_image_at_most_once_and_no_incomplete_batch() -> None:
    drawn = [batch for batch, _ in zip(batches(10, 4, seed=0), range(4), strict=False)]
    assert [epoch for epoch, _ in drawn] == [1, 1, 2, 2]
    first, second, *others = [indices.tolist() for _, indices in drawn]
    assert len({*first, *second}) == 8
    assert [first, second] != others  # a new order


def test_the_same_seed_gives_the_same_figures_and_leaves_the_random_states_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state(), numpy.random.get_state()[1].tolist()  # type: ignore[index]
    first = archcalc.train(NORMED, seeds=2, **QUICK)
    torch.rand(3)
    again = archcalc.train(NORMED, seeds=[1, 0], **QUICK)
    assert first.of(NORMED)[0].points != first.of(NORMED)[1].points
    for seed in (0, 1):
        one, other = first.run(NORMED, seed), again.run(NORMED, seed)
        assert one is not None
        assert other is not None
        assert one.points == other.points
    torch.manual_seed(5)
    torch.rand(3)
    expected = torch.get_rng_state()
    torch.set_rng_state(before[0])
    torch.rand(3)
    assert torch.equal(torch.get_rng_state(), expected)
    assert numpy.random.get_state()[1].tolist() == before[1]  # type: ignore[index]


def test_a_module_comes_back_as_it_was() -> None:
    module = normed().eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    (run,) = archcalc.train(module, **QUICK).runs
    assert run.network == "Sequential"
    assert not module.training
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert all(parameter.grad is None for parameter in module.parameters())


def test_what_is_resumed_equals_what_was_never_interrupted() -> None:
    recipe = Recipe("synthetic", steps=2, threads=1)
    saved: list[Training] = []
    whole = train([LINEAR, NORMED], None, recipe, (0, 1), run_done=saved.append)
    assert [len(training.runs) for training in saved] == [1, 2, 3, 4]
    interrupted = Training.from_json(saved[0].to_json())
    resumed = train([LINEAR, NORMED], None, recipe, (0, 1), resume=interrupted)
    assert timeless(resumed) == timeless(whole)
    assert resumed.runs[0] == whole.runs[0]  # with its seconds: it did not take place again
    wider = train([LINEAR], None, recipe, (2,), resume=whole)
    assert (wider.networks, wider.seeds, len(wider.runs)) == ((LINEAR, NORMED), (0, 1, 2), 5)


def test_another_experiment_is_not_gone_on_with() -> None:
    before = archcalc.train(LINEAR, **QUICK)
    for other, message in (
        ({"steps": 3}, "steps was 2, now 3"),
        ({"data": "digits"}, "data was 'synthetic', now 'digits'; train_images was 1200, now 1352"),
        ({"learning_rate": 0.1}, "learning_rate was 0.01, now 0.1"),
        ({"inputs": (1, 4, 16)}, "linear was another network"),
    ):
        with pytest.raises(UsageError, match=message):
            archcalc.train(LINEAR, resume=before, **{**QUICK, **other})


def test_averages_of_batch_normalisation_are_taken_anew() -> None:
    norm = nn.BatchNorm2d(1)
    refresh_batch_norm(norm, [torch.full((2, 1, 2, 2), value) for value in (1.0, 5.0)])
    assert norm.running_mean is not None
    assert norm.running_mean.item() == 3.0  # the mean of the batches' means
    assert norm.momentum == 0.1
    dropout = nn.Sequential(nn.Dropout(0.9), norm).train()
    refresh_batch_norm(dropout, [torch.ones(1000, 1, 1, 2)])
    assert norm.running_mean.item() == 1.0  # nothing was dropped
    refresh_batch_norm(norm.eval(), [torch.full((2, 1, 2, 2), 7.0)])
    assert norm.running_mean.item() == 1.0  # it was kept in inference mode


def test_weights_of_another_precision() -> None:
    module = linear()
    exact, single = (archcalc.train(net, **QUICK).runs[0].last.loss for net in (deepcopy(module).double(), module))
    assert exact == pytest.approx(single, rel=1e-5)


def test_errors_are_measured_without_dropout() -> None:
    images, labels = [torch.ones(30, 1, 8, 8), torch.ones(20, 1, 8, 8)], torch.zeros(50, dtype=torch.int64)
    scores = nn.Linear(64, 10)
    nn.init.zeros_(scores.weight)
    with torch.no_grad():
        scores.bias.copy_(torch.arange(10.0).flip(0))  # always class 0
    module = nn.Sequential(nn.Flatten(), scores, nn.Dropout(0.99))
    assert error_on(module, images, labels, 10) == 0.0
    with torch.no_grad():
        scores.bias.zero_()
    assert error_on(module, images, labels, 10) == 1.0  # ten equal scores are no answer


def test_auxiliary_heads_count_three_tenths() -> None:
    scores = torch.tensor([[1.0, 0.0]])
    alone = loss_of((scores,), torch.tensor([0])).item()
    assert alone == pytest.approx(float(numpy.log(1 + numpy.exp(-1))))
    assert loss_of((scores, scores, scores), torch.tensor([0])).item() == pytest.approx(1.6 * alone)


def test_distances_become_scores() -> None:
    module = archcalc.build("lenet5").eval()
    images = torch.randn(2, 1, 32, 32)
    (scores,) = scores_of(module, images, 10)
    assert torch.allclose(scores, -module(images) / 84**0.5)


def test_small_images_are_taken_as_they_are_where_that_is_possible() -> None:
    """LeNet-5 ends in a 5×5 convolution of maps that would be smaller than that."""
    networks = learners(["lenet5-modern", "resnet20"], None, Recipe())
    assert [network.input_shape for network in networks] == [(1, 32, 32), (3, 8, 8)]
    assert networks[1].params == 269_722  # He 2015, Table 6: 0.27M
    (network,) = learners(["resnet20"], (3, 16, 16), Recipe())
    assert network.input_shape == (3, 16, 16)


def test_a_network_of_the_zoo_gets_an_output_for_each_class(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        for number in range(4):
            Image.new("RGB", (9, 9), (number, 0, 0)).save(tmp_path / name / f"{number}.png")
    training = archcalc.train("lenet5-modern", data=tmp_path, steps=1, batch_size=9, threads=1)
    assert (training.classes, training.image_shape) == (3, (3, 32, 32))
    assert training.runs[0].params == 61_706 - 7 * (84 + 1)  # three outputs for ten


def test_batch_normalisation_is_refreshed_before_each_point(monkeypatch: pytest.MonkeyPatch) -> None:
    refreshed: list[int] = []

    def refresh(module: nn.Module, images: Iterable[Tensor]) -> None:
        refreshed.append(sum(map(len, images)))

    monkeypatch.setattr("archcalc.lessons.train.refresh_batch_norm", refresh)
    (run,) = archcalc.train(NORMED, data="synthetic", steps=3, batch_size=600, threads=1).runs
    assert [(point.step, point.epoch) for point in run.points] == [(2, 1), (3, 2)]
    assert refreshed == [1200, 1200]


def test_a_run_ends_where_the_loss_is_no_number() -> None:
    training = archcalc.train(linear(), learning_rate=1e38, momentum=0.0, data="synthetic", steps=50, threads=1)
    (run,) = training.runs
    assert run.diverged_at == run.last.step
    assert run.last.step < 10
    assert (run.last.loss, run.last.train_error) == (None, 1.0)
    assert Training.from_json(training.to_json()) == training
    assert "DIVERGED" in str(training)


class Odd(nn.Module):
    """Two parameters, and the output that it is told to give."""

    def __init__(self, output: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 10)
        self.output = output

    def forward(self, x: Tensor) -> Any:
        return self.output(self.linear(x.flatten(1)))


def fails_with_values(scores: Tensor) -> Tensor:
    if not scores.is_meta:
        raise ValueError("no luck")
    return scores


def exits_with_values(scores: Tensor) -> Tensor:
    if not scores.is_meta:
        raise SystemExit(4)
    return scores


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Flatten(), "Flatten cannot be trained: it has no parameters"),
        (Odd(lambda scores: scores[:, :5]), "Odd cannot be trained: it gives 5 scores an image, and the data has 10"),
        (Odd(lambda scores: scores[:1]), r"a score for each of 128 images and each class, not a tensor of \(1, 10\)"),
        (Odd(lambda scores: {"a": scores}), "and each class, not dict"),
        (Odd(lambda scores: scores.detach()), "Odd cannot be trained: RuntimeError"),
        (Odd(fails_with_values), "Odd cannot be trained: ValueError: no luck"),
        (Odd(exits_with_values), "Odd cannot be trained: SystemExit: 4"),
    ],
)
def test_a_network_that_cannot_be_trained(module: nn.Module, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        archcalc.train(module, **QUICK)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 2000}, "a batch of 2000 needs more than the 1200 images"),
        ({"steps": 0}, "steps should be 1 or more"),
        ({"learning_rate": 0.0}, "a learning rate is a number above 0"),
        ({"learning_rate": float("nan")}, "a learning rate is a number above 0"),
        ({"momentum": 1.0}, "a momentum is 0 or more and below 1"),
        ({"seeds": ()}, "one seed or several"),
        ({"seeds": [-1]}, "one seed or several"),
        ({"data": "gone"}, "unknown data 'gone'"),
        ({"inputs": (8, 8)}, "channels x height x width"),
    ],
)
def test_a_request_that_makes_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        archcalc.train(linear(), **{**QUICK, **options})


def test_networks_that_have_no_size_or_the_same_name() -> None:
    with pytest.raises(UsageError, match="does not take images of 1x8x8; say which it takes, such as -i 3x32x32"):
        archcalc.train(nn.Conv2d(3, 3, 3), **QUICK)
    with pytest.raises(UsageError, match="two of these networks have the same name: Sequential"):
        archcalc.train(linear(), normed(), **QUICK)
    with pytest.raises(UsageError, match="name at least one network"):
        archcalc.train(**QUICK)
