"""How often a classifier is wrong: what `archcalc.top_k_error` is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from archcalc.count.top_k import top_k
from archcalc.values.top_k import TopKErrors


def top_k_error(scores: Any, labels: Any, k: int | Iterable[int] = (1, 5)) -> TopKErrors:
    """How often the true class is not among the k of the highest score; `result[5]` is the top-5 error, 0 to 1.

    `scores` holds a row an image and a column a class, `labels` the column of each true class: tensors, arrays or
    lists. Equal scores have no order: the true class is ranked behind all of its own score, and `tied` of the result's
    `rows` says how many images hang on that. An image with a NaN among its scores is wrong at every k, and counted in
    `unordered`. With k classes or fewer the top-k error is 0, but for those.

    Raises UsageError for scores and labels that do not fit together, and for a k below 1.
    """
    return top_k(scores, labels, [k] if isinstance(k, int) else k)
