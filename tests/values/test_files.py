"""Files that are none: each gives a clear error at once, and a pipe that somebody writes to is read."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from archcalc.claims.read import read
from archcalc.values.benchmark import Benchmark, load
from archcalc.values.errors import UsageError
from archcalc.values.files import read_file
from archcalc.values.report import Report
from tests.support.bench_literals import SMALL


def test_a_folder_a_missing_file_and_a_name_that_is_none(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone.json", tmp_path / ("a" * 300), "a\0b"):
        with pytest.raises(UsageError, match="cannot read"):
            read_file(path)
        with pytest.raises(UsageError, match="cannot read"):
            load(path)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)  # the tests may run as root, who may read anything
    with pytest.raises(UsageError, match=r"cannot read .*claims.toml: Permission denied"):
        read(tmp_path / "claims.toml")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_read_but_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert read_file(pipe) == b""  # nobody has it open
    reader, writer = os.pipe()

    def write() -> None:
        os.write(writer, b"here ")
        os.write(writer, b"it is")
        os.close(writer)

    timer = threading.Timer(0.2, write)
    timer.start()
    assert read_file(f"/dev/fd/{reader}") == b"here it is"
    timer.join()
    os.close(reader)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no endless file")
def test_an_endless_file_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archcalc.values.files.LARGEST_FILE", 2**21)
    with pytest.raises(UsageError, match="cannot read /dev/zero: it is larger than 2 MiB"):
        read_file("/dev/zero")


def test_an_encoding_is_known_by_its_mark(tmp_path: Path) -> None:
    text = SMALL.to_json()
    file = tmp_path / "saved.json"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        file.write_bytes(text.replace(", ", ",\r\n").encode(encoding))
        assert load(file) == SMALL
    claims = tmp_path / "claims.toml"
    claims.write_bytes('\ufeff[[claim]]\r\nsubject = "a"\r\nmetric = "params"\r\nmax = 1\r\n'.encode())
    assert read(claims)[0].subject == "a"


@pytest.mark.parametrize("seconds", [0.0, -0.01, 1e308, 1e-320])
def test_a_time_that_nothing_takes_is_refused(seconds: float) -> None:
    document = SMALL.to_dict()
    document["timings"][1]["samples"]["rounds"][0][0] = seconds
    with pytest.raises(UsageError, match=r"timings\.1\.samples\.rounds\.0\.0: should be (greater|less) than or equal"):
        Benchmark.from_dict(document)


def test_a_rate_of_nothing_and_a_count_beyond_all_bounds_are_refused() -> None:
    document = SMALL.to_dict()
    document["peak"]["flops_per_second"] = 0
    with pytest.raises(UsageError, match=r"peak\.flops_per_second: should be greater than or equal to 1"):
        Benchmark.from_dict(document)
    document = SMALL.to_dict()
    document["timings"][0]["macs"] = 10**400
    with pytest.raises(UsageError, match=r"timings\.0\.macs: should be less than or equal to 1") as error:
        Benchmark.from_dict(document)
    assert len(str(error.value)) < 400


def test_a_shape_with_a_size_below_0_or_beyond_64_bits_is_refused() -> None:
    for shape in ([-1, 3], [2**63], [2**62] * 7):
        document = Report("net", (), ((1, 3),)).to_dict()
        document["input_shapes"] = [shape]
        with pytest.raises(UsageError, match=r"input_shapes\.0"):
            Report.from_dict(document)


def test_a_key_that_is_there_twice_is_refused() -> None:
    text = SMALL.to_json().replace('"phase": "forward"', '"phase": "forward", "phase": "step"', 1)
    assert json.loads(text)["timings"][0]["phase"] == "step"
    with pytest.raises(UsageError, match="the key 'phase' is there twice in one object"):
        Benchmark.from_json(text)
