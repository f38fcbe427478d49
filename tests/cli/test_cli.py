"""The command line: streams, formats, exit codes, and bad input of every kind."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from archcalc import names
from archcalc.cli import app
from archcalc.formats import FORMATS
from tests.support.facts import MACS, PARAMS

NET = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self, width=8, kernel=3):
        super().__init__()
        self.conv = nn.Conv2d(3, width, kernel)
        self.fc = nn.Linear(width, 2)
    def forward(self, x):
        return self.fc(self.conv(x).relu().mean((2, 3)))
def reads_weights():
    net = Net()
    float(net.conv.weight.sum())
    return net
def fails(): raise RuntimeError("no luck\\ntoday")
def gives_a_list(): return [1]
class Spectrum(nn.Module):
    def forward(self, x): return torch.fft.fft(x).abs()
ready = Net()
number = 3
"""


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "80", **environment}, catch_exceptions=False)


def shell(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "archcalc", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, **environment}, check=False
    )


def rows(result: Result) -> list[dict[str, str]]:
    assert result.exit_code == 0, result.stderr
    return list(csv.DictReader(io.StringIO(result.stdout)))


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "mynet.py").write_text(NET)
    monkeypatch.chdir(tmp_path)
    return "mynet.py"


# ---- table


def test_alexnet_as_csv_is_right_to_the_last_digit() -> None:
    found = {row["path"]: row for row in rows(run("table", "alexnet", "-f", "csv"))}
    assert sum(int(row["params"]) for row in found.values()) == 60965224
    assert sum(int(row["macs"]) for row in found.values()) == 724406816
    conv2 = found["conv2"]
    assert (conv2["kernel"], conv2["stride"], conv2["padding"], conv2["groups"]) == ("5x5", "1x1", "2x2", "2")
    assert (conv2["input_shape"], conv2["output_shape"]) == ("96x27x27", "256x27x27")
    assert int(conv2["params"]) == (5 * 5 * 48 + 1) * 256
    assert int(conv2["macs"]) == 27 * 27 * 256 * (5 * 5 * 48)
    assert {row["schema"] for row in found.values()} == {"archcalc.table/1"}


def test_csv_and_json_are_not_folded_and_a_terminal_table_is() -> None:
    assert len(rows(run("table", "resnet152", "-f", "csv"))) == 515
    assert len(json.loads(run("table", "resnet152", "-f", "json").stdout)["rows"]) == 515
    folded = run("table", "resnet152").stdout
    assert len(folded.splitlines()) < 80
    assert "57 rows stand for 515 calls; --depth and --all show more" in " ".join(folded.split())
    assert len(run("table", "resnet152", "--all").stdout.splitlines()) > 515


@pytest.mark.parametrize("depth", ["1", "2", "3"])
def test_depth_folds_every_format_and_keeps_the_totals(depth: str) -> None:
    found = rows(run("table", "googlenet", "-f", "csv", "--depth", depth))
    assert sum(int(row["params"]) for row in found) == 6998552
    assert sum(int(row["macs"]) for row in found) == MACS["googlenet"]


@pytest.mark.parametrize("size", ["3x300x200", "3,300,200", "1x3x300x200", "3×300×200"])
def test_an_input_size_may_be_written_in_several_ways(size: str) -> None:
    found = rows(run("table", "resnet18", "-i", size, "-f", "csv"))
    assert found[0]["input_shape"] == "3x300x200"
    assert found[0]["output_shape"] == "64x150x100"


def test_the_batch_multiplies_the_macs() -> None:
    found = json.loads(run("table", "alexnet", "-b", "4", "-f", "json").stdout)
    assert found["totals"]["macs"] == 4 * MACS["alexnet"]
    assert found["input_shapes"] == [[4, 3, 227, 227]]
    same = json.loads(run("table", "alexnet", "-i", "4x3x227x227", "-f", "json").stdout)
    assert same["totals"] == found["totals"]


def test_columns_are_shown_in_the_order_asked_for() -> None:
    result = run("table", "alexnet", "--columns", "macs,path", "-f", "csv")
    assert result.stdout.splitlines()[:2] == ["network,macs,path,schema", "alexnet,105415200,conv1,archcalc.table/1"]


@pytest.mark.parametrize("form", ["csv", "table"])
def test_columns_may_be_named_by_their_titles(form: str) -> None:
    by_title = run("table", "lenet5", "--columns", "layer,Mult-Adds,input,receptive field", "-f", form)
    assert (
        by_title.stdout
        == run("table", "lenet5", "--columns", "path,macs,input_shape,receptive_field", "-f", form).stdout
    )
    assert by_title.exit_code == 0
    side = run("compare", "conv5x5", "conv3x3-twice", "--layers", "--columns", "LAYER,mult-adds", "-f", "csv")
    assert side.stdout.splitlines()[0] == "network,path,macs,schema"


def test_settings_go_to_the_builder() -> None:
    found = rows(run("table", "resnet18", "--set", "num_classes=10", "--set", "in_channels=1", "-f", "csv"))
    assert found[0]["input_shape"] == "1x224x224"
    assert found[-1]["output_shape"] == "10"


def test_training_shows_the_auxiliary_heads() -> None:
    assert "head_4a" in run("table", "googlenet", "--training").stdout
    result = run("table", "googlenet")
    assert "\nhead_4a" not in result.stdout
    assert "not run" in result.stdout


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_holds_what_would_have_been_printed(form: str, tmp_path: Path) -> None:
    file = tmp_path / "out"
    result = run("table", "lenet5", "-f", form, "-o", str(file))
    assert (result.exit_code, result.stdout) == (0, "")
    assert file.read_text(encoding="utf-8") == run("table", "lenet5", "-f", form).stdout
    assert list(tmp_path.iterdir()) == [file]


# ---- a model of one's own


def test_a_class_a_factory_and_a_ready_module_from_a_file(net: str) -> None:
    wide = rows(run("table", f"{net}:Net", "-i", "3x8x8", "--set", "width=16", "-f", "csv"))
    assert [int(row["params"]) for row in wide if row["params"] != "0"] == [(27 + 1) * 16, 16 * 2 + 2]
    for name in ("ready", "reads_weights"):
        assert rows(run("table", f"{net}:{name}", "-i", "3x8x8", "-f", "csv"))[0]["params"] == str((27 + 1) * 8)


def test_a_module_of_a_package(net: str) -> None:
    assert "mynet:Net" in run("table", "mynet:Net", "-i", "3x8x8").stdout
    assert (
        "torch.nn:Linear" in run(*"table torch.nn:Linear -i 4 --set in_features=4 --set out_features=2".split()).stdout
    )


def test_an_unknown_op_is_a_lower_bound_and_strict_fails(net: str) -> None:
    result = run("table", f"{net}:Spectrum", "-i", "3x8x8")
    assert result.exit_code == 0
    assert "LOWER BOUND" in result.stdout
    assert "aten._fft_r2c" in result.stdout
    strict = run("table", f"{net}:Spectrum", "-i", "3x8x8", "-f", "csv", "--strict")
    assert strict.exit_code == 1
    assert "lower bound" in strict.stderr
    assert "unknown: aten._fft_r2c" in strict.stdout


# ---- compare and list


def test_compare_says_the_saving_in_one_line() -> None:
    result = run("compare", "inception-naive", "inception-bottleneck", COLUMNS="200")
    assert "120,422,400" in result.stdout
    assert "12,443,648" in result.stdout
    sentence = "inception-bottleneck needs 12.4M multiply-adds, 9.68 times fewer than inception-naive's 120.4M"
    assert sentence in result.stdout


def test_compare_as_csv_has_one_row_a_network() -> None:
    found = rows(run("compare", "vgg16", "resnet50", "googlenet", "-f", "csv"))
    assert [row["network"] for row in found] == ["vgg16", "resnet50", "googlenet"]
    assert float(found[1]["macs_ratio"]) == MACS["resnet50"] / MACS["vgg16"]
    assert [int(row["depth"]) for row in found] == [16, 50, 22]


def test_compare_puts_the_layers_under_each_other() -> None:
    result = run("compare", "conv5x5", "conv3x3-twice", "--layers", "-f", "csv")
    assert [row["network"] for row in rows(result)] == ["conv5x5"] * 2 + ["conv3x3-twice"] * 4
    assert run("compare", "conv5x5", "conv3x3-twice", "--layers").stdout.count("total") == 2


@pytest.mark.sweep
@pytest.mark.parametrize("pattern", ["inception", pytest.param("", marks=pytest.mark.oracle)])
def test_list_is_complete_and_cost_has_the_documented_figures(pattern: str) -> None:
    assert [row["network"] for row in rows(run("list", "-f", "csv"))] == names()
    costs = {row["network"]: row for row in rows(run("list", pattern, "--cost", "-f", "csv"))}
    assert costs.keys() == {name for name in PARAMS if pattern in name}
    assert {name: int(row["macs"]) for name, row in costs.items()} == {name: MACS[name] for name in costs}
    assert [row["network"] for row in rows(run("list", "VGG16", "-f", "csv"))] == ["vgg16-1x1", "vgg16"]


# ---- bad input: one clear line, the documented code, no traceback


WRONG = [
    ("table alexnt", 2, "unknown network 'alexnt': did you mean alexnet"),
    ("table", 2, "Missing argument 'MODEL'"),
    ("table alexnet -i 3x", 2, "'3x' is no input size"),
    ("table alexnet -i abc", 2, "'abc' is no input size"),
    ("table alexnet -i 3x-5x5", 2, "'3x-5x5' is no input size"),
    ("table alexnet -i ٣x5x5", 2, "is no input size"),
    ("table alexnet -i 3x0x5", 2, "has a size below 1"),
    ("table alexnet -i 3x99999999999x99999999999", 2, "larger than any memory"),
    ("table alexnet -b 0", 2, "a batch has at least one sample"),
    ("table alexnet -b two", 2, "Invalid value"),
    ("table alexnet -i 2x3x227x227 -b 4", 2, "leave one of them out"),
    ("table alexnet -f cvs", 2, "Invalid value"),
    ("table alexnet --columns param", 2, "unknown column 'param': did you mean params"),
    ("table alexnet --columns=", 2, "unknown column"),
    ("table alexnet --columns multadds", 2, "there are: path, kind, window, kernel"),
    ("table alexnet --depth 0", 2, "Invalid value"),
    ("table alexnet --set classes=3", 2, "unknown setting of alexnet 'classes': did you mean num_classes"),
    ("table alexnet --set num_classes", 2, "is no setting"),
    ("table alexnet --set num_classes=-1", 2, "cannot be built"),
    ("table alexnet --set num_classes=many", 2, "cannot be built"),
    ("table alexnet -o /nowhere/at/all.csv", 2, "cannot write /nowhere/at/all.csv"),
    ("table alexnet -o /", 2, "cannot write /"),
    ("table nothere.py:Net -i 3x8x8", 2, "there is no file nothere.py"),
    ("table no.such:thing -i 3x8x8", 2, "there is no module no.such"),
    ("table mynet.py:Nett -i 3x8x8", 2, "did you mean Net"),
    ("table mynet.py:Net", 2, "needs an input size"),
    ("table mynet.py:Net -i 3x8x8 --set wide=3", 2, "unexpected keyword argument 'wide'"),
    ("table mynet.py:number -i 3x8x8", 2, "neither a torch module nor"),
    ("table mynet.py:gives_a_list -i 3x8x8", 2, "gives an object of type list"),
    ("table mynet.py:ready -i 3x8x8 --set width=3", 2, "takes no settings"),
    ("table mynet.py:fails -i 3x8x8", 3, "RuntimeError: no luck today"),
    ("table broken.py:Net -i 3x8x8", 3, "cannot be imported: SyntaxError"),
    ("table exits.py:Net -i 3x8x8", 3, "cannot be imported: SystemExit"),
    ("table alexnet -i 1x227x227", 3, "failed at conv1: conv2d got 1x1x227x227"),
    ("table alexnet -i 3x224x224", 3, "failed at fc6: linear got 1x6400"),
    ("table alexnet -i 7", 3, "failed at conv1"),
    ("compare", 2, "Missing argument"),
    ("compare alexnet vgg", 2, "unknown network 'vgg'"),
    ("compare alexnet vgg16 --columns path", 2, "add --layers"),
    ("list nothing-of-the-kind", 2, "unknown network"),
    ("tabel alexnet", 2, "No such command"),
    ("table alexnet --nonsense", 2, "No such option"),
]


@pytest.mark.parametrize(("line", "code", "said"), WRONG, ids=[line for line, _, _ in WRONG])
def test_bad_input(line: str, code: int, said: str, net: str) -> None:
    Path("broken.py").write_text("def")
    Path("exits.py").write_text("raise SystemExit(0)")
    result = run(*line.split())
    assert result.exit_code == code, result.output
    told = " ".join(result.stderr.replace("│", " ").split())
    assert said in told
    assert "Traceback" not in result.output


def test_a_failing_layer_ends_the_table_and_a_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    file.write_text("precious")
    result = run("table", "alexnet", "-i", "3x224x224", "-f", "csv", "-o", str(file))
    assert result.exit_code == 3
    assert [row["path"] for row in csv.DictReader(io.StringIO(result.stdout))][-2:] == ["pool5", "flatten"]
    assert file.read_text() == "precious"
    tiny = run("table", "alexnet", "--input-size", "3x5x5")
    assert tiny.exit_code == 3
    assert "conv1: conv2d got 1x3x5x5, 96x3x11x11" in tiny.stderr


def test_debug_shows_the_traceback(net: str) -> None:
    with pytest.raises(Exception, match="no luck"):
        run("table", "mynet.py:fails", "-i", "3x8x8", "--debug")


# ---- streams


def test_what_is_piped_has_no_colour_and_survives_any_encoding() -> None:
    plain = shell("table", "lenet5", PYTHONIOENCODING="ascii", COLUMNS="100")
    assert plain.returncode == 0, plain.stderr
    assert plain.stdout.isascii()
    assert "\x1b" not in plain.stdout
    assert "60,000" in plain.stdout


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m archcalc table resnet152 --all | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith("resnet152")


def test_a_device_is_written_to_and_not_replaced() -> None:
    result = run("table", "lenet5", "-o", "/dev/null")
    assert result.exit_code == 0
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["list"], ["table", "--help"], ["table", "alexnt"], ["list", "-f", "x"]]
)
def test_help_list_and_usage_errors_import_no_torch(arguments: list[str]) -> None:
    script = (
        "import sys; from archcalc.cli import app\n"
        f"try: app({arguments!r})\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'pandas', 'numpy'} & set(sys.modules)\n"
        "print(heavy or '', file=sys.stderr); sys.exit(len(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_table_imports_no_pandas() -> None:
    script = "import sys; from archcalc.cli import app\ntry: app(['table', 'alexnet'])\nexcept SystemExit: pass\n"
    script += "sys.exit('pandas' in sys.modules or 'sympy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=False).returncode == 0


def test_version_and_completion() -> None:
    assert run("--version").stdout.startswith("archcalc ")
    assert "--show-completion" in run("--help").stdout
    script = str(Path(sys.executable).with_name("archcalc"))
    for words, offered in (("table resnet1", "resnet18"), ("table alexnet --columns path,ma", "path,macs")):
        typed = {"_ARCHCALC_COMPLETE": "complete_bash", "COMP_WORDS": f"archcalc {words}"}
        typed["COMP_CWORD"] = str(len(words.split()))
        done = subprocess.run([script], capture_output=True, text=True, env={**os.environ, **typed}, check=False)
        assert offered in done.stdout.split()


@pytest.mark.parametrize("command", ["table", "compare", "list"])
def test_help_gives_examples(command: str) -> None:
    text = run(command, "--help").stdout
    assert text.count(f"archcalc {command}") >= 3 or text.count("archcalc") >= 4
