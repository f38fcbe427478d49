"""Drawings, charts, the page and locks of a network whose names are written to be run: they come out as text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

import archcalc
from archcalc.charts.convert import FORMATS
from archcalc.formats.safe import one_line
from archcalc.page.charts import layer_chart
from archcalc.pictures.choices import FileFormat
from archcalc.pictures.files import contents
from archcalc.values.report import Report, Row
from tests.cli.test_cli import run
from tests.contract.test_hostile_names import is_safe
from tests.support.hostile_net import KIND, NAMES, Net

INPUT = (1, 3, 8, 8)
CHARTS = ("layers", "memory", "receptive-field", "compare")


@pytest.fixture(scope="module")
def net() -> Net:
    """The network; its class has a name of that kind, too."""
    return type(KIND, (Net,), {})()


def squeezed(text: str) -> str:
    return " ".join(text.split())


def check_svg(text: str) -> str:
    """The text of an SVG file, in which nothing can run or be loaded."""
    assert is_safe(text)
    root = ElementTree.fromstring(text)
    tags = {element.tag.removeprefix("{http://www.w3.org/2000/svg}") for element in root.iter()}
    assert tags <= set("svg title desc style rect g text path line defs clipPath circle tspan".split())
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert "href" not in name
            assert name in ("data-path", "aria-label") or "url(" not in value or re.fullmatch(r"url\(#[\w-]+\)", value)
    return squeezed(" ".join(root.itertext()))


def test_a_drawing_as_svg(net: Net) -> None:
    text = check_svg(archcalc.draw(net, INPUT, repeats=False, depth=9).svg())
    assert [name for name in NAMES if squeezed(one_line(name)) not in text] == []


LINES = {
    FileFormat.mermaid: r"""flowchart TD|\s*(subgraph n\d+\[""\]|end|n\d+[(\[]+""[)\]]+(:::\w+)?|n\d+ --> n\d+)"""
    r"|\s*classDef [\w #:,.-]+",
    FileFormat.dot: r"""digraph "" \{|\s*(label=|graph|node|edge|n\d+( -> n\d+)?|subgraph cluster_n\d+ \{|\})"""
    r"""[\w\s=,;.[\]"]*""",
}
"""What each line is once the texts within quotes are taken out."""


@pytest.mark.parametrize("form", LINES)
def test_a_drawing_as_text_has_names_only_within_quotes(net: Net, form: FileFormat) -> None:
    for drawing in (archcalc.draw(net, INPUT), archcalc.draw(net, INPUT, repeats=False, depth=9)):
        text = contents(drawing, form)[""].decode()
        assert is_safe(text)
        bare = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)
        assert [one for one in bare.splitlines() if not re.fullmatch(LINES[form], one)] == []


@pytest.mark.parametrize("kind", CHARTS)
def test_a_chart(net: Net, kind: str) -> None:
    models = (net, net) if kind == "compare" else (net,)
    chart = archcalc.plot(kind, *models, inputs=INPUT)
    check_svg(chart.svg())
    text = str(FORMATS["json"](chart.spec))
    assert is_safe(text)
    expressions = [value for key, value in leaves(chart.spec) if key in ("expr", "test", "labelExpr", "signal")]
    assert not [value for value in expressions if not re.fullmatch(r"[\w.\s=/'~(),]+", str(value))]
    fields = {value for key, value in leaves(chart.spec) if key == "field"}
    assert all(re.fullmatch(r"\w+", str(field)) for field in fields)


def leaves(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """The plain values in a document, each with the key that it stands under."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, key)
    else:
        yield key, value


class Tags(HTMLParser):
    """The tags of a page with their attributes, and the text outside scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_report_page(net: Net) -> None:
    page = Tags(archcalc.report_page(net, inputs=INPUT))
    names = [tag for tag, _ in page.tags]
    assert names.count("script") == 1
    assert not {"img", "iframe", "object", "link", "base", "form"} & set(names)
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcdoc")]
        assert (attributes.get("href") or "#").startswith("#")
    text = squeezed(page.text)
    assert [name for name in NAMES if squeezed(one_line(f"{name}.0")) not in text] == []


def test_a_name_in_a_chart_of_the_page_is_no_number_to_be_rounded() -> None:
    rows = [
        Row("0.1000", "linear", params=5, macs=5, output_shapes=((1, 5),)),
        Row("0.1001", "linear", params=5, macs=5),
    ]
    figure = str(layer_chart(Report("net", tuple(rows), ((1, 5),)), "key").svg)
    assert re.findall(r">(0\.\d+)</text>", figure) == ["0.1000", "0.1001"]


def test_a_lock(net: Net) -> None:
    text = archcalc.lock(net, INPUT).text()
    assert not [char for char in text if not char.isprintable() and char != "\n"]
    assert {layer["path"] for layer in json.loads(text)["layers"]} >= {f"{name}.0" for name in NAMES}


def test_what_goes_wrong_is_said_in_one_line(net: Net) -> None:
    with pytest.raises(archcalc.ModelError) as error:
        archcalc.analyze(type(KIND, (Net,), {})(fails=True), INPUT)
    said = run("table", str(error.value))
    assert said.exit_code == 2
    assert is_safe(said.stderr)
