"""The report: one row a call with what it costs, and totals that are sums over those rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from archcalc.values.columns import COLUMNS, total
from archcalc.values.json_types import ExactFraction
from archcalc.values.later import later
from archcalc.values.shown import Shown
from archcalc.values.stored import Stored
from archcalc.values.trace import Module, Parameter, Shape

if TYPE_CHECKING:
    import pandas


COUNTING_CONVENTION = (
    "mult-adds: one per multiply-add of convolutions and matrix products; "
    "bias, normalisation, pooling and activations are not counted. FLOPs = 2 x mult-adds"
)


@dataclass(frozen=True, slots=True)
class Window:
    """What slides over the input: one number an axis, `groups` for all; `ceil` rounds the output size up."""

    kernel: Shape
    stride: Shape
    padding: Shape | str
    dilation: Shape
    groups: int = 1
    ceil: bool = False


@dataclass(frozen=True, slots=True)
class Product:
    """Multiply-adds as a product: so many `units`, "outputs" mostly, and for each of them a sum over so much."""

    units: Shape
    each: Shape
    noun: str = "outputs"

    @property
    def macs(self) -> int:
        """Units times what each of them sums over."""
        return prod(self.units) * prod(self.each)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call costs, in plain counts.

    The multiply-adds of convolutions and matrix products are given as `products`; `registry_macs` are those that
    torch's own registry counted. `activations` are the elements that they put out (fvcore's and RegNet's activation
    count, Krizhevsky's "neurons"). `free` says why there is nothing to count. `backward`: the gradients of a product
    cost what the product does, as they do not where a user's formula gives a plain number.
    """

    products: tuple[Product, ...] = ()
    registry_macs: int = 0
    activations: int = 0
    window: Window | None = None
    free: str = ""
    backward: bool = True

    @property
    def macs(self) -> int:
        """All multiply-adds."""
        return sum(product.macs for product in self.products) + self.registry_macs


@dataclass(frozen=True, slots=True)
class Source:
    """Where a tensor comes from: an edge of the network's graph.

    `origin` is "call", "input", "buffer", "constant" or "parameter". For "call", `row` is the number of the row that
    made the tensor, from 0, and `output` its place among that row's outputs; for "input", `output` is its place among
    the network's inputs. `name` is that of an input, a buffer, a constant or a parameter.
    """

    origin: str
    row: int | None = None
    output: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Row(Stored):
    """One line of a report: a call, or a folded module standing for all calls inside it.

    `path` names the row: the module's path, with the kind behind it where a module makes several calls.
    `module` is the `named_modules()` path and `call` counts that module's runs. Shapes carry the batch.
    `params` counts the elements of `parameters`, those that this row is the first to use. `macs` and `activations`
    are None where unknown; `unknown` then names the ops, and `least_macs` is the sum of what is known.
    `depth` is the number of weight layers on the longest path from the input to this row's output.
    `calls` is the number of calls that the row stands for; a row for one call has `products` that make its macs.
    `receptive_field` is the number of input pixels that a unit of the output sees, one an axis, "all" where it sees
    the whole input, None where unknown; unit i sees rf_offset + i·jump to rf_offset + i·jump + receptive_field - 1,
    padding counted as pixels; `misaligned` if paths of different jumps met, and these are those of one of them.
    `jump` and `rf_offset` are None where positions do not lie along an axis any more.
    `read_bytes` and `written_bytes` are those of all tensors that go in, weights included, and come out; 0 for views.
    `read_floats` and `written_floats` are the floating-point elements among those, by dtype.
    `backward_macs` and `saved_bytes` are there where the backward pass was followed: the multiply-adds of the gradients
    of inputs and weights that are needed, and what this call is the first to keep for them; `recomputed_macs` are
    those among the former that run it again, because it is in a checkpointed region. `least_seconds` and
    `bound` are there where a device was given: its roofline, and whether "arithmetic" or "memory" is what bounds.
    `inputs_from` says for each of `input_shapes` where it comes from. A folded module lists instead every tensor once
    that its calls read and that comes from outside, in the order in which they read it. The outputs of a folded module
    are the tensors that are read outside it or that the network puts out, numbered in the order in which they are made.
    """

    path: str
    kind: str
    module: str = ""
    call: int = 0
    window: Window | None = None
    input_shapes: tuple[Shape, ...] = ()
    output_shapes: tuple[Shape, ...] = ()
    dtype: str = "float32"
    params: int = 0
    macs: int | None = 0
    activations: int | None = 0
    least_macs: int = 0
    depth: int = 0
    unknown: tuple[str, ...] = ()
    free: str = ""
    calls: int = 1
    products: tuple[Product, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    receptive_field: Shape | str | None = None
    jump: tuple[int | ExactFraction, ...] | None = None
    rf_offset: tuple[int, ...] | None = None
    misaligned: bool = False
    read_bytes: int = 0
    written_bytes: int = 0
    read_floats: tuple[tuple[str, int], ...] = ()
    written_floats: tuple[tuple[str, int], ...] = ()
    backward_macs: int | None = None
    saved_bytes: int | None = None
    recomputed_macs: int = 0
    least_seconds: float | None = None
    bound: str | None = None
    inputs_from: tuple[Source, ...] = ()

    @property
    def least_ms(self) -> float | None:
        """The least time on the device in milliseconds."""
        return None if self.least_seconds is None else 1000 * self.least_seconds

    @property
    def bytes_moved(self) -> int:
        """Bytes that are read, weights included, and written: what must pass between memory and processor once."""
        return self.read_bytes + self.written_bytes

    @property
    def intensity(self) -> float | None:
        """Arithmetic intensity: FLOPs a byte moved; None where nothing is moved or the FLOPs are unknown."""
        return None if self.flops is None or not self.bytes_moved else self.flops / self.bytes_moved

    @property
    def output_elements(self) -> int:
        """Elements of all outputs."""
        return sum(map(prod, self.output_shapes))

    @property
    def weights(self) -> int:
        """Elements of the parameters of two or more axes: params without biases and normalisation."""
        return sum(parameter.numel for parameter in self.parameters if len(parameter.shape) > 1)

    @property
    def input_shape(self) -> Shape | None:
        """Shape of the first input, with the batch."""
        return self.input_shapes[0] if self.input_shapes else None

    @property
    def output_shape(self) -> Shape | None:
        """Shape of the first output, with the batch."""
        return self.output_shapes[0] if self.output_shapes else None

    @property
    def flops(self) -> int | None:
        """Floating-point operations: two a multiply-add; None where unknown."""
        return None if self.macs is None else 2 * self.macs

    @property
    def kernel(self) -> Shape | None:
        """Kernel size, one number an axis; None where nothing slides."""
        return self.window.kernel if self.window else None

    @property
    def stride(self) -> Shape | None:
        """Stride, one number an axis."""
        return self.window.stride if self.window else None

    @property
    def padding(self) -> Shape | str | None:
        """Padding, one number an axis, or torch's word for it ("same", "valid")."""
        return self.window.padding if self.window else None

    @property
    def dilation(self) -> Shape | None:
        """Dilation, one number an axis."""
        return self.window.dilation if self.window else None

    @property
    def groups(self) -> int | None:
        """Number of groups of channels that do not see each other."""
        return self.window.groups if self.window else None

    def _write(self, document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "flops": self.flops}


@dataclass(frozen=True, slots=True)
class Report(Shown, Stored):
    """What a network costs: rows in forward order and what a reader must know about them.

    `source` says where the network comes from, such as the paper; `input_shapes` and `output_shapes` carry the
    batch; `batch_size` is set where every shape of every row begins with it, so that it can be left out in print.
    `uncalled` lists registered parameters that no row used, by name, with their elements. `folded` is the depth
    that the rows were folded to, None where they are single calls. `failure` is the error at which the rows end.
    `modules` is the tree that the rows came from, by path. `outputs_from` says for each of `output_shapes` where it
    comes from.
    """

    SCHEMA: ClassVar[str] = "archcalc.report/1"

    subject: str
    rows: tuple[Row, ...]
    input_shapes: tuple[Shape, ...]
    output_shapes: tuple[Shape, ...] = ()
    source: str = ""
    training: bool = False
    batch_size: int | None = None
    depth: int = 0
    uncalled: dict[str, int] = field(default_factory=dict, hash=False)
    notes: tuple[str, ...] = ()
    folded: int | None = None
    failure: str | None = None
    modules: dict[str, Module] = field(default_factory=dict, repr=False, hash=False)
    outputs_from: tuple[Source, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every call was counted or is free for a reason; if not, totals are lower bounds."""
        return self.failure is None and not self.unknown

    @property
    def unknown(self) -> tuple[str, ...]:
        """The calls that have no formula, as "path: op"."""
        return tuple(f"{row.path}: {op}" for row in self.rows for op in row.unknown)

    def total(self, key: str) -> int:
        """The sum of a column that adds up, such as `params` or `macs`, over the rows; unknown ones add what is known.

        Raises KeyError for any other key.
        """
        return total(self, key)

    @property
    def params(self) -> int:
        """Elements of all parameters that ran, each counted once."""
        return self.total("params")

    @property
    def macs(self) -> int:
        """Multiply-adds of one forward pass; a lower bound unless `complete`."""
        return self.total("macs")

    def __getitem__(self, path: str) -> Row:
        """The row of a layer, or one row for all calls of a module; UsageError with the closest paths for another."""
        row: Row = later("row_at", self, path)
        return row

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def plot(self, kind: str, **options: Any) -> Any:
        """The `Chart` that `archcalc.plot(kind, report)` gives: "layers", "receptive-field", "compare", "roofline"."""
        return later("plot", kind, self, **options)

    def draw(self, **options: Any) -> Any:
        """The `Drawing` that `archcalc.draw(report)` gives: the architecture as papers draw it."""
        return later("draw", self, **options)

    def _write(self, document: dict[str, Any]) -> dict[str, Any]:
        rows, modules = document.pop("rows"), document.pop("modules")
        return {
            **document,
            "complete": self.complete,
            "unknown": list(self.unknown),
            "totals": {key: self.total(key) for key in ("params", "macs", "flops", "activations")},
            "convention": COUNTING_CONVENTION,
            "rows": rows,
            "modules": modules,
        }

    def to_pandas(self) -> pandas.DataFrame:
        """The rows as a DataFrame with the columns of the CSV: raw integers, missing where unknown."""
        import pandas

        return pandas.DataFrame({key: [column.value(row) for row in self.rows] for key, column in COLUMNS.items()})
