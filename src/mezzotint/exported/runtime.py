"""What runs a graph: ONNX Runtime or OpenVINO, imported when it is needed, and never torch."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import ModelError, UsageError

Array = NDArray[Any]


class Session(Protocol):
    """A graph that is ready: named inputs (B, *) -> its one answer (B, *)."""

    def __call__(self, feeds: Mapping[str, Array]) -> Array: ...


def missing(error: ImportError) -> UsageError:
    """The one line for a package that is not installed."""
    name = (error.name or str(error)).partition(".")[0]
    extra = "openvino" if name == "openvino" else "onnx"
    return UsageError(f"{name} is not installed, which exported models need; pip install 'mezzotint[{extra}]'")


@dataclass(frozen=True, eq=False)
class Onnx:
    """A session of ONNX Runtime."""

    session: Any

    def __call__(self, feeds: Mapping[str, Array]) -> Array:
        (answer,) = self.session.run(None, dict(feeds))
        made: Array = answer
        return made


@dataclass(frozen=True, eq=False)
class OpenVino:
    """A request of OpenVINO.  Its answer lies in the request's own memory, so it is copied."""

    request: Any

    def __call__(self, feeds: Mapping[str, Array]) -> Array:
        self.request.infer(dict(feeds))
        return np.array(self.request.get_output_tensor(0).data)


def onnx_session(model: bytes | Path, threads: int) -> Onnx:
    """Raises UsageError where ONNX Runtime is not installed, ModelError for a graph that it cannot read."""
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise missing(error) from error
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    # Threads that wait should sleep: spinning burns whole cores beside anything else that runs here.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Weights kept in int8 are made wide again and not multiplied in int8, which would round the activations too.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    source = model if isinstance(model, bytes) else str(model)
    try:
        return Onnx(ort.InferenceSession(source, options, providers=["CPUExecutionProvider"]))
    except Exception as error:  # its errors share no class of their own
        raise _unread(model, error) from error


def openvino() -> Any:
    """The package ``openvino``, kept from calling home: its telemetry is made to look not installed.

    Raises UsageError where it is not installed.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # what Python takes for "not there"
    try:
        import openvino as ov
    except ImportError as error:
        raise missing(error) from error
    return ov


def openvino_session(model: bytes | Path, threads: int) -> OpenVino:
    """In float32, whatever the processor would like better.  Raises as ``onnx_session``."""
    ov = openvino()
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    try:
        core = ov.Core()
        return OpenVino(core.compile_model(core.read_model(model), "CPU", settings).create_infer_request())
    except RuntimeError as error:
        raise _unread(model, error) from error


def _unread(model: bytes | Path, error: Exception) -> ModelError:
    where = "a graph" if isinstance(model, bytes) else str(model)
    return ModelError(
        f"{where} cannot be run ({str(error).strip().partition(chr(10))[0][:200]}); export the model again"
    )


@dataclass(frozen=True)
class Runtime:
    """package: its distribution.  suffix: of its files.  session: how one is made."""

    package: str
    suffix: str
    session: Callable[[Path, int], Session]

    @property
    def version(self) -> str:
        """Raises UsageError where it is not installed."""
        try:
            return metadata.version(self.package)
        except metadata.PackageNotFoundError as error:
            raise missing(ImportError(name=self.package)) from error


RUNTIMES = {
    "onnx": Runtime("onnxruntime", ".onnx", onnx_session),
    "openvino": Runtime("openvino", ".xml", openvino_session),
}
"""By what a model is exported to."""


def processor() -> str:
    """The instruction set that rounds, as torch names it; on other processors than x86 their architecture."""
    try:
        flags = set(Path("/proc/cpuinfo").read_text().partition("flags")[2].partition("\n")[0].split())
    except OSError:
        flags = set()
    if {"avx512vl", "avx512bw", "avx512dq", "fma"} <= flags:
        return "AVX512"
    return "AVX2" if {"avx2", "fma"} <= flags else platform.machine()
