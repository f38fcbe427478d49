"""Where the other tools are found, and how it is told whether one can be run."""

from __future__ import annotations

import subprocess
import sys
from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from archcalc.peers.registry import peers, versions
from archcalc.peers.run import is_installed

FIRST = ["fvcore", "torch FlopCounterMode", "torchinfo", "ptflops", "ptflops aten", "thop", "calflops", "DeepSpeed"]


def test_the_order_of_rows_stays() -> None:
    assert list(peers())[:9] == [*FIRST, "torchscan"]


def test_a_version_is_named_once_a_package() -> None:
    assert versions().startswith("fvcore 0.1.5, torch 2.13, torchinfo 1.8.0, ptflops 0.7.5, thop 0.1.1, ")


def test_no_tool_is_imported_by_computing_what_it_prints() -> None:
    script = (
        "import sys, archcalc; from archcalc.peers.registry import peers; archcalc.conventions('head-gap');"
        "print(*[peer.module for peer in peers().values() if peer.module in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["torch"]


def installed(folder: Path, package: str, content: str) -> None:
    """As pip would install it: a module `thop`, and the record that says which package brought it."""
    (folder / "thop").mkdir(exist_ok=True)
    (folder / "thop/__init__.py").write_text(content)
    checksum = urlsafe_b64encode(sha256(content.encode()).digest()).decode().rstrip("=")
    metadata = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (metadata / "RECORD").write_text(f"thop/__init__.py,sha256={checksum},{len(content)}\n")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "thop", raising=False)
    return tmp_path


THOP = replace(peers()["thop"], packages=("thop",))
FORK = replace(THOP, name="fork", packages=("thop-fork-for-this-test",))


def test_two_packages_with_one_module_are_told_apart(place: Path) -> None:
    installed(place, "thop-fork-for-this-test", "fork = True")
    assert is_installed(FORK)
    assert not is_installed(THOP)


def test_of_two_packages_in_one_folder_the_last_one_counts(place: Path) -> None:
    installed(place, "thop", "fork = False")
    assert is_installed(THOP)
    installed(place, "thop-fork-for-this-test", "fork = True")
    assert is_installed(FORK)
    assert not is_installed(THOP)


def test_what_a_tool_imports_besides_must_be_there_too(place: Path) -> None:
    installed(place, "thop", "")
    assert is_installed(THOP)
    assert not is_installed(replace(THOP, packages=("thop", "no-such-package")))


def test_a_package_installed_from_a_folder_has_no_record_of_its_module(place: Path) -> None:
    installed(place, "thop", "")
    (place / "thop-1.0.dist-info/RECORD").write_text("thop-1.0.dist-info/METADATA,,\n")
    assert is_installed(THOP)
