"""A network as an ONNX graph, with the number of rows left open, compared with the network before it is kept."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mezzotint.errors import ModelError, UsageError
from mezzotint.exported.runtime import missing

OPSET = 18
"""The first that has Col2Im, which puts overlapping patches together."""

ROWS = (2, 3)
"""Batches of the example that is traced, and of the one that is compared."""

CLOSE = 1e-3
"""The graph's answer may differ from the network's by this share of its largest number."""


class Told(nn.Module):
    """A denoiser's network with what it is told as arguments in order: (x, c_noise, *told) -> F."""

    def __init__(self, net: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.net, self.names = net, names

    def forward(self, x: Tensor, c_noise: Tensor, *told: Tensor) -> Tensor:
        y: Tensor = self.net(x, c_noise, dict(zip(self.names, told, strict=True)))
        return y


@contextmanager
def quiet() -> Iterator[None]:
    """Without the exporter's warnings and notes, which are about its own insides."""
    log, level = logging.getLogger("torch.onnx"), logging.getLogger("torch.onnx").level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        log.setLevel(level)


def graph(net: nn.Module, inputs: Mapping[str, Tensor]) -> Any:
    """The network as an ``onnx.ModelProto`` in float32, from named inputs (B, *) in the order it takes them.

    The graph's answer on another batch is compared with the network's.
    Raises UsageError (a package is missing, or the network cannot be written), ModelError (the graph answers
    otherwise).
    """
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise missing(error) from error
    example, other = ({k: _rows(v, n) for k, v in inputs.items()} for n in ROWS)
    with quiet(), torch.no_grad():
        wanted = net(*other.values())  # first: what networks remember of sizes must not be made while they are traced
        made = _traced(net.eval(), example)
    _compare(made, other, wanted)
    return made


def _rows(x: Tensor, n: int) -> Tensor:
    return x.expand(n, *x.shape[1:]).contiguous()


def _traced(net: nn.Module, example: Mapping[str, Tensor]) -> Any:
    batch = torch.export.Dim("batch")
    variadic = isinstance(net, Told)
    shapes: Any = tuple({0: batch} for _ in example)
    if variadic:
        shapes = (*shapes[:2], shapes[2:])
    try:
        program = torch.export.export(net, tuple(example.values()), dynamic_shapes=shapes, strict=False)
        found = torch.onnx.export(
            program,
            (),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(example),
            output_names=["answer"],
            external_data=False,
            verbose=False,
        )
    except Exception as error:  # the exporter raises what its parts raise
        why = str(error).strip().partition("\n")[0][:200]
        raise UsageError(f"{type(net).__name__} cannot be written as ONNX ({why})") from error
    assert found is not None
    return found.model_proto


def _compare(made: Any, inputs: Mapping[str, Tensor], wanted: Tensor) -> None:
    """Raises ModelError unless the graph answers as the network does."""
    from mezzotint.exported.runtime import onnx_session

    session = onnx_session(made.SerializeToString(), 1)
    got = torch.from_numpy(session({k: v.numpy() for k, v in inputs.items()}))
    off, most = float((got.double() - wanted.double()).abs().max()), float(wanted.double().abs().max())
    if not off <= CLOSE * max(most, 1e-3):
        raise ModelError(f"the exported graph answers otherwise than the network, by {off:g} of {most:g}; report this")
