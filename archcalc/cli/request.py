"""What a command line asks about: the model, its inputs and its settings; checked before torch is imported."""

from __future__ import annotations

import gc
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from archcalc.sources.saved import is_saved, is_settled, saved_report
from archcalc.values.errors import UsageError
from archcalc.values.input_size import parse_input, with_batch
from archcalc.zoo import registry

if TYPE_CHECKING:
    from archcalc.analysis import Analysis
    from archcalc.values.report import Report


@dataclass(frozen=True, slots=True)
class Request:
    """A model as it was named, the shape of its input or shapes of several, its batch where no shape has one."""

    model: str
    inputs: Any = None
    batch_size: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)


def request(model: str, sizes: list[str] | None, batch_size: int | None, pairs: list[str] | None) -> Request:
    """What a command line asks about; UsageError for a size, a name or a setting that is wrong already."""
    if is_saved(model) and (sizes or batch_size is not None or pairs):
        raise is_settled(model)
    shapes = [with_batch(parse_input(size), batch_size) for size in sizes or ()]
    settings = settings_of(model, pairs)
    inputs = None if not shapes else shapes[0] if len(shapes) == 1 else shapes
    return Request(model, inputs, None if shapes else batch_size, settings)


def requests(
    models: list[str], sizes: list[str] | None, batch_size: int | None, pairs: list[str] | None
) -> list[Request]:
    """A request for each of several models; size, batch and settings are for those that are no saved reports."""
    if all(map(is_saved, models)):
        return [request(model, sizes, batch_size, pairs) for model in models]
    return [Request(model) if is_saved(model) else request(model, sizes, batch_size, pairs) for model in models]


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


def settings_of(model: str, pairs: list[str] | None) -> dict[str, Any]:
    """`width=32` as {"width": 32}: Python literals, and any other text as it is; a zoo network must have them."""
    import ast

    settings: dict[str, Any] = {}
    for pair in pairs or ():
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier():
            raise UsageError(f"'{pair}' is no setting; write name=value, such as num_classes=10")
        try:
            settings[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            settings[key] = value
    if not is_saved(model) and ":" not in model and not model.endswith(".py"):
        registry.check_settings(registry.architecture(model), settings)
    return settings
