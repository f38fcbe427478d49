"""What kind of call a torch function is: the name that a row shows, and how the recorder treats it."""

from __future__ import annotations

from dis import opmap
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any, NamedTuple

# Calls that give no tensor, or change how one is held rather than what is in it. They run on what they are
# given: a weight that is read by value (`item`, `tolist`) answers with its real value.
_RECORDS_NOTHING = frozenset(
    """size dim ndimension numel nelement stride is_contiguous storage_offset element_size data_ptr get_device
    is_floating_point is_complex is_signed is_same_size is_nonzero is_pinned is_shared is_set_to has_names
    untyped_storage storage tolist item numpy __len__ __bool__ __int__ __float__ __index__ __complex__ __hash__
    __repr__ __str__ __format__ __dir__ __reduce_ex__ __deepcopy__ __set__ __delete__ __dlpack__ __dlpack_device__
    requires_grad_ retain_grad register_hook register_post_accumulate_grad_hook backward
    is_grad_enabled is_inference is_tensor is_storage broadcast_shapes result_type can_cast promote_types
    has_torch_function sym_size sym_stride""".split()
)
_TENSOR_PROPERTIES = frozenset(["T", "mT", "H", "mH", "real", "imag", "data", "grad"])
_REFLECTED = {"truediv": "div", "itruediv": "div", "idiv": "div", "radd": "add", "iadd": "add", "isub": "sub"}
_REFLECTED |= {"rsub": "sub", "rmul": "mul", "imul": "mul", "rdiv": "div", "rtruediv": "div"}
_REFLECTED |= {"rpow": "pow", "ipow": "pow", "rfloordiv": "floor_divide", "floordiv": "floor_divide"}
_TORCH = frozenset(
    """torch torch._tensor torch.functional torch.nn.functional torch._C._nn torch._C._special torch._C._linalg
    torch._C._fft torch._C._sparse torch._jit_internal""".split()
)


class CallKind(NamedTuple):
    """The kind of a call by its `name`.

    `records_nothing`: it only asks a tensor for what is known of it, or sets how it is held. `in_place`: it puts its
    result into its first argument.
    """

    name: str
    records_nothing: bool = False
    in_place: bool = False


@lru_cache(maxsize=1024)
def classify(func: Any) -> CallKind:
    """What kind of call a function is that torch hands to a TorchFunctionMode."""
    name: str = getattr(func, "__name__", None) or type(func).__name__
    if name == "__get__":
        name = func.__self__.__name__
        return CallKind(name, records_nothing=name not in _TENSOR_PROPERTIES)
    if name in _RECORDS_NOTHING:
        return CallKind(name, records_nothing=True)
    module = getattr(func, "__module__", None) or getattr(getattr(func, "__objclass__", None), "__module__", None) or ""
    if module not in _TORCH and module != "torch._C":
        # Somebody else's function may share a name with one of torch's, and must not get its formula.
        return CallKind(f"{module.removeprefix('torch._ops.')}.{name}".removesuffix(".default"))
    if name.startswith("__"):
        name = name.strip("_")
        in_place = name in ("setitem", "iadd", "isub", "imul", "idiv", "itruediv", "ipow")
        return CallKind(_REFLECTED.get(name, name), in_place=in_place)
    return CallKind(name.rstrip("_"), in_place=name.endswith("_"))


def written_to(func: Any, args: Any, kwargs: Any) -> list[Any]:
    """The arguments that an op registered with torch says it writes to."""
    op = getattr(func, func.overloads()[0]) if hasattr(func, "overloads") else func
    return [
        args[at] if at < len(args) else kwargs.get(argument.name)
        for at, argument in enumerate(op._schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    ]


def spelling(func: Any, caller: FrameType | None) -> str:
    """How the program wrote a call: "torch.add", "Tensor.add", "F.relu", or "operator" for `+`, `@` and their like.

    Some tools replace functions by their own, and so count `torch.matmul(a, b)` but not `a @ b`. torch hands over the
    same function for `a @ b` and `a.matmul(b)`: what tells them apart is the instruction that the caller is at.
    """
    name = _dotted_name(func)
    if name in _OPERATORS and caller is not None and _is_operator(caller.f_code, caller.f_lasti):
        return "operator"
    return name


_OPERATORS = frozenset(["Tensor.add", "Tensor.mul", "Tensor.matmul"])


@lru_cache(maxsize=1024)
def _dotted_name(func: Any) -> str:
    name: str = getattr(func, "__name__", None) or type(func).__name__
    module = getattr(func, "__module__", None) or ""
    if getattr(func, "__objclass__", None) is not None:
        return f"Tensor.{name}"
    if module == "torch.nn.functional" or module == "torch._C._nn":
        return f"F.{name}"
    return f"torch.{name}" if module in _TORCH or module == "torch._C" else f"{module}.{name}"


@lru_cache(maxsize=1024)
def _is_operator(code: CodeType, at: int) -> bool:
    return code.co_code[at] == opmap.get("BINARY_OP")
