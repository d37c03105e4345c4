"""The weights of an ONNX graph in fewer bytes: float16, or int8 with one scale a row; arithmetic stays float32."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import unknown

LEAST = 1024
"""Tensors of fewer numbers stay as they are."""

LEVELS = 127
"""int8 values used on each side of zero."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Users:
    """The nodes that a tensor goes into, and the names of the graph's inputs."""

    nodes: list[Any]
    inputs: set[str]

    def look_up(self, name: str) -> bool:
        """Whether it is a table of which rows are taken by an input of the graph."""
        if len(self.nodes) != 1:
            return False
        (node,) = self.nodes
        return bool(node.op_type == "Gather" and node.input[0] == name and node.input[1] in self.inputs)


Keep = Callable[[list[Any], str, Array, Users], list[Any]]
"""(initializers so far, a tensor's name, its values, its users) -> the nodes that make it, from what is added to the
first."""


def stored(model: Any, kind: str) -> Any:
    """The graph with its matrices kept as ``float32``, ``float16`` or ``int8``.  Raises UsageError for another kind."""
    if kind not in KINDS:
        raise unknown("weights", kind, KINDS)
    keep = KINDS[kind]
    return model if keep is None else _rewritten(model, keep)


def _rewritten(model: Any, keep: Keep) -> Any:
    import onnx
    from onnx import numpy_helper

    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    users = {t.name: [n for n in graph.node if t.name in n.input] for t in graph.initializer}
    inputs = {value.name for value in graph.input}
    old, new, first = list(graph.initializer), list[Any](), list[Any]()
    for tensor in old:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.ndim < 2 or values.size < LEAST:
            new.append(tensor)
            continue
        first += keep(new, tensor.name, values, Users(users[tensor.name], inputs))
    del graph.initializer[:]
    graph.initializer.extend(new)
    nodes = [*first, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return made


def _half(new: list[Any], name: str, values: Array, users: Users) -> list[Any]:
    """Halves, made wide where they are used."""
    from onnx import TensorProto, helper, numpy_helper

    new.append(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
    return [helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT)]


def _byte(new: list[Any], name: str, values: Array, users: Users) -> list[Any]:
    """q = round(w / s), s = max |w| / 127 of what makes one number of the answer."""
    from onnx import helper, numpy_helper

    axis = _row_axis(users, name, values.ndim)
    others = tuple(i for i in range(values.ndim) if i != axis)
    scale = np.maximum(np.abs(values).max(others), 1e-12).astype(np.float32) / np.float32(LEVELS)
    shape = [-1 if i == axis else 1 for i in range(values.ndim)]
    q = np.rint(values / scale.reshape(shape)).astype(np.int8)
    new += [numpy_helper.from_array(q, f"{name}_byte"), numpy_helper.from_array(scale, f"{name}_scale")]
    if users.look_up(name):
        return _looked_up(new, name, users.nodes[0])
    return [helper.make_node("DequantizeLinear", [f"{name}_byte", f"{name}_scale"], [name], axis=axis)]


def _looked_up(new: list[Any], name: str, gather: Any) -> list[Any]:
    """Rows of a table, made wide after they are looked up: a vocabulary is never wide as a whole."""
    from onnx import TensorProto, helper, numpy_helper

    index, answer = gather.input[1], gather.output[0]
    new.append(numpy_helper.from_array(np.array([-1], np.int64), f"{name}_last"))
    gather.CopyFrom(helper.make_node("Identity", [f"{name}_row"], [answer]))
    return [
        helper.make_node("Gather", [f"{name}_byte", index], [f"{name}_q"]),
        helper.make_node("Cast", [f"{name}_q"], [f"{name}_wide"], to=TensorProto.FLOAT),
        helper.make_node("Gather", [f"{name}_scale", index], [f"{name}_s"]),
        helper.make_node("Unsqueeze", [f"{name}_s", f"{name}_last"], [f"{name}_s1"]),
        helper.make_node("Mul", [f"{name}_wide", f"{name}_s1"], [f"{name}_row"]),
    ]


def _row_axis(users: Users, name: str, ndim: int) -> int:
    """The axis of the answer's numbers: the last of a matrix that is multiplied from the right, else the first."""
    right = any(node.op_type == "MatMul" and node.input[1] == name for node in users.nodes)
    return ndim - 1 if right else 0


KINDS: dict[str, Keep | None] = {
    "float32": None,
    "float16": _half,
    "int8": _byte,
}
