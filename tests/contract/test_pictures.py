"""The committed pictures are what is drawn now, and the README shows each in light and dark."""

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


def test_the_readme_shows_every_picture_in_light_and_dark_with_words_for_it() -> None:
    shown = re.findall(
        r'srcset="docs/pictures/([\w-]+)-dark\.svg">\s<img src="docs/pictures/([\w-]+)-light\.svg"\salt="[^"]{40,}">',
        (ROOT / "README.md").read_text(encoding="utf-8"),
    )
    assert sorted(shown) == sorted((name, name) for name in SCRIPT["PICTURES"])
