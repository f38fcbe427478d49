"""Drawings: what boxes say, what is marked and coloured; and every format is whole, whatever a network is called."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from torch import Tensor, nn

import archcalc
from archcalc.pictures.build import View, graph
from archcalc.pictures.choices import Direction, Theme
from archcalc.pictures.dot import dot
from archcalc.pictures.drawing import Drawing
from archcalc.pictures.flat import flat
from archcalc.pictures.graph import KINDS, Box
from archcalc.pictures.layout.nested import layout
from archcalc.pictures.outline import outline
from archcalc.pictures.text import width
from archcalc.pictures.theme import DARK, DARK_BOXES, LIGHT, LIGHT_BOXES, ramp
from archcalc.values.errors import UsageError
from tests.cli.test_cli import run
from tests.pictures.test_layout import known
from tests.support.bench_literals import LAYERED
from tests.support.drawn_nets import UNet

SVG = "{http://www.w3.org/2000/svg}"
ROOT = Path(__file__).parents[2]


def words(box: Box) -> list[tuple[str, str]]:
    return [
        (each.label, each.detail) for each in box.walk() if not each.is_open and each.kind not in ("input", "output")
    ]


# ---- what boxes say


def test_a_box_says_what_a_figure_says() -> None:
    assert words(archcalc.draw("alexnet").graph) == [  # Krizhevsky 2012, section 3.5
        ("11×11 conv, 96 /4", "relu · lrn"),
        ("max pool 3×3 /2", ""),
        ("5×5 conv, 256, 2 groups", "relu · lrn"),
        ("max pool 3×3 /2", ""),
        ("3×3 conv, 384", "relu"),
        ("3×3 conv, 384, 2 groups", "relu"),
        ("3×3 conv, 256, 2 groups", "relu"),
        ("max pool 3×3 /2", "flatten"),
        ("fc 4096", "relu · dropout"),
        ("fc 4096", "relu · dropout"),
        ("fc 1000", ""),
    ]


class Ops(nn.Module):
    """One of each kind of op that has words of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(10, 4)
        self.depthwise = nn.Conv2d(4, 4, 3, groups=4)
        self.dilated = nn.Conv2d(4, 6, (1, 3), padding="same", dilation=2)
        self.up = nn.ConvTranspose2d(6, 4, 2, 2)
        self.norm = nn.BatchNorm2d(4)
        self.pool = nn.AdaptiveAvgPool2d((1, 1))
        self.recurrent = nn.LSTM(4, 5)
        self.bias = nn.Parameter(torch.zeros(4))

    def forward(self, ids: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.up(self.dilated(self.depthwise(image)))
        x = self.norm(torch.cat([x, nn.functional.interpolate(x, scale_factor=2)[..., :12, :12]], 0))
        states, _ = self.recurrent(self.words(ids))
        return self.pool(x) * 3, states @ states.mT


def test_each_kind_of_op_has_its_words() -> None:
    drawn = archcalc.draw(Ops(), {"ids": torch.zeros(3, 2, dtype=torch.long), "image": torch.zeros(1, 4, 8, 8)})
    labels = [label for label, _ in words(drawn.graph)]
    assert labels == [
        "3×3 depthwise conv, 4",
        "1×3 conv, 6, dilation 2",
        "2×2 up-conv, 4 /2",
        "upsample ×2",
        "concat",
        "embedding 4",
        "LSTM 5",
        "global avg pool",
        "mT",
        "matmul",
    ]
    assert ("global avg pool", "× 3") in words(drawn.graph)
    assert ("concat", "bn") in words(drawn.graph)


def test_what_follows_stands_in_the_box_only_if_nothing_else_reads_its_input() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

        def forward(self, x: Tensor) -> Tensor:
            y = self.conv(x)
            return y + torch.relu(self.norm(y))

    assert words(archcalc.draw(Net(), (1, 3, 4, 4)).graph) == [("1×1 conv, 3", ""), ("batch norm", "relu"), ("+", "")]


def test_the_shape_is_written_where_it_changes() -> None:
    shapes = [box.shape for box in archcalc.draw("vgg11").graph.children if box.kind not in ("input", "output")]
    assert shapes[:4] == ["64×224×224", "64×112×112", "128×112×112", "128×56×56"]
    assert shapes[4:6] == ["256×56×56", ""]  # the second of two equal convolutions


def test_equal_modules_are_drawn_once_unless_opened() -> None:
    blocks = {2: 3, 3: 8, 4: 36, 5: 3}  # He 2015, table 1: resnet152

    def drawn(**view: Any) -> dict[str, int]:
        box = graph(known("resnet152"), View(depth=2, **view))
        return {each.path: each.repeats for each in box.walk() if each.path.count(".") == 1 and each.kind == "module"}

    assert drawn() == {f"conv{at}_x.conv{at}_{b}": n - 1 if b == 2 else 1 for at, n in blocks.items() for b in (1, 2)}
    assert len(drawn(repeats=False)) == sum(blocks.values())
    opened = drawn(opened=("conv4_x.conv4_5",))
    assert [opened[f"conv4_x.conv4_{b}"] for b in (2, 5, 6)] == [3, 1, 31]
    box = graph(known("resnet152"), View(depth=2))
    assert sum(len(each.rows) for each in box.walk() if not each.is_open) == len(known("resnet152").report.rows)


def test_runs_of_a_shared_module_are_drawn_one_by_one() -> None:
    boxes = [box.id for box in graph(known("two ends"), View(depth=1)).walk() if box.path == "shared"]
    assert boxes == ["shared", "shared#2"]


def test_a_report_alone_gives_the_same_drawing() -> None:
    for name in ("googlenet", "resnet18", "densenet121"):
        report = known(name).report
        assert graph(outline(report), View()) == graph(known(name), View())


def test_the_main_line_is_straight() -> None:
    for direction in Direction:
        drawn = layout(graph(known("unet"), View(depth=1)), direction)
        places = [placed.rectangle for placed in drawn.boxes]
        axes = [place.x + place.width / 2 if direction == "down" else place.y + place.height / 2 for place in places]
        assert max(axes) - min(axes) < 0.02


def test_the_work_of_a_layout_grows_in_a_line() -> None:
    """Counted in lines of Python, not in seconds."""

    def steps(name: str) -> int:
        box = graph(known(name), View(depth=9, repeats=False))
        count = 0

        def tracer(*_: Any) -> Any:
            nonlocal count
            count += 1
            return tracer

        before = sys.gettrace()
        sys.settrace(tracer)
        try:
            layout(box)
        finally:
            sys.settrace(before)
        return count

    assert steps("resnet110") < 2.3 * steps("resnet56")  # 54 blocks against 27


# ---- files


def test_a_picture_is_svg_with_a_title_a_description_and_tooltips() -> None:
    root = ElementTree.fromstring(archcalc.draw("googlenet", module="inception_3a").svg())
    assert root.attrib["role"] == "img"
    ids = root.attrib["aria-labelledby"].split()
    assert [root.find(f"*[@id='{ident}']").tag for ident in ids] == [f"{SVG}title", f"{SVG}desc"]  # type: ignore[union-attr]
    boxes = {group.attrib["data-path"]: group for group in root.iter(f"{SVG}g") if "data-path" in group.attrib}
    tooltip = boxes["inception_3a.3x3"].findtext(f"{SVG}title") or ""
    assert tooltip.split("\n")[1:5] == [
        "3×3 conv, 128 (relu)",
        "output 128×28×28",
        f"params: {128 * 3 * 3 * 96 + 128:,}",
        f"mult-adds: {28 * 28 * 128 * 3 * 3 * 96:,}",
    ]


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    """In another process as well, where sets have another order."""
    report = known("unet").report
    (tmp_path / "report.json").write_text(report.to_json(), encoding="utf-8")
    script = (
        "import archcalc; from pathlib import Path; "
        "report = archcalc.Report.from_json(Path('report.json').read_text(encoding='utf-8')); "
        "Path('drawn.svg').write_text(archcalc.draw(report, depth=9).svg(), encoding='utf-8')"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True, timeout=60)
        drawn = (tmp_path / "drawn.svg").read_text(encoding="utf-8")
        assert drawn == archcalc.draw(report, depth=9).svg()


HOSTILE = """</text></svg><script>alert(1)</script>&"'`];end \\ %% é\x07\u202e\n"""


class Block(nn.Module):
    """Drawn folded or open, with children of two names that break things."""

    def __init__(self, *inner: nn.Module) -> None:
        super().__init__()
        for name, module in zip((HOSTILE, "b]-->c"), inner, strict=True):
            self.add_module(name, module)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for child in self.children():
            y = child(y)
        return x + y


@pytest.mark.parametrize("view", [{}, {"depth": 1}, {"repeats": False, "depth": 9}])
def test_no_name_breaks_a_file(view: Any, tmp_path: Path) -> None:
    net = type(HOSTILE, (Block,), {})(*(Block(nn.Linear(4, 4), nn.Linear(4, 4)) for _ in range(2)))
    drawn = archcalc.draw(net, (2, 4), **view)
    root = ElementTree.fromstring(drawn.svg())
    assert not [each.tag for each in root.iter() if "script" in each.tag]
    assert {char for char in drawn.svg() if not char.isprintable()} == {"\n"}
    for name in ("net.mmd", "net.dot", "net.json"):
        drawn.save(tmp_path / name)
    for line in (tmp_path / "net.mmd").read_text(encoding="utf-8").splitlines():
        assert line.count('"') in (0, 2)
        assert "<script" not in line
    graph_of = json.loads((tmp_path / "net.json").read_text(encoding="utf-8"))["graphs"][0]
    assert len({node["id"] for node in graph_of["nodes"]}) == len(graph_of["nodes"])
    if shutil.which("dot"):
        done = subprocess.run(["dot", "-Tsvg", tmp_path / "net.dot"], capture_output=True, text=True, timeout=20)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("dot"), reason="graphviz is not installed: apt-get install graphviz")
def test_graphviz_reads_the_boxes_and_edges() -> None:
    drawn = archcalc.draw("googlenet", depth=2)
    text = dot(drawn.graph, Direction.down)
    read = subprocess.run(["dot", "-Tplain"], input=text, capture_output=True, text=True, timeout=20, check=True).stdout
    boxes = [box for box in drawn.graph.walk() if not box.is_open]
    assert len(re.findall(r"^node ", read, re.M)) == len(boxes)
    assert len(re.findall(r"^edge ", read, re.M)) == len(flat(drawn.graph).edges)


def test_mermaid_has_every_box_and_edge() -> None:
    text = run("draw", "residual-projection", "-f", "mermaid").stdout
    assert re.findall(r"(n\d+) --> (n\d+)", text) == [
        ("n1", "n2"),
        ("n2", "n3"),
        ("n1", "n4"),
        ("n3", "n5"),
        ("n4", "n5"),
        ("n5", "n6"),
    ]
    assert '(["+<br/>relu"]):::join' in text


def test_model_explorers_graph_has_every_call_and_edge(tmp_path: Path) -> None:
    """Field names as in Model Explorer's input_graph.ts and node_data_builder.py."""
    assert run("draw", "googlenet", "-o", str(tmp_path / "net.json")).exit_code == 0
    report = known("googlenet").report
    collection = json.loads((tmp_path / "net.json").read_text(encoding="utf-8"))
    assert {*collection} == {"label", "graphs"}
    nodes = {node["id"]: node for node in collection["graphs"][0]["nodes"]}
    assert len(nodes) == len(report.rows) + 2
    for number, row in enumerate(report.rows):
        read = [edge["sourceNodeId"] for edge in nodes[str(number)]["incomingEdges"]]
        assert read == ["input-0" if source.row is None else str(source.row) for source in row.inputs_from]
    assert nodes["8"]["namespace"] == report.rows[8].path.rpartition(".")[0].replace(".", "/")
    for key in ("params", "macs", "receptive_field"):
        (data,) = json.loads((tmp_path / f"net.{key}.json").read_text(encoding="utf-8")).values()
        assert {*data["results"]} <= {*nodes}
        if key != "receptive_field":
            assert sum(result["value"] for result in data["results"].values()) == report.total(key)


@pytest.mark.parametrize(("form", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_png_and_pdf_are_what_they_say(form: str, start: bytes, tmp_path: Path) -> None:
    file = tmp_path / f"net.{form}"
    assert run("draw", "residual-block", "-o", str(file)).exit_code == 0
    assert file.read_bytes().startswith(start)


def test_without_the_extra_a_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    result = run("draw", "residual-block", "-o", str(tmp_path / "net.png"))
    assert result.exit_code == 2
    assert "pip install 'archcalc[pictures]'" in result.stderr
    assert run("draw", "residual-block", "-o", str(tmp_path / "net.svg")).exit_code == 0


# ---- colours and marks


def shades(drawn: Drawing) -> dict[str, str]:
    root = ElementTree.fromstring(drawn.svg())
    groups = [group for group in root.iter(f"{SVG}g") if "data-path" in group.attrib]
    return {group.attrib["data-path"]: group.attrib.get("class", "") for group in groups}


def test_a_colour_is_a_part_of_the_largest() -> None:
    classes = shades(archcalc.draw("alexnet", colour="params"))
    assert classes["fc6"].endswith(" m5")  # 9216 × 4096, the largest
    assert classes["fc7"].endswith(" m2")  # 4096 × 4096, which is 44 % of it: the third sixth
    assert classes["conv1"].endswith(" m0")
    assert classes["pool1"].endswith(" plain")
    assert shades(archcalc.draw("alexnet", colour="saved_bytes"))["conv1"].endswith(" m5")
    assert shades(archcalc.draw("alexnet", colour="receptive_field"))["fc8"].endswith(" m5")


def test_time_comes_from_a_benchmark_with_layers() -> None:
    report = replace(known("alexnet").report, subject="a")
    (timed,) = LAYERED.layers
    rows = (replace(timed.rows[0], path="conv1"), replace(timed.rows[1], path="fc6"))  # medians of 3 and 2 ms
    classes = shades(archcalc.draw(report, colour="time", bench=replace(LAYERED, layers=(replace(timed, rows=rows),))))
    assert classes["conv1"].endswith(" m5")
    assert classes["fc6"].endswith(" m4")  # two thirds: where the fifth sixth begins
    assert classes["conv2"].endswith(" plain")
    with pytest.raises(UsageError, match="--layers --save"):
        archcalc.draw(report, colour="time")
    with pytest.raises(UsageError, match="no layers of alexnet, but of: a"):
        archcalc.draw("alexnet", colour="time", bench=LAYERED)


def test_a_layer_is_marked_where_it_is_drawn() -> None:
    marked = [
        path for path, classes in shades(archcalc.draw("googlenet", layer="conv2")).items() if "marked" in classes
    ]
    assert marked == ["conv2"]
    folded = shades(archcalc.draw("googlenet", depth=1, layer="inception_4a.5x5"))
    assert [path for path, classes in folded.items() if "marked" in classes] == ["inception_4a"]


def test_an_op_without_a_formula_is_marked_and_the_total_a_lower_bound() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return torch.fft.fft(self.conv(x)).abs()

    drawn = archcalc.draw(Net(), (1, 3, 8, 8))
    (unknown,) = [box for box in drawn.graph.walk() if box.kind == "unknown"]
    assert unknown.label.endswith("?")
    assert f"≥ {6 * 6 * 4 * 27 / 1000:.2f}k mult-adds" in drawn.svg()


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"module": "inception_3"}, "did you mean inception_3"),
        ({"opened": ("nowhere",)}, "unknown module of googlenet"),
        ({"layer": "conv9"}, "unknown layer of googlenet"),
        ({"depth": 0}, "at least 1"),
        ({"direction": "up"}, "unknown direction"),
        ({"theme": "pink"}, "unknown theme"),
        ({"colour": "flops"}, "unknown colour"),
    ],
)
def test_a_wish_that_makes_no_sense_is_an_error(wish: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        archcalc.draw(known("googlenet").report, **wish)


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    drawn = archcalc.draw("residual-block")
    with pytest.raises(UsageError, match="does not say which format"):
        drawn.save(tmp_path / "net.gif")
    with pytest.raises(UsageError, match="cannot write"):
        drawn.save(tmp_path / "gone" / "net.svg")


def test_a_notebook_shows_it_light() -> None:
    bundle = archcalc.draw("residual-block", theme="dark")._repr_mimebundle_()
    assert LIGHT["page"] in bundle["image/svg+xml"]
    assert DARK["page"] not in bundle["image/svg+xml"]
    assert bundle["text/plain"] == "drawing of residual-block"


# ---- what the eye needs


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(colour: str, page: str, part: float) -> str:
    pairs = [(int(colour[at : at + 2], 16), int(page[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(a * part + b * (1 - part)):02x}" for a, b in pairs)


@pytest.mark.parametrize(
    ("palette", "boxes", "theme"), [(LIGHT, LIGHT_BOXES, Theme.light), (DARK, DARK_BOXES, Theme.dark)]
)
def test_contrast_is_enough(palette: dict[str, str], boxes: dict[str, tuple[str, str]], theme: Theme) -> None:
    page = palette["page"]
    deep = page
    for _ in range(4):  # frames lie on each other
        deep = mixed(palette["frame"], deep, 0.06)
    for ground in (page, deep, *(fill for fill, _ in boxes.values())):
        assert contrast(palette["text"], ground) >= 4.5
        assert contrast(palette["quiet"], ground) >= 4.5
    for ground in (page, deep):
        assert contrast(palette["line"], ground) >= 3
        assert all(contrast(border, ground) >= 3 for _, border in boxes.values())
    assert all(contrast(palette["text"], shade) >= 4.5 for shade in ramp(theme))
    assert {*boxes} == {*KINDS} - {"input", "output"}


def test_texts_are_measured_no_narrower_than_helvetica() -> None:
    """Widths of Adobe's font metrics of Helvetica, in thousandths."""
    helvetica = {" ": 278, "0": 556, "a": 556, "f": 278, "i": 222, "m": 833, "w": 722, "A": 667, "M": 833, "W": 944}
    for char, thousandths in helvetica.items():
        assert width(char, 1000) >= thousandths


def test_the_picture_of_a_module_stands_alone() -> None:
    drawn = archcalc.draw("googlenet").of_module("inception_3a")
    assert [box.label for box in drawn.graph.children if box.kind in ("input", "output")] == [
        "input 192×28×28",
        "output 256×28×28",
    ]
    conv = archcalc.draw("googlenet", module="conv1")
    assert words(conv.graph) == [("7×7 conv, 64 /2", "relu")]


def test_a_unet_is_named_by_its_modules() -> None:
    names = [box.label for box in archcalc.draw(UNet(8, 2), (1, 1, 32, 32), depth=1).graph.children]
    assert names[1:3] == ["down.0", "max pool 2×2 /2"]
