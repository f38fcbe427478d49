"""bench and compare --bench: tables in every format, streams, files, exit codes."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import archcalc
from archcalc.bench.against import changes, differences
from archcalc.cli import app
from archcalc.formats import FORMATS, render
from archcalc.formats.layout import width_of
from archcalc.render.bench import timings
from archcalc.render.bench_layers import layer_timings
from archcalc.render.compare import comparison
from archcalc.values.document import Document
from archcalc.values.samples import Samples
from tests.support.bench_literals import FAILED, LAYERED, SMALL, STEADY, timing

SLOW = Samples(tuple(tuple(3 * second for second in each) for each in STEADY.rounds))
LATER = replace(SMALL, timings=(timing("a", "forward", SLOW), timing("c", "forward", SLOW)))
NAMED = [replace(archcalc.analyze("head-gap"), subject=name) for name in "ab"]
GRIDS = {
    "small": timings(SMALL),
    "failed": timings(FAILED),
    "layered": layer_timings(LAYERED),
    "against": timings(LATER, changes(LATER, SMALL), ["threads 8, before 2"]),
    "comparison": comparison(archcalc.compare(*NAMED), measured=SMALL),
}
QUICK = ("--seconds", "0.01", "--threads", "1")


def flat(document: Document, width: int = 200) -> str:
    return " ".join(render(document, "table", width=width).split())


def records(document: Document) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(document, "csv"))))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "80"}, catch_exceptions=False)


# ---- rendering


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    for ascii_only in (False, True):
        text = render(GRIDS[name], "table", width=width, ascii_only=ascii_only)
        assert all(width_of(line) <= width for line in text.split("\n"))


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_written(name: str, form: str) -> None:
    text = render(GRIDS[name], form, ascii_only=True)
    assert text.isascii()
    assert text.endswith("\n")


def test_times_are_milliseconds_and_rates_follow_from_them() -> None:
    record = records(GRIDS["small"])[0]
    assert (record["network"], record["phase"], record["samples"]) == ("a", "forward", "5")
    assert (record["median_ms"], record["iqr_ms"], record["min_ms"]) == ("10", "0", "9")
    assert record["images_per_second"] == "100"
    assert record["gflops_per_second"] == "10"  # 2 * 50M in 10 ms
    assert record["peak_share"] == "0.1"  # of 100 GFLOP/s
    assert (record["roofline_ms"], record["roofline_by"], record["noisy"]) == ("4", "compute", "false")
    assert (record["input_shape"], record["threads"], record["schema"]) == ("3x8x8", "2", "archcalc.timings/1")


def test_a_wide_spread_is_marked_and_explained() -> None:
    text = flat(GRIDS["small"])
    assert "b forward 25.0 15.0 !" in text
    assert "NOISY ! marks a spread (IQR) over 10% of the median: b forward 60.0%;" in text
    assert "NOISY" not in flat(timings(replace(SMALL, timings=SMALL.timings[:2])))


def test_networks_measured_in_turns_are_held_against_the_first() -> None:
    assert "step: b is 2.00 times slower than a: 20.0 ms against 10.0 ms (95% interval" in flat(GRIDS["small"])


def test_failures_memory_load_and_unknown_counts_are_told() -> None:
    text = flat(GRIDS["failed"])
    assert "FAILED b: out of memory at a batch of 64: 2.00 GiB more were wanted" in text
    assert "BUSY a load of 3.5 on 4 cores" in text
    assert "123.5MB" in text
    first, second = records(GRIDS["failed"])
    assert (first["batch_size"], first["memory_peak_bytes"]) == ("8", "123456789")
    assert (second["macs"], second["gflops_per_second"], second["peak_share"]) == ("", "", "")


def test_layers_show_where_the_time_goes() -> None:
    text = flat(GRIDS["layered"])
    # a quarter of the parameters, half of 50M multiply-adds, 3 of 9 ms forward, 6 of 10 ms backward
    assert "block.conv conv2d 8x4x4 216 25.0% 25,000,000 50.0% 3.00 33.3% ███▍ 6.00 60.0% ██████" in text
    assert "sum of rows 864 ? 9.00 10.0" in text  # one row's multiply-adds are not known
    assert "forward the rows' medians add up to 9.00 ms, 90.0% of the whole pass (10.0 ms without marks" in text
    assert "fc: 2 rows that cannot be told apart: fc, fc_2" in text
    assert "odd: not seen as a call, so not timed" in text
    rows = records(GRIDS["layered"])
    assert [row["path"] for row in rows] == ["block.conv", "block.relu", "fc", "odd"]
    assert [row["backward_ms"] for row in rows] == ["6", "4", "", ""]
    assert rows[0]["forward_gflops_per_second"] == f"{2 * 25_000_000 / 0.003 / 1e9:.6g}"
    assert rows[0]["output_shape"] == "8x4x4"


def test_changes_are_columns_and_the_rule_is_stated() -> None:
    text = flat(GRIDS["against"])
    assert "10.0 3.00x" in text
    assert "slower" in text
    assert "NOT ALIKE threads 8, before 2" in text
    assert "95% bootstrap interval of the ratio of medians" in text
    assert [row["verdict"] for row in records(GRIDS["against"])] == ["slower", "new"]
    assert json.loads(render(GRIDS["against"], "json"))["against"]["changes"][0]["verdict"] == "slower"
    assert differences(LATER, SMALL) == []


def test_a_comparison_tells_how_many_times_faster() -> None:
    text = flat(GRIDS["comparison"])
    assert "latency 10.0 ms 25.0 ms 2.50x" in text
    assert "b is" in text
    assert [row["latency_seconds"] for row in records(GRIDS["comparison"])] == ["0.01", "0.025"]
    assert json.loads(render(GRIDS["comparison"], "json"))["benchmark"]["schema"] == "archcalc.bench/1"


# ---- the command


def test_bench_saves_and_holds_against(tmp_path: Path) -> None:
    file = tmp_path / "before.json"
    result = run("bench", "head-gap", "head-fc", "--mode", "inference", *QUICK, "--save", str(file), "-f", "csv")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [row["network"] for row in csv.DictReader(io.StringIO(result.stdout))] == ["head-gap", "head-fc"]
    document = json.loads(file.read_text())
    for record in document["timings"]:
        for key in ("rounds",):
            record["samples"][key] = [[second / 1000 for second in each] for each in record["samples"][key]]
    file.write_text(json.dumps(document))
    result = run("bench", "head-gap", "--mode", "inference", *QUICK, "--against", str(file), "--fail-over", "10%")
    assert result.exit_code == 1
    assert "slower than" in result.stderr
    assert "head-gap inference" in result.stderr
    result = run("bench", "head-gap", "--mode", "inference", *QUICK, "--against", str(file))
    assert result.exit_code == 0
    assert "slower" in result.stdout


def test_bench_layers_as_json_and_csv() -> None:
    result = run("bench", "lenet5-modern", "--layers", *QUICK, "-f", "json")
    assert result.exit_code == 0, result.stderr
    rows = json.loads(result.stdout)["layers"][0]["rows"]
    assert [row["path"] for row in rows] == [row.path for row in archcalc.analyze("lenet5-modern").rows]
    assert rows[0]["forward"]["rounds"][0]
    result = run("bench", "lenet5-modern", "--layers", "--mode", "inference", *QUICK, "-f", "csv")
    assert [row["path"] for row in csv.DictReader(io.StringIO(result.stdout))] == [row["path"] for row in rows]


def test_bench_measures_what_it_can_and_then_says_what_it_could_not() -> None:
    result = run("bench", "lenet5", "resnet18", "-i", "1x32x32", "-b", "2", "--mode", "inference", *QUICK)
    assert result.exit_code == 3
    assert "FAILED" in result.stdout
    assert "resnet18: failed at conv1" in result.stderr
    assert "lenet5" in result.stdout


def test_compare_measures_latency() -> None:
    result = run("compare", "inception-naive", "inception-bottleneck", "--bench", *QUICK)
    assert result.exit_code == 0, result.stderr
    assert "latency" in result.stdout
    assert "9.68 times fewer" in " ".join(result.stdout.split())


WRONG = [
    ("-d cuda:99", "there is no device cuda:99; found"),
    ("-d gpu", "unknown device 'gpu'"),
    ("-b 1,x", "'1,x' is no batch size"),
    ("-b 0", "a batch has at least one sample"),
    ("-i 2x1x32x32 -b 4", "leave one of them out"),
    ("-i 1x32x32 -i 1x32x32 -b 1,2", "one batch size at a time"),
    ("--seconds 0", "more than no time"),
    ("--threads 0", "Invalid value"),
    ("--dtype fp8", "Invalid value"),
    ("--layers --compile", "no layers left"),
    ("--depth 1", "add --layers"),
    ("--fail-over 10%", "add --against"),
    ("--against nothere.json", "cannot read nothere.json"),
    ("--against nothere.json --fail-over ten", "'ten' is no limit"),
    ("--save /nowhere/at/all.json", "cannot write /nowhere/at/all.json"),
    ("--set nothing=1", "unknown setting of lenet5"),
]


@pytest.mark.parametrize(("line", "said"), WRONG, ids=[line for line, _ in WRONG])
def test_wrong_usage(line: str, said: str) -> None:
    result = run("bench", "lenet5", *line.split())
    assert result.exit_code == 2, result.output
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.output


def test_help_gives_examples() -> None:
    assert run("bench", "--help").stdout.count("archcalc bench") >= 4
