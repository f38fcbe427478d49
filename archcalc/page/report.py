"""The report of networks that are named or handed in: what `archcalc.report_page` is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from archcalc.values.benchmark import Benchmark, as_benchmark

if TYPE_CHECKING:
    from torch import nn


def report_page(
    *models: str | nn.Module,
    inputs: Any = None,
    batch_size: int | None = None,
    bench: Benchmark | str | Path | None = None,
) -> str:
    """The text of an HTML file that shows all that is known of networks, and that loads nothing.

    `models`, `inputs` and `batch_size` as in `analyze`; equal networks give equal texts. What documents claim is shown
    of networks of the zoo that have no inputs or batch of their own. `bench`, a benchmark or its file, adds latencies.

    Needs the extra `archcalc[pictures]`. Raises UsageError where it is missing or no network is named, and UsageError
    and ModelError as `analyze` does.
    """
    from archcalc.analysis import analysis_of
    from archcalc.page.build import page, require

    require()
    run = as_benchmark(bench)
    analyses = [analysis_of(model, inputs, batch_size, every_op=True, backward=True) for model in models]
    return page(analyses, as_published=inputs is None and batch_size in (None, 1), benchmark=run)
