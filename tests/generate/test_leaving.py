"""The way out: mark, then lock, then gate; no other order will do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asking import request_of

from mezzotint.files import sha256
from mezzotint.governance.safety.output.gate import load
from mezzotint.governance.safety.output.policy import OutputPolicy
from mezzotint.making.image import Image
from mezzotint.making.leaving import Leaving, lock_of
from mezzotint.making.prepare import prepare
from mezzotint.making.released import Withheld, judged, refusal
from mezzotint.making.run import sampled

SHOWN = {"findings": [{"code": "MZ-O-sexual-nsfw", "decision": "block"}]}


@dataclass(frozen=True)
class Mark:
    """One that touches every pixel it may, and says where."""

    free: Any = None
    touched: list[Any] = field(default_factory=list)

    def __call__(self, pixels: Any, asset_id: str) -> tuple[Any, dict[str, str]]:
        self.touched.append(self.free)
        return np.where(True if self.free is None else self.free[..., None], pixels ^ 1, pixels), {"state": "embedded"}


@dataclass(frozen=True)
class Lock:
    """Half of a picture is 7, and its soft edge, the row below, is 9."""

    full: Any

    def laid(self, pixels: Any) -> Any:
        found = np.where(self.full[..., None], np.uint8(7), pixels)
        found[4] = 9
        return found


@pytest.fixture(scope="module")
def image(tiny: Path) -> Image:
    job = prepare(request_of("sneaker", model=tiny, steps=2))
    (found,) = [event for event in sampled(job) if isinstance(event, Image)]
    return found


def test_the_gate_sees_what_leaves_and_the_lock_has_the_last_word_on_its_pixels(image: Image) -> None:
    full = np.zeros(image.pixels.shape[:2], bool)
    full[:4] = True
    seen: list[Image] = []
    mark = Mark()
    found = Leaving(mark, Lock(full), lambda one: seen.append(one) or one)(image)  # type: ignore[arg-type, func-returns-value]
    assert isinstance(found, Image) and seen == [found]
    assert (found.pixels[full] == 7).all() and (found.pixels[5:] == image.pixels[5:] ^ 1).all()
    assert (found.pixels[4] == 9).all(), "the mark was there before"
    assert (mark.touched[0] == ~full).all(), "the mark is told which pixels are not its own"
    assert found.receipt.pixels_sha256 == sha256(found.pixels.tobytes()) and found.receipt.mark == {"state": "embedded"}
    assert image.receipt.mark is None and found.receipt.made == image.receipt.made


def test_a_picture_that_the_gate_keeps_never_comes_out(image: Image) -> None:
    way: Leaving[str] = Leaving(None, None, lambda one: "kept")
    assert list(way.each(["step", image])) == ["step", "kept"]


def test_nothing_is_locked_where_nobody_asks(image: Image) -> None:
    assert lock_of(None) is None and Leaving(None, None, lambda one: one)(image) is image


def test_an_empty_picture_has_failed_and_is_not_called_blocked(image: Image) -> None:
    """Nobody should look for what it shows: its error has another code than a picture that was judged."""
    gate = load(OutputPolicy())
    empty = judged(gate, replace(image, pixels=np.zeros_like(image.pixels)))
    other = judged(gate, replace(image, pixels=image.pixels[:, :4]))
    assert isinstance(empty, Withheld) and isinstance(other, Withheld)
    assert (refusal([empty]).code, refusal([empty, other]).code) == ("generation_failed", "generation_failed")
    assert "MZ-O-structure-black" in str(refusal([empty]))
    banned = replace(empty.receipt, output_check={**SHOWN, "decision": "block"})
    assert refusal([empty, replace(empty, receipt=banned)]).code == "output_blocked"
