"""The committed pictures are what is drawn now, and the README or a page of docs/ shows each in light and dark."""

from __future__ import annotations

import re
from pathlib import Path
from runpy import run_path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = run_path(str(ROOT / "reports" / "pictures.py"))


@pytest.mark.parametrize("theme", SCRIPT["THEMES"])
@pytest.mark.parametrize("name", SCRIPT["PICTURES"])
def test_the_committed_pictures_are_fresh(name: str, theme: str) -> None:
    pytest.importorskip("vl_convert", reason="vl-convert is not installed; pip install 'archcalc[pictures]'")
    assert (SCRIPT["FOLDER"] / f"{name}-{theme}.svg").read_text(encoding="utf-8") == SCRIPT["drawn"](name, theme)


def test_every_picture_is_shown_in_light_and_dark_with_words_for_it() -> None:
    shown = []
    for page, folder in [(ROOT / "README.md", "docs/"), *((page, "") for page in (ROOT / "docs").glob("*.md"))]:
        dark, light = (rf"{folder}pictures/([\w-]+)-{theme}\.svg" for theme in ("dark", "light"))
        pattern = rf'srcset="{dark}">\s<img src="{light}"\salt="[^"]{{40,}}">'
        shown += re.findall(pattern, page.read_text(encoding="utf-8"))
    assert sorted(shown) == sorted((name, name) for name in SCRIPT["PICTURES"])
