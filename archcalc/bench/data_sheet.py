"""The peaks of the machine at hand, measured, as a file that describes a device."""

from __future__ import annotations

import json

import torch

from archcalc.bench.clock import clock_of
from archcalc.bench.device import DTYPES, preserve_torch_state
from archcalc.bench.machine import machine
from archcalc.bench.peak import peak


def data_sheet(seconds: float) -> str:
    """TOML of one device, this machine's CPU in float32 and bfloat16; `seconds` is the time for each of them."""
    cpu = torch.device("cpu")
    with preserve_torch_state(cpu, None, 0):
        peaks = {name: peak(cpu, DTYPES[name], clock_of(cpu), seconds) for name in ("fp32", "bf16")}
    rates = ", ".join(f"{name} = {measured.flops_per_second:.4g}" for name, measured in peaks.items())
    about = f"measured by archcalc with {torch.get_num_threads()} threads of torch {torch.__version__}"
    return (
        "[this-machine]\n"
        f"title = {json.dumps(machine(cpu).processor)}\n"
        f"bytes_per_second = {peaks['fp32'].bytes_per_second:.4g}\n"
        f"flops_per_second = {{ {rates} }}\n"
        f"source = {json.dumps(about)}\n"
    )
