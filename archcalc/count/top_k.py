"""Top-k errors from scores and true classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from archcalc.values.errors import UsageError, error_message
from archcalc.values.top_k import TopKError, TopKErrors


def top_k(scores: Any, labels: Any, ks: Iterable[int]) -> TopKErrors:
    """See `archcalc.top_k_error`: scores N×classes, labels N; UsageError where they do not fit together."""
    import numpy

    table = _array(scores, "scores")
    truth = _array(labels, "labels")
    if table.ndim != 2 or 0 in table.shape:
        raise UsageError(f"scores should be a row an image and a column a class, not of shape {_size(table)}")
    images, classes = table.shape
    if truth.shape != (images,):
        raise UsageError(f"there should be one label for each of the {images:,} rows of scores, not {_size(truth)}")
    if table.dtype.kind not in "buif":
        raise UsageError(f"scores should be numbers, not {table.dtype}")
    if truth.dtype.kind not in "bui":
        raise UsageError(f"labels should be whole numbers, the columns of the true classes, not {truth.dtype}")
    outside = truth[(truth < 0) | (truth >= classes)]
    if outside.size:
        raise UsageError(f"label {outside[0]} is no column of the scores: there are 0 to {classes - 1}")
    chosen = tuple(dict.fromkeys(ks))
    if not chosen or any(isinstance(k, bool) or not isinstance(k, int) or k < 1 for k in chosen):
        raise UsageError(f"k should be a whole number of 1 or more, or several of them, not {chosen}")
    own = table[numpy.arange(images), truth][:, None]
    higher = (table > own).sum(axis=1)
    equal = (table == own).sum(axis=1) - 1  # besides itself
    unordered = numpy.isnan(table).any(axis=1) if table.dtype.kind == "f" else numpy.zeros(images, bool)
    rows = []
    for k in chosen:
        wrong = unordered | (higher + equal >= k)
        surely = unordered | (higher >= k)
        rows.append(TopKError(k, images, int(wrong.sum()), int(wrong.sum() - surely.sum())))
    return TopKErrors(images, classes, int(unordered.sum()), tuple(rows))


def _array(values: Any, name: str) -> Any:
    """A numpy array of a tensor, an array or nested lists."""
    import numpy

    if hasattr(values, "detach"):  # a tensor, perhaps on a GPU, perhaps bfloat16, which numpy does not know
        values = values.detach().cpu()
        values = values.float() if values.is_floating_point() and values.element_size() < 4 else values
    try:
        return numpy.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        raise UsageError(f"{name} are no table of numbers: {error_message(error)}") from error


def _size(array: Any) -> str:
    return "x".join(map(str, array.shape)) or "a single number"
