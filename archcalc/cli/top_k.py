"""top-k: how often the true class is not among the k of the highest score."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from archcalc.cli.options import As, Debug, Format, Output
from archcalc.cli.streams import clear_errors, write
from archcalc.values.errors import UsageError


def top_k(
    scores: Annotated[
        Path, typer.Argument(metavar="SCORES", help="CSV: a line an image, a column a class; names above, if any.")
    ],
    labels: Annotated[Path, typer.Argument(metavar="LABELS", help="CSV: the true class, by name or number from 0.")],
    k: Annotated[str, typer.Option("-k", metavar="K,K,...", help="Among how many classes.")] = "1,5",
    form: As = Format.table,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """Top-1 error, top-5 error: how often the true class is not among the k of the highest score.

    \b
    scores.csv: cat,dog,house,ball,lion    labels.csv: dog
                0.1,0.6,0.05,0.05,0.2

    \b
    archcalc top-k scores.csv labels.csv -k 1,2,5

    \b
    The top-1 class is dog, and the top-2 classes are dog and lion: were lion the
    true class, the top-1 error would be 100% and the top-2 error 0%. With five
    classes the top-5 error is always 0%. Ties are counted as wrong, and said; an
    image with a score that is no number is wrong.
    """  # noqa: D301
    with clear_errors(debug):
        from archcalc.count.score_files import read_labels, read_scores
        from archcalc.library.top_k_error import top_k_error
        from archcalc.render.top_k import top_k_errors

        if not re.fullmatch(r"[1-9]\d{0,8}(,[1-9]\d{0,8})*", k, flags=re.ASCII):
            raise UsageError(f"'{k}' is no k; write one or several numbers of classes, such as 1,5")
        table, names = read_scores(scores)
        truth = read_labels(labels, names, len(table[0]), len(table))
        write(top_k_errors(top_k_error(table, truth, map(int, k.split(",")))), form, output)
