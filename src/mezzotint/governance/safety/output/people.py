"""Faces, by CenterFace: whether people are in a picture, never who they are.

Xu et al., 2020, CenterFace: Joint Face Detection and Alignment Using Face as Point: a heat map of face centres at a
quarter of the picture's size.  The weights are those of Star-Clouds/CenterFace.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mezzotint.errors import GateError
from mezzotint.governance.safety.output.filters import Network, answers, session
from mezzotint.governance.safety.output.policy import OutputPolicy, led_to
from mezzotint.governance.safety.output.verdict import Found, finding
from mezzotint.governance.safety.prompt.words import Decision
from mezzotint.pictures.png import Pixels, to_pil

SIDE = 256
"""Pixels along the longer side of what is looked at; a multiple of 32."""

THRESHOLD = 0.5
INPUT, OUTPUTS = "input.1", ("537", "538", "539", "540")


@dataclass(frozen=True, eq=False)
class People:
    """network: None where it is not installed."""

    network: Network | None
    policy: OutputPolicy

    name = "people"

    @cached_property
    def _session(self) -> Any:
        assert self.network is not None
        return session(any_size(self.network.data))

    def __call__(self, pixels: Pixels) -> Found:
        if self.network is None:
            missing = finding("people", "unchecked", self.name, Decision.COULD_NOT_CHECK, 1.0)
            return Found((missing,), {}, {self.name: "not-installed"})
        score = self._score(pixels)
        if score < THRESHOLD:
            return Found((), {"face": score})
        return Found((finding("people", "face", self.name, led_to(self.policy.people), score),), {"face": score})

    def _score(self, pixels: Pixels) -> float:
        """Of the likeliest face."""
        x = np.asarray(_scaled(pixels), np.float32).transpose(2, 0, 1)[None]
        (heat,) = answers(self._session, OUTPUTS[:1], INPUT, np.ascontiguousarray(x))
        return min(1.0, max(0.0, float(heat.max())))


def _scaled(pixels: Pixels) -> Any:
    """The longer side to 256 pixels, both to whole 32s."""
    from PIL import Image

    from mezzotint.pictures.flat import flat

    height, width = pixels.shape[:2]
    longer = max(height, width)
    size = tuple(max(32, round(n * SIDE / longer / 32) * 32) for n in (width, height))
    return flat(to_pil(pixels)).resize((size[0], size[1]), Image.Resampling.BILINEAR)


def any_size(data: bytes) -> bytes:
    """The graph with its sizes left open: it was written for 32 x 32.  Raises GateError where onnx is not installed."""
    try:
        import onnx
    except ImportError as error:
        raise GateError(
            "the output gate's filter centerface needs onnx, so nothing is made; pip install 'mezzotint[safety]'"
        ) from error
    model = onnx.load_from_string(data)
    for value in (*model.graph.input, *model.graph.output):
        if value.name in (INPUT, *OUTPUTS):
            sizes = value.type.tensor_type.shape.dim
            for k in (0, 2, 3):
                sizes[k].dim_param = f"{value.name}-{k}"
    return bytes(model.SerializeToString())
