"""Imports torchvision also where its compiled ops do not match the installed torch."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch

_DEFINED: list[torch.library.Library] = []


def import_torchvision() -> Any:
    """The library; the test is skipped where there is none. Ops that are not compiled are declared, and fail if run."""
    try:
        import torchvision
    except ModuleNotFoundError:
        pytest.skip("torchvision is not installed")
    except RuntimeError:  # an op that it registers a shape for does not exist
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        ops = torch.library.Library("torchvision", "DEF")
        _DEFINED.append(ops)  # the declarations go with the object
        for op in ("nms", "qnms"):
            ops.define(f"{op}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    return torchvision
