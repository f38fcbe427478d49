"""verify --lock: one row a lock, with the first layer that is not as it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archcalc.formats.units import plural
from archcalc.values.document import Document, Heading, Table

if TYPE_CHECKING:
    from archcalc.claims.locks import LockVerdict

SCHEMA = "archcalc.locks/1"

HEADINGS = (
    Heading("lock", "lock", "text"),
    Heading("model", "model", "text"),
    Heading("layers", "layers", "count", rank=1),
    Heading("verdict", "verdict", "text"),
    Heading("problem", "first difference", "prose"),
)


def lock_verdicts(verdicts: Sequence[LockVerdict]) -> Document:
    """Whether each architecture is as it was locked."""
    rows = tuple(
        (one.file, one.lock.model, len(one.lock.layers), "differs" if one.problem else "same", one.problem)
        for one in verdicts
    )
    keys = [heading.key for heading in HEADINGS]
    table = Table(plural(len(rows), "lock"), HEADINGS, rows)
    return Document(
        SCHEMA,
        HEADINGS,
        rows,
        (table,),
        lambda: {"schema": SCHEMA, "locks": [dict(zip(keys, row, strict=True)) for row in rows]},
    )
