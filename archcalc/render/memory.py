"""memory: the budget by part."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.render.table import NETWORK
from archcalc.values.budget import Budget
from archcalc.values.document import Document, Heading, Remark, Table

SCHEMA = "archcalc.memory/1"
PART = Heading("part", "", "text")
BYTES = Heading("bytes", "bytes", "count")
READABLE = Heading("readable", "", "memory")


def memory(budget: Budget, fits: Sequence[str] = ()) -> Document:
    """A row a part, for one forward pass and for one training step; `fits` are sentences about the largest batch."""
    parts = (
        ("weights", budget.weights),
        ("buffers", budget.buffers),
        ("gradients of weights", budget.gradients),
        (f"optimizer state ({budget.optimizer})", budget.optimizer_state),
        ("input", budget.input),
        ("saved for backward", budget.saved),
        ("inference: peak of activations", budget.inference.nbytes),
        ("inference: all", budget.inference_total),
        ("training: peak of activations and gradients", budget.training.nbytes),
        ("training: all", budget.training_total),
    )
    remarks = [Remark("", sentence) for sentence in fits]
    remarks += [Remark("note", note) for note in budget.notes]
    remarks += [
        Remark("peaks", f"inference at {budget.inference.path}, training at {budget.training.path}"),
        Remark(
            "not counted",
            "what a call allocates and frees again while it runs, and what the allocator rounds up",
            "quiet",
        ),
    ]
    batch = () if budget.batch_size is None else (f"batch {budget.batch_size}",)
    table = Table(
        title=f"memory of {budget.subject}",
        facts=batch,
        headings=(PART, BYTES, READABLE),
        rows=tuple((part, size, size) for part, size in parts),
        remarks=tuple(remarks),
    )
    rows = tuple((budget.subject, part, size) for part, size in parts)
    return Document(SCHEMA, (NETWORK, PART, BYTES), rows, (table,), budget.to_dict)
