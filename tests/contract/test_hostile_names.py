"""Every command, in every format, of a network whose names are written to be run: they come out as text."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from archcalc.formats import FORMATS, render
from archcalc.formats.safe import one_line, spreadsheet_text
from archcalc.render.table import layers
from archcalc.values.document import Document
from archcalc.values.report import Report, Row
from tests.cli.test_cli import run
from tests.support.hostile_net import NAMES

FILE = "=[red]$_|`<b>&\x1b[31m.py"
MODEL = f"{FILE}:Net"
INPUT = ("-i", "3x8x8")
COMMANDS = {
    "table": ("table", MODEL, *INPUT, "--columns", "all", "--backward"),
    "compare": ("compare", MODEL, "before.json", *INPUT, "--layers"),
    "diff": ("diff", "before.json", MODEL, *INPUT, "--set", "short=True"),
    "rf": ("rf", MODEL, *INPUT, "--all"),
    "memory": ("memory", MODEL, *INPUT),
    "explain": ("explain", MODEL, *INPUT, "__proto__.0"),
    "conventions": ("conventions", MODEL, *INPUT),
    "bench": ("bench", MODEL, *INPUT, "--layers", "--seconds", "0.001", "--threads", "1"),
    "locks": ("verify", "--lock", "arch.lock"),
    "claims": ("verify", "claims.toml"),
}
SHOWN_WHOLE = ("table", "compare", "diff", "bench")
"""The commands that show every layer."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    source = Path(__file__).parents[1] / "support" / "hostile_net.py"
    (folder / FILE).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    claim = {"subject": MODEL, "metric": "params", "input": "3x8x8", "max": "1", "source": NAMES[0], "where": NAMES[1]}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in claim.items()]
    text = "\n".join(["[[claim]]", *lines]).replace("\x7f", r"\u007f")
    (folder / "claims.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def documents(folder: Path) -> Iterator[dict[str, tuple[Document, str]]]:
    """What each command shows, and what it says on stderr."""
    shown: list[Document] = []

    def keep(document: Document, form: str, **how: Any) -> str:
        shown.append(document)
        return render(document, form, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run("table", MODEL, *INPUT, "-f", "json", "-o", "before.json").exit_code == 0
        assert run("lock", MODEL, *INPUT, "-o", "arch.lock").exit_code == 0
        patch.setattr("archcalc.formats.render", keep)
        result = {}
        for name, command in COMMANDS.items():
            said = run(*command).stderr
            assert shown, f"{name} shows nothing: {said}"
            result[name] = shown.pop(), said
        yield result


def is_safe(text: str) -> bool:
    """Whether nothing in a text steers a terminal or is a command in GitHub's log."""
    steering = {char for char in text if not char.isprintable()} - {"\n"}
    return not steering and not re.search(r"^\s*::|##\[", text, re.M)


class Page(HTMLParser):
    """The tags of a page, the names of its attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def text_of_html(text: str) -> str:
    page = Page(text)
    assert page.tags <= set("h3 p table thead tbody tfoot tr th td ul li b br".split())
    assert page.attributes <= {"align"}
    return page.text


def text_of_markdown(text: str) -> str:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    pieces: list[str] = []

    def read(tokens: list[Token]) -> None:
        for token in tokens:
            kind = token.type.removesuffix("_open").removesuffix("_close")
            assert kind in set(
                "heading paragraph table thead tbody tr th td bullet_list list_item inline text text_special strong "
                "softbreak html_inline".split()
            ), (kind, token.content)
            if token.type == "html_inline":
                assert token.content in ("<!-- -->", "<br>")
            elif token.type in ("text", "text_special"):
                pieces.append(token.content)
            elif token.type.endswith("_close"):
                pieces.append("\n")
            read(token.children or [])

    read(parser.parse(text))
    plain = "".join(pieces)
    assert "$" not in re.sub(r"\\\$", "", text)
    return plain


LATEX = """usepackage begin end centering caption toprule midrule bottomrule par medskip footnotesize raggedright textbf
textbackslash textasciigrave textasciitilde textasciicircum textless textgreater textbar
textperiodcentered geq leq times dots surd lfloor rfloor lceil rceil Sigma to""".split()


def check_latex(text: str) -> None:
    for block in text.split("\n\n"):
        body = re.sub(r"^% .*|\\begin\{tabular\}\{[lr]+\}", "", block, flags=re.M)
        bare = re.sub(r"\\[_&%#${}\\]|\$(?:\\\w+|-|\^2)\$", "x", body)
        assert set(re.findall(r"\\([a-zA-Z]+)", bare)) <= set(LATEX)
        assert not set('$%#_^~<>|"') & set(bare)
        assert bare.count("{") == bare.count("}")
        rows = re.findall(r"^(.*) \\\\$", block, re.M)
        assert len({len(re.findall(r"(?<!\\)&", row)) for row in rows}) <= 1
        assert not [ligature for ligature in ("--", "``", ",,") if ligature in bare]


@pytest.mark.parametrize("name", COMMANDS)
def test_names_come_out_as_text_in_every_format(name: str, documents: dict[str, tuple[Document, str]]) -> None:
    document, said = documents[name]
    assert is_safe(said)
    texts: dict[str, str] = {form: render(document, form, width=4000) for form in FORMATS}
    for form, text in texts.items():
        assert is_safe(text), form
        text.encode()
        assert render(document, form, width=40, ascii_only=True).isascii()
    for width in (40, 80):
        assert is_safe(render(document, "table", width=width))
    for row in csv.reader(io.StringIO(texts["csv"])):
        assert len(row) == len(document.headings) + 1
        assert not [cell for cell in row if cell.startswith("=")]
    check_latex(texts["latex"])
    whole = text_of_html(texts["html"]), text_of_markdown(texts["markdown"]), texts["table"]
    if name in SHOWN_WHOLE:
        for layer in NAMES:
            for text in whole:
                assert " ".join(one_line(f"{layer}.0").split()) in " ".join(text.split())
    json.loads(texts["json"])


def test_json_and_csv_have_the_names_themselves(documents: dict[str, tuple[Document, str]]) -> None:
    document, _ = documents["table"]
    paths = [f"{layer}.{part}" for layer in NAMES for part in "01"]
    rows = json.loads(render(document, "json"))["rows"]
    assert [row["path"] for row in rows if row["path"] in paths] == paths
    lines = list(csv.DictReader(io.StringIO(render(document, "csv"))))
    assert {spreadsheet_text(path) for path in paths} <= {line["path"] for line in lines}


PIECES = [
    *"\\|`*_~#$&%^{}[]()<>!-+=.:;,'\"/?@ \n\x1b\x07ax0",
    "::",
    "##[",
    "--",
    "``",
    "&lt;",
    "http://",
    "www.",
    "<b>",
]


@pytest.mark.parametrize("seed", range(3))
def test_random_names_come_out_as_text(seed: int) -> None:
    rng = Random(seed)
    names = ["".join(rng.choices(PIECES, k=rng.randint(1, 12))) + "end" for _ in range(60)]
    report = Report(names[0], tuple(Row(name, "relu") for name in names), ((1, 4),), notes=(names[1],), source=names[2])
    document = layers(report)
    texts = {form: render(document, form, width=4000) for form in ("csv", "html", "markdown", "latex", "table")}
    assert [form for form, text in texts.items() if not is_safe(text)] == []
    check_latex(texts["latex"])
    records = list(csv.DictReader(io.StringIO(texts["csv"])))
    assert [record["path"] for record in records] == [spreadsheet_text(name) for name in names]
    for text in (text_of_html(texts["html"]), text_of_markdown(texts["markdown"]), texts["table"]):
        plain = "".join(text.split())
        assert [name for name in names if "".join(one_line(name).split()) not in plain] == []
