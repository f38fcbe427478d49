"""A network whose names are written to be run: by a terminal, a spreadsheet, LaTeX, a browser, a log on GitHub."""

from __future__ import annotations

import torch
from torch import nn

CONTROLS = "\x1b[31m \x9b31m \x00 \r \x07 \x7f \x85 \u2028 \u202e \u2066 \u200f \U000e0001 \x1b]8;;http://e.org\x07"
NAMES = (
    f"controls {CONTROLS}\nsecond line",
    "::error file=a.py::not ours",
    "##[error]not ours",
    "[red]rich[/] [/] [link=http://e.org]x[/link]",
    "=cmd|' /C calc'!A0",
    "\\input{/etc/passwd} $x_1^2$ %~#&{} ``''---",
    "| `code` [link](http://e.org) ![i](http://e.org) _a_ **b** ~~c~~ http://e.org @user #1",
    "<img src=x onerror=alert(1)><!-- --> ]]> &lt;b&gt; &#27;",
    "</script></title></style><script>alert(1)</script>",
    '"];end;click A "javascript:alert(1)"; }} %%{init:{}}%% --> \\" \\n',
    "datum['x'].y[0] {{7*7}} {%x%} %s {0} ${1}",
    "__proto__",
    '0.12345 url(#x) id="y" aria-label="z" style="italic" role="img"',
    " ",
)
KIND = "Kind\x1b[31m<b>|`_$&\"'::error::x"


class Net(nn.Module):
    """A chain of layers with those names; \x1b[31m[red]."""

    def __init__(self, fails: bool = False, short: bool = False) -> None:
        super().__init__()
        self.fails = fails
        for name in () if short else NAMES:
            layer = type(KIND, (nn.Sequential,), {})(nn.Conv2d(3, 3, 1), nn.ReLU())
            layer._parameters[name] = nn.Parameter(torch.zeros(3, 1, 1))
            layer._buffers[name] = torch.zeros(3, 1, 1)
            self._modules[name] = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The layers one after the other, each scaled by what has its name, and one op without a formula."""
        for name, layer in self._modules.items():
            assert layer is not None
            x = layer(x) * layer._parameters[name] + layer._buffers[name]
        if self.fails:
            raise ValueError("; ".join(NAMES))
        return torch.fft.fft(x).abs()
