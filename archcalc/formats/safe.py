"""Text that comes from models, claims and files, made safe for where it is written; every writer passes it through."""

from __future__ import annotations

import re

FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the start of a formula, the wide forms included."""

_NO_FORMULA = re.compile(
    r"[+-]?\d[\d,]*(\.\d+)?([eE][+-]?\d+)?[%x]?|[+-](/.*)?|[+-] \d[\d,.]*( [\w ,.;+-]*)?", re.ASCII
)
"""A number; a sign alone; what begins with -/, as an unknown top-1 error before a known top-5 error; and a difference
in plain words, "+ 50,176 inputs": without brackets, bars and signs of comparison nothing can be run."""


_COMMAND = re.compile(r"^\s*:(?=:)|##(?=\[)", re.MULTILINE)
"""What GitHub's log takes for a command: "::error" at the start of a line, and "##[error]" anywhere."""


def printable(text: str) -> str:
    """The text with a blank for every character that could steer a terminal, line ends apart, and no log command.

    Those are the control characters, what changes the direction of text, and lone surrogates.
    """
    if not text.isprintable():
        text = "".join(char if char.isprintable() or char == "\n" else " " for char in text.replace("\r\n", "\n"))
    return without_commands(text)


def without_commands(text: str) -> str:
    """The text with a blank within what GitHub would run as a command where the text is in a log: ": :error"."""
    return _COMMAND.sub(r"\g<0> ", text) if "::" in text or "##[" in text else text


def one_line(text: str) -> str:
    """`printable`, with blanks for line ends."""
    return printable(text).replace("\n", " ")


def spreadsheet_text(text: str) -> str:
    """`printable`, with an apostrophe before what a spreadsheet would run as a formula; numbers are none."""
    text = printable(text)
    is_formula = text.lstrip().startswith(FORMULA_STARTS) and not _NO_FORMULA.fullmatch(text)
    return f"'{text}" if is_formula else text


def escaped_json(text: str) -> str:
    r"""JSON that holds the same data in characters that no terminal or log acts on: others are written as \uXXXX."""
    text = text.replace("##[", r"#\u0023[")
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else _json_escape(char) for char in text)


def _json_escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
