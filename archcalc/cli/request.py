"""What a command line asks about: the model, its inputs and its settings; checked before torch is imported."""

from __future__ import annotations

import gc
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from archcalc.sources.named import check, named, setting
from archcalc.sources.saved import is_saved, is_settled, saved_report
from archcalc.values.errors import UsageError
from archcalc.values.input_size import joined, parse_inputs, with_batch

if TYPE_CHECKING:
    from archcalc.analysis import Analysis
    from archcalc.values.report import Report


@dataclass(frozen=True, slots=True)
class Request:
    """A model as it was named, its inputs as `archcalc.analyze` takes them, its batch where no shape has one."""

    model: str
    inputs: Any = None
    batch_size: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)


def request(
    model: str, sizes: list[str] | None, batch_size: int | None, pairs: list[str] | None, tokens: int | None = None
) -> Request:
    """What a command line asks about; UsageError for a size, a name or a setting that is wrong already."""
    if is_saved(model) and (sizes or batch_size is not None or pairs or tokens is not None):
        raise is_settled(model)
    shapes, others = parse_inputs(sizes or ())
    inputs = joined([with_batch(shape, batch_size) for shape in shapes], others)
    return Request(model, inputs, None if shapes else batch_size, settings_of(model, pairs, tokens))


def requests(
    models: list[str],
    sizes: list[str] | None,
    batch_size: int | None,
    pairs: list[str] | None,
    tokens: int | None = None,
) -> list[Request]:
    """A request for each of several models; size, batch and settings are for those that are no saved reports."""
    if all(map(is_saved, models)):
        return [request(model, sizes, batch_size, pairs, tokens) for model in models]
    return [Request(model) if is_saved(model) else request(model, sizes, batch_size, pairs, tokens) for model in models]


def report_of(asked: Request, training: bool = False, backward: bool = False) -> Report:
    """What the network that was asked about costs: as it was saved, or as it is counted now."""
    if is_saved(asked.model):
        return saved_report(asked.model, training=training, backward=backward)
    return analyze(asked, training, backward).report


def analyze(asked: Request, training: bool = False, backward: bool = False, every_op: bool = False) -> Analysis:
    """What is known of the network that was asked about."""
    from archcalc.analysis import analysis_of

    gc.freeze()  # what torch's import made stays to the end: the collector need not walk over it again and again
    with redirect_stdout(sys.stderr):  # what a model prints is said to a person; stdout is for the data
        return analysis_of(
            asked.model,
            asked.inputs,
            asked.batch_size,
            settings=asked.settings,
            training=training,
            backward=backward,
            every_op=every_op,
        )


def settings_of(model: str, pairs: list[str] | None, tokens: int | None = None) -> dict[str, Any]:
    """`width=32` as {"width": 32}, checked as far as that needs no import of the model."""
    settings = dict(map(setting, pairs or ()))
    asked = named(model)
    if is_saved(model):
        return settings
    if tokens is not None:
        if asked.kind not in ("hf", "diffusers"):
            raise UsageError(f"--tokens is for hf/ and diffusers/ models, not for {model}; -i gives an input's size")
        settings["tokens"] = tokens
    check(asked, {**settings, **asked.settings})
    return settings
