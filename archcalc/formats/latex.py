"""latex: a booktabs table to paste into a paper."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.formats.cells import is_right_aligned, texts
from archcalc.formats.options import Options
from archcalc.formats.safe import one_line
from archcalc.formats.units import ascii_only
from archcalc.values.document import Document, Table

NEEDS = "% needs \\usepackage{booktabs}"

SPECIAL = str.maketrans(
    {char: f"\\{char}" for char in "_&%#${}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''"}
    | {"≥": r"$\geq$", "≤": r"$\leq$", "×": r"$\times$", "·": r"\textperiodcentered{}"}
)


def written(document: Document, options: Options) -> str:
    """The document's tables, each a float with a caption, and its remarks in small print below."""
    blocks = ["\n".join(_table(table.for_print(), options)) for table in document.tables]
    return "\n\n".join([NEEDS, *blocks]) + "\n"


def _table(table: Table, options: Options) -> Iterator[str]:
    def escaped(text: str) -> str:
        return _escaped(ascii_only(text) if options.ascii_only else text)

    above = "; ".join(filter(None, (table.title, table.source, *table.facts)))
    yield r"\begin{table}"
    yield r"\centering"
    yield rf"\caption{{{escaped(above)}}}"
    yield rf"\begin{{tabular}}{{{''.join('r' if is_right_aligned(heading) else 'l' for heading in table.headings)}}}"
    yield r"\toprule"
    yield " & ".join(escaped(heading.title) for heading in table.headings) + r" \\"
    yield r"\midrule"
    for row in table.rows:
        yield " & ".join(map(escaped, texts(table, row))) + r" \\"
    if table.total is not None:
        if table.rows:
            yield r"\midrule"
        yield " & ".join(map(escaped, texts(table, table.total))) + r" \\"
    yield r"\bottomrule"
    yield r"\end{tabular}"
    if table.remarks:
        yield r"\par\medskip\footnotesize\raggedright"
    for remark in table.remarks:
        yield (rf"\textbf{{{escaped(remark.label)}}}: " if remark.label else "") + escaped(remark.text) + r"\par"
    yield r"\end{table}"


def _escaped(text: str) -> str:
    """A text that LaTeX prints as it stands: no command, no ligature, no argument of the row before."""
    text = one_line(text).translate(SPECIAL).replace("--", "-{}-")
    return "{}" + text if text.startswith(("[", "*")) else text
