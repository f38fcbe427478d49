"""Reports, comparisons and listings written out by hand, so that rendering is tested without a network."""

from dataclasses import replace

from archcalc.values.comparison import Comparison, Metric
from archcalc.values.listing import Architecture, Listing, Totals
from archcalc.values.report import Report, Row, Window


def conv(
    path: str,
    inputs: tuple[int, int, int],
    outputs: tuple[int, int, int],
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    groups: int = 1,
) -> Row:
    weights = outputs[0] * inputs[0] // groups * kernel**2
    macs = weights * outputs[1] * outputs[2]
    return Row(
        path=path,
        kind="conv2d",
        module=path,
        window=Window((kernel,) * 2, (stride,) * 2, (padding,) * 2, (1, 1), groups),
        input_shapes=((1, *inputs),),
        output_shapes=((1, *outputs),),
        params=weights + outputs[0],
        macs=macs,
        least_macs=macs,
        activations=outputs[0] * outputs[1] * outputs[2],
        depth=1,
    )


def free(path: str, kind: str, shape: tuple[int, ...]) -> Row:
    return Row(path, kind, path, input_shapes=((1, *shape),), output_shapes=((1, *shape),), free="pointwise")


def linear(path: str, inputs: int, outputs: int) -> Row:
    macs = inputs * outputs
    return Row(
        path,
        "linear",
        path,
        params=macs + outputs,
        macs=macs,
        least_macs=macs,
        activations=outputs,
        depth=2,
        input_shapes=((1, inputs),),
        output_shapes=((1, outputs),),
    )


def strange(path: str, least: int = 0) -> Row:
    return Row(
        path,
        "erfinv",
        path,
        output_shapes=((1, 96, 55, 55),),
        macs=None,
        activations=None,
        least_macs=least,
        unknown=("erfinv",),
    )


SMALL = Report(
    subject="small",
    source="Nobody 2012, “Two towers × one”, Table 1",
    rows=(
        conv("conv1", (3, 227, 227), (96, 55, 55), 11, stride=4),
        free("norm1", "local_response_norm", (96, 55, 55)),
        conv("conv2", (96, 27, 27), (256, 27, 27), 5, padding=2, groups=2),
        free("relu", "relu", (256, 27, 27)),
        linear("fc6", 9216, 4096),
    ),
    input_shapes=((1, 3, 227, 227),),
    output_shapes=((1, 4096),),
    batch_size=1,
    depth=3,
)

INCOMPLETE = replace(
    SMALL,
    subject="incomplete",
    rows=(*SMALL.rows, strange("odd"), strange("block", least=1234)),
    uncalled={"aux1.fc.weight": 1000, "aux1.fc.bias": 10, "aux2.fc.weight": 5},
    notes=("values were needed: traced on the CPU",),
    folded=2,
)

FAILED = replace(
    SMALL, subject="failed", rows=SMALL.rows[:2], failure="pool1: kernel 3x3 is larger\nthan its input 1x1"
)

EMPTY = Report("empty", (), ((2, 3),), batch_size=2)

NASTY = replace(
    SMALL,
    subject=r"a_b|c&d%",
    source=r"#1 ~ ^ \n {x} $5 <b> *bold* `code`",
    rows=(free(r"a_b|c&d%_", r"{x}\y", (3,)), free("[0]", "*", (3,)), free("läyer.層", "ü", (3,))),
)

LONG = replace(SMALL, subject="long", rows=(replace(SMALL.rows[0], path=".".join(["transformer", "layer"] * 12)),))

HUGE = replace(
    SMALL, subject="huge", rows=(replace(SMALL.rows[0], params=10**18, macs=10**24, least_macs=10**24), SMALL.rows[4])
)

REPORTS = (SMALL, INCOMPLETE, FAILED, EMPTY, NASTY, LONG, HUGE)


NAIVE = replace(SMALL, subject="inception-naive", rows=(conv("conv", (192, 28, 28), (32, 28, 28), 5, padding=2),))
BOTTLENECK = replace(
    SMALL,
    subject="inception-bottleneck",
    rows=(conv("reduce", (192, 28, 28), (16, 28, 28), 1), conv("conv", (16, 28, 28), (32, 28, 28), 5, padding=2)),
)

COMPARISON = Comparison(
    reports=(NAIVE, BOTTLENECK, replace(INCOMPLETE, subject="a-third-network-with-quite-a-name")),
    metrics=(
        Metric("input_shape", "input", "shape", ((1, 192, 28, 28),) * 3, (None, None, None)),
        Metric("depth", "depth", "count", (1, 2, 3), (1.0, 2.0, 3.0)),
        Metric("params", "params", "count", (0, 15872, None), (None, None, None)),
        Metric(
            "macs", "mult-adds", "count", (120422400, 12443648, 1234), (1.0, 12443648 / 120422400, 1234 / 120422400)
        ),
    ),
)


def architecture(
    name: str,
    errors: tuple[tuple[str, float | None, float | None], ...] = (),
    variant_of: str | None = None,
) -> Architecture:
    return Architecture(
        name, 2012, "Nobody 2012, section 3.5", (3, 227, 227), "Two towers.", "f", "b", (), variant_of, errors
    )


LISTINGS = (
    Listing(architecture("alexnet", (("ImageNet val, 10 crops", 40.7, 18.2), ("test", None, 15.3)))),
    Listing(architecture("alexnet-one-tower", variant_of="alexnet")),
)

COSTED = (
    Listing(LISTINGS[0].architecture, Totals.of(SMALL)),
    Listing(LISTINGS[1].architecture, Totals.of(INCOMPLETE)),
    Listing(architecture("broken"), error="it broke"),
)
