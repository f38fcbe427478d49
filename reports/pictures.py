"""The pictures that README.md and docs/ show, light and dark: `python reports/pictures.py` writes them anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import archcalc

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"

PICTURES: dict[str, Callable[[str], str]] = {
    "googlenet-inception_3a": lambda theme: archcalc.draw("googlenet", module="inception_3a", theme=theme).svg(),
    "resnet50-conv2_1": lambda theme: archcalc.draw("resnet50", module="conv2_x.conv2_1", theme=theme).svg(),
    "zoo": lambda theme: archcalc.plot("zoo", theme=theme).svg(),
    "resnet18-memory": lambda theme: archcalc.plot("memory", "resnet18", batch_size=32, theme=theme).svg(),
    "receptive-fields": lambda theme: archcalc.plot(
        "receptive-field", "alexnet", "vgg16", "resnet50", "googlenet", theme=theme
    ).svg(),
    "alexnet-layers": lambda theme: archcalc.plot("layers", "alexnet", theme=theme).svg(),
}
"""What each picture shows, by the name of its file and for a theme."""

THEMES = ("light", "dark")


def drawn(name: str, theme: str) -> str:
    """The text of the file `name`-`theme`.svg."""
    return PICTURES[name](theme).rstrip("\n") + "\n"


def main() -> None:
    """Write every picture."""
    FOLDER.mkdir(exist_ok=True)
    for name in PICTURES:
        for theme in THEMES:
            (FOLDER / f"{name}-{theme}.svg").write_text(drawn(name, theme), encoding="utf-8")


if __name__ == "__main__":
    main()
