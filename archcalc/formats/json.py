"""json: the whole document, raw integers and shapes with the batch."""

from __future__ import annotations

import json
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from archcalc.formats.options import Options
from archcalc.formats.safe import escaped_json
from archcalc.values.document import Document


def written(document: Document, options: Options) -> str:
    """The document's content, indented by two."""
    text = json.dumps(document.content(), indent=2, ensure_ascii=options.ascii_only, default=_plain)
    return escaped_json(text) + "\n"


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Fraction) else asdict(value)
