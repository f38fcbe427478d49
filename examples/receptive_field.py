"""Shows: how the receptive field of a net of your own grows, and where it covers an object of 48 pixels."""

from torch import nn

import archcalc

net = nn.Sequential()
for number, dilation in enumerate((1, 2, 4, 8, 16), start=1):
    net.add_module(f"conv{number}", nn.Conv2d(16, 16, 3, padding=dilation, dilation=dilation))
    net.add_module(f"relu{number}", nn.ReLU())

report = archcalc.analyze(net, (1, 16, 128, 128))
fields = {row.path: row.receptive_field for row in report.rows if row.kind == "conv2d"}
for path, field in fields.items():
    print(
        f"{path} sees {field[0]}x{field[1]} pixels" if isinstance(field, tuple) else f"{path} sees {field or 'unknown'}"
    )

enough = next(path for path, field in fields.items() if field == "all" or (field and min(field) >= 48))
print(f"{enough} is the first to see 48 pixels each way")
