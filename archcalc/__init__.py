"""archcalc tells exactly what a neural network costs, layer by layer, and proves it.

>>> import archcalc
>>> report = archcalc.analyze("alexnet")
>>> report.total("params"), report.total("macs")
(60965224, 724406816)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from archcalc.values.errors import ArchcalcError, ModelError, UsageError
from archcalc.values.later import places

if TYPE_CHECKING:
    from archcalc.charts.chart import Chart
    from archcalc.library.analyze import analyze
    from archcalc.library.benchmark import benchmark
    from archcalc.library.compare import compare
    from archcalc.library.conventions import conventions
    from archcalc.library.devices import devices
    from archcalc.library.diff import diff
    from archcalc.library.effective_field import effective_field
    from archcalc.library.explain import explain
    from archcalc.library.gradients import gradients
    from archcalc.library.load import load
    from archcalc.library.lock import lock
    from archcalc.library.memory import memory
    from archcalc.library.models import build, names
    from archcalc.library.plot import plot
    from archcalc.library.receptive_field import receptive_field
    from archcalc.library.top_k_error import top_k_error
    from archcalc.library.train import train
    from archcalc.library.verify import verify
    from archcalc.ops.user_formulas import formula
    from archcalc.page.report import report_page
    from archcalc.pictures.drawing import Drawing, draw
    from archcalc.values.benchmark import Benchmark
    from archcalc.values.budget import Budget
    from archcalc.values.claim import Verdict
    from archcalc.values.comparison import Comparison
    from archcalc.values.conventions import Conventions
    from archcalc.values.device import Device
    from archcalc.values.difference import Difference
    from archcalc.values.effective_field import EffectiveField
    from archcalc.values.explanation import Explanation
    from archcalc.values.gradients import Gradients
    from archcalc.values.layer_field import LayerField
    from archcalc.values.lock import Lock
    from archcalc.values.report import Cost, Report, Row
    from archcalc.values.top_k import TopKErrors
    from archcalc.values.trace import TensorSpec
    from archcalc.values.training import Training

__version__ = "0.1.0"
__all__ = [
    "ArchcalcError",
    "Benchmark",
    "Budget",
    "Chart",
    "Comparison",
    "Conventions",
    "Cost",
    "Device",
    "Difference",
    "Drawing",
    "EffectiveField",
    "Explanation",
    "Gradients",
    "LayerField",
    "Lock",
    "ModelError",
    "Report",
    "Row",
    "TensorSpec",
    "TopKErrors",
    "Training",
    "UsageError",
    "Verdict",
    "analyze",
    "benchmark",
    "build",
    "compare",
    "conventions",
    "devices",
    "diff",
    "draw",
    "effective_field",
    "explain",
    "formula",
    "gradients",
    "load",
    "lock",
    "memory",
    "names",
    "plot",
    "receptive_field",
    "report_page",
    "top_k_error",
    "train",
    "verify",
]

# torch takes a second to import, and the classes of results a good part of what `archcalc --help` takes: each name is
# imported when it is used.
_MODULES = {
    "Benchmark": "values.benchmark",
    "Budget": "values.budget",
    "Chart": "charts.chart",
    "Comparison": "values.comparison",
    "Conventions": "values.conventions",
    "Cost": "values.report",
    "Device": "values.device",
    "Difference": "values.difference",
    "Drawing": "pictures.drawing",
    "EffectiveField": "values.effective_field",
    "Explanation": "values.explanation",
    "Gradients": "values.gradients",
    "LayerField": "values.layer_field",
    "Lock": "values.lock",
    "Report": "values.report",
    "Row": "values.report",
    "TensorSpec": "values.trace",
    "TopKErrors": "values.top_k",
    "Training": "values.training",
    "Verdict": "values.claim",
    "analyze": "library.analyze",
    "benchmark": "library.benchmark",
    "build": "library.models",
    "compare": "library.compare",
    "conventions": "library.conventions",
    "devices": "library.devices",
    "diff": "library.diff",
    "draw": "pictures.drawing",
    "effective_field": "library.effective_field",
    "explain": "library.explain",
    "formula": "ops.user_formulas",
    "gradients": "library.gradients",
    "load": "library.load",
    "lock": "library.lock",
    "memory": "library.memory",
    "names": "library.models",
    "plot": "library.plot",
    "receptive_field": "library.receptive_field",
    "report_page": "page.report",
    "top_k_error": "library.top_k_error",
    "train": "library.train",
    "verify": "library.verify",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'archcalc' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(f"archcalc.{_MODULES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return __all__


places.update(
    render="archcalc.render.shown.text",
    row_at="archcalc.count.places.row_at",
    plot="archcalc.library.plot.plot",
    draw="archcalc.pictures.drawing.draw",
)
