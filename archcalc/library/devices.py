"""The devices whose peaks are known: what `archcalc.devices` is."""

from __future__ import annotations

from archcalc.count import devices as known
from archcalc.values.device import Device


def devices() -> tuple[Device, ...]:
    """The devices whose data sheets archcalc knows, one for each dtype in which one computes; imports no torch.

    Rates are operations and bytes a second, `memory` is in bytes; `source` names the data sheet.
    """
    return tuple(known.devices().values())
