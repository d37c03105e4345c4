"""The process that reads a pickle of weights for ``convert``: ``python -m mezzotint.pretrained.unpickle FILE OUT``.

A pickle is a program.  Here it can name a tensor's parts and nothing else: every other name becomes an empty object,
so that nothing of a checkpoint's is ever imported or called.  Should that fail, the process has no network, starts no
other, writes nowhere but to OUT's folder, and its memory has an end.
"""

from __future__ import annotations

import json
import pickle
import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from mezzotint.errors import MezzotintError, ModelError
from mezzotint.tensorfile import NAME, write_tensors

ADVICE = "expected a table of tensors by name; save its state_dict alone"

DEPTH = 8
"""How deep tables in tables are followed."""

SPARE_BYTES = 4 << 30
"""Address space beyond what a file's own bytes take twice."""

FORBIDDEN = (
    "socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "os.startfile", "pty.",
    "ctypes.", "os.kill", "os.putenv", "os.chmod", "os.chown", "os.link", "os.symlink", "shutil.", "urllib.", "ftplib.",
    "http.", "smtplib.", "webbrowser.",
)  # fmt: skip
PATHS = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate")

ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor"): torch._utils._rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,
    ("torch.nn.parameter", "Parameter"): torch.nn.Parameter,
    ("torch", "Size"): torch.Size,
    ("torch", "device"): torch.device,
    **{("torch", str(d).removeprefix("torch.")): d for d in vars(torch).values() if isinstance(d, torch.dtype)},
    **{("torch", name): made for name, made in vars(torch).items() if name.endswith("Storage")},
    ("torch.storage", "UntypedStorage"): torch.UntypedStorage,
    ("torch.storage", "TypedStorage"): torch.storage.TypedStorage,
}
"""All that a pickle may name."""


class Unread(dict[Any, Any]):
    """What stands in for an object of any other kind: it takes anything and does nothing."""

    def __new__(cls, *args: object, **kwargs: object) -> Unread:
        return super().__new__(cls)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__()

    def __setstate__(self, state: object) -> None:
        pass

    def __call__(self, *args: object, **kwargs: object) -> Unread:
        return self

    def append(self, value: object) -> None:
        """As lists have it."""

    extend = append


class OtherTensor(Unread):
    """What stands in for a tensor that is made in a way that is not read here, so that it is not lost unseen."""

    kind = ""


KINDS = {"_rebuild_qtensor": "quantised", "_rebuild_sparse_tensor": "sparse", "_rebuild_nested_tensor": "nested"}
"""How torch makes tensors that safetensors cannot hold -> what they are."""


class Reader(pickle.Unpickler):
    """``pickle.Unpickler`` with the closed set of names."""

    def find_class(self, module: str, name: str) -> Any:
        if name.startswith("_rebuild_") and (module, name) not in ALLOWED and module.startswith("torch."):
            return type("Other", (OtherTensor,), {"kind": KINDS.get(name, "no plain tensor")})
        return ALLOWED.get((module, name), Unread)


class NoTensorsError(ModelError):
    """What was loaded holds none at all."""


def tensors_in(value: Any, prefix: str = "", depth: int = DEPTH) -> Iterator[tuple[str, Tensor]]:
    """Every tensor of nested tables, by its path with dots.

    Raises ModelError for tensors that have no such path, in lists or too deep: they would be lost.
    """
    if isinstance(value, OtherTensor):
        raise ModelError(
            f"its {prefix[:60]!r} is {value.kind}, which is not read here; save it dense, in a plain dtype"
        )
    if isinstance(value, Tensor):
        yield prefix, value
    elif isinstance(value, Mapping) and depth:
        for key, inner in value.items():
            if isinstance(key, str | int):
                yield from tensors_in(inner, f"{prefix}.{key}" if prefix else str(key), depth - 1)
            elif _holds_tensors(inner):
                raise ModelError(f"it has tensors in {prefix or 'its table'} under {str(key)[:60]!r}, which is no name")
    elif _holds_tensors(value):
        raise ModelError(f"its {prefix[:60]!r} is a {type(value).__name__} that holds tensors without names; {ADVICE}")


def _holds_tensors(value: Any, depth: int = DEPTH) -> bool:
    """Whether there is a tensor somewhere in lists, tuples and tables."""
    if isinstance(value, Tensor | OtherTensor) or not depth:
        return isinstance(value, Tensor | OtherTensor)
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple | set) else ()
    return any(_holds_tensors(one, depth - 1) for one in inside)


def weights_of(loaded: Any) -> dict[str, Tensor]:
    """The weights of what was loaded: ``state_dict`` alone where there is one, without optimizer and counters; of a
    textual inversion its vectors, named as AUTOMATIC1111's web UI names them in safetensors files.

    Raises NoTensorsError, ModelError: a name that safetensors cannot hold, one of two, tensors that are not read.
    """
    word = loaded.get("string_to_param") if isinstance(loaded, Mapping) else None
    if isinstance(word, Mapping) and len(dict(tensors_in(word))) == 1:
        return {"emb_params": next(iter(dict(tensors_in(word)).values()))}
    inner = loaded.get("state_dict") if isinstance(loaded, Mapping) else None
    dense: dict[str, Tensor] = {}
    for name, tensor in tensors_in(inner if isinstance(inner, Mapping) and inner else loaded):
        if name in dense:
            raise ModelError(f"two of its tensors are named {name[:60]!r}; {ADVICE}")
        dense[name] = tensor
    if not dense:
        raise NoTensorsError("it holds no tensors; expected a checkpoint of weights")
    for name in dense:
        if not NAME.fullmatch(name):
            raise ModelError(f"it names a tensor {name[:60]!r}; expected letters, digits and . _ - / : < > *")
    return dense


def check_bytes(weights: Mapping[str, Tensor], size: int) -> None:
    """Raises ModelError where the tensors would take much more than the file did: a bomb."""
    needed = sum(w.numel() * w.element_size() for w in weights.values())
    if needed > 2 * size + (1 << 20):
        raise ModelError(f"its tensors would take {needed} bytes, the file has {size}; it is not what it should be")


def confine(out: Path, size: int) -> None:
    """From here on: no network, no processes, no files written but in OUT's folder, memory with an end."""
    folder = str(out.parent.resolve())

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event.startswith(FORBIDDEN):
            raise PermissionError(f"a pickle tried {event}")
        writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
        if (writes or event.startswith(PATHS)) and not str(Path(str(args[0])).resolve()).startswith(folder):
            raise PermissionError(f"a pickle tried {event} of {args[0]}")

    _bound(size)
    sys.addaudithook(hook)


def _bound(size: int) -> None:
    """An end to memory; Windows has no such limits."""
    with suppress(ImportError):
        import resource

        statm = Path("/proc/self/statm")
        pages = int(statm.read_text().split()[0]) if statm.exists() else 0
        limit = pages * resource.getpagesize() + 4 * size + SPARE_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(path: Path, out: Path) -> dict[str, Any]:
    """Writes OUT.   Returns: what it did.   Raises ModelError."""
    size = path.stat().st_size
    confine(out, size)
    reader: Any = SimpleNamespace(Unpickler=Reader, load=lambda file, **_: Reader(file).load(), __name__="reader")
    try:
        loaded = torch.load(path, map_location="cpu", pickle_module=reader, weights_only=False)
    except (RuntimeError, ValueError, TypeError, LookupError, EOFError, AttributeError, OSError, MemoryError) as error:
        raise ModelError(f"it cannot be read ({str(error).partition(chr(10))[0]})") from error
    except pickle.UnpicklingError as error:
        raise ModelError(f"it is no sound pickle ({error})") from error
    weights = weights_of(loaded)
    check_bytes(weights, size)
    plain = {k: w.detach().contiguous() for k, w in weights.items()}
    return {"sha256": write_tensors(out, plain), "tensors": len(plain)}


if __name__ == "__main__":
    try:
        answer = main(Path(sys.argv[1]), Path(sys.argv[2]))
    except NoTensorsError as fault:
        answer = {"empty": str(fault)}
    except MezzotintError as fault:
        answer = {"fault": str(fault)}
    print(json.dumps(answer))
