"""top-k: the errors of a classifier, one row for each k."""

from __future__ import annotations

from archcalc.formats.units import listed, plural
from archcalc.values.document import Document, Heading, Remark, Table
from archcalc.values.top_k import TopKErrors

HEADINGS = (
    Heading("k", "k", "count"),
    Heading("error", "error", "share"),
    Heading("least_error", "with ties right", "share"),
    Heading("wrong", "wrong", "count"),
    Heading("tied", "of them tied", "count"),
    Heading("images", "images", "count"),
)


def top_k_errors(errors: TopKErrors) -> Document:
    """One row for each k."""
    records = tuple((row.k, row.error, row.least_error, row.wrong, row.tied, row.images) for row in errors.rows)
    tied = any(row.tied for row in errors.rows)
    table = Table(
        title=f"top-k error of {plural(errors.images, 'image')}",
        facts=(f"{errors.classes} classes",),
        headings=HEADINGS,
        rows=records,
        remarks=tuple(_remarks(errors, tied)),
    )
    if not tied:
        table = table.only(at for at, heading in enumerate(HEADINGS) if heading.key not in ("least_error", "tied"))
    return Document(errors.SCHEMA, HEADINGS, records, (table,), errors.to_dict)


def _remarks(errors: TopKErrors, tied: bool) -> list[Remark]:
    remarks = []
    if tied:
        text = "equal scores have no order: the true class is ranked behind all that have its score"
        remarks.append(Remark("TIES", text, "warning"))
    if errors.unordered:
        text = f"{plural(errors.unordered, 'image')} with a score that is no number: wrong at every k"
        remarks.append(Remark("NaN", text, "warning"))
    whole = [f"top-{row.k}" for row in errors.rows if row.k >= errors.classes]
    if whole:
        text = f"with {errors.classes} classes the {listed(whole)} error is 0 whatever the scores are"
        remarks.append(Remark("note", text))
    remarks.append(Remark("error", "the share of images whose true class is not among the k highest scores", "quiet"))
    return remarks
