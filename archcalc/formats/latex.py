"""latex: a booktabs table to paste into a paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import normalize

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
    | {"`": r"\textasciigrave{}", "·": r"\textperiodcentered{}", "–": "--", "—": "---", "…": r"\dots{}"}
    | {"≥": r"$\geq$", "≤": r"$\leq$", "×": r"$\times$", "−": "$-$", "→": r"$\to$", "²": "$^2$", "√": r"$\surd$"}
    | {"⌊": r"$\lfloor$", "⌋": r"$\rfloor$", "⌈": r"$\lceil$", "⌉": r"$\rceil$", "Σ": r"$\Sigma$"}
)

_LETTERS = (0xDF, 0xE6, 0xF8, 0xE5, 0xC6, 0xD8, 0xC5, 0x153, 0x152, 0x142, 0x141)
"""Latin letters that are no plain letter with an accent: sharp s, ae, o with a stroke and the like."""

_OWN_SIGN = frozenset(map(chr, (*range(128), *SPECIAL, *_LETTERS))) | frozenset("“”‘’")
"""What every LaTeX sets, by itself or through SPECIAL."""

LIGATURE = re.compile(r"(?<=-)(?=-)|(?<=[`?!])(?=`)|(?<=,)(?=,)")
"""Between two characters that LaTeX would set as one: a dash, a quotation mark, the Spanish marks."""


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
    """A text that LaTeX prints as it stands: no command, no ligature, no argument of the row before.

    Letters with an accent stay; what pdflatex has no sign for is written in ASCII, as an escape if need be.
    """
    text = LIGATURE.sub("\0", one_line(text))
    text = "".join(char if char in _OWN_SIGN or _is_accented(char) else ascii_only(char) for char in text)
    text = text.translate(SPECIAL).replace("\0", "{}")
    return "{}" + text if text.startswith(("[", "*")) else text


def _is_accented(char: str) -> bool:
    """Whether a character is a Latin letter with one accent."""
    parts = normalize("NFD", char)
    return 0xC0 <= ord(char) <= 0x17E and len(parts) == 2 and parts[0].isascii() and parts[0].isalpha()
