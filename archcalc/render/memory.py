"""memory: the budget by part."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.values.budget import Budget
from archcalc.values.document import Grid, Heading, Remark, Table

SCHEMA = "archcalc.memory/1"
PART = Heading("part", "", "text")
BYTES = Heading("bytes", "bytes", "count")
READABLE = Heading("readable", "", "memory")


def memory(found: Budget, fits: Sequence[str] = ()) -> Grid:
    """A row a part, for one forward pass and for one training step; `fits` are sentences about the largest batch."""
    parts = (
        ("weights", found.weights),
        ("buffers", found.buffers),
        ("gradients of weights", found.gradients),
        (f"optimizer state ({found.optimizer})", found.optimizer_state),
        ("input", found.input),
        ("saved for backward", found.saved),
        ("inference: peak of activations", found.inference.nbytes),
        ("inference: all", found.inference_total),
        ("training: peak of activations and gradients", found.training.nbytes),
        ("training: all", found.training_total),
    )
    remarks = [Remark("", sentence) for sentence in fits]
    remarks += [
        Remark("peaks", f"inference at {found.inference.path}, training at {found.training.path}"),
        Remark(
            "not counted",
            "what a call allocates and frees again while it runs, and what the allocator rounds up",
            "quiet",
        ),
    ]
    batch = () if found.batch_size is None else (f"batch {found.batch_size}",)
    table = Table(
        title=f"memory of {found.subject}",
        facts=batch,
        headings=(PART, BYTES, READABLE),
        rows=tuple((part, size, size) for part, size in parts),
        remarks=tuple(remarks),
    )
    rows = tuple((found.subject, part, size) for part, size in parts)
    return Grid(SCHEMA, (Heading("network", "network", "text"), PART, BYTES), rows, (table,), found.to_dict)
