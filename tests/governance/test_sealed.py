"""Sealed boxes: what seals cannot open, and a box opens whole and unchanged or not at all."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mezzotint.errors import GateError, InputError, StorageError
from mezzotint.governance.safety.output.gate import OutputGate
from mezzotint.governance.safety.output.policy import OutputPolicy
from mezzotint.governance.safety.output.sealed import MAGIC, Seal, make, opened, private_key, seal
from mezzotint.governance.safety.output.verdict import OUTPUT, finding
from mezzotint.governance.safety.prompt.gate import Gate
from mezzotint.governance.safety.prompt.shipped import lexicon
from mezzotint.governance.safety.prompt.verdict import Verdict
from mezzotint.governance.safety.prompt.words import Decision

x25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.x25519")
PIXELS = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
ASSET = "0" * 32
VERDICT = Verdict(Decision.BLOCK, (finding("sexual", "nsfw", "nsfw", Decision.BLOCK, 0.9),), side=OUTPUT)
KEY, OTHER = (x25519.X25519PrivateKey.from_private_bytes(bytes([k]) * 32) for k in (1, 2))
BOX = Seal(KEY.public_key())(PIXELS, ASSET, VERDICT.document)


def test_what_was_sealed_opens_to_the_bit_with_its_verdict() -> None:
    box = opened(BOX, KEY, "box")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(box.png))), PIXELS)
    assert box.head["asset_id"] == ASSET and box.head["verdict"] == json.loads(json.dumps(VERDICT.document))


def test_nothing_of_the_picture_is_in_the_box() -> None:
    """Rows of the picture, its PNG's chunks: none stands there in clear, and no two boxes are alike."""
    assert not any(PIXELS[k].tobytes() in BOX for k in range(len(PIXELS)))
    assert b"IHDR" not in BOX and b"IDAT" not in BOX
    again = Seal(KEY.public_key())(PIXELS, ASSET, VERDICT.document)
    assert again != BOX and len(again) == len(BOX)


@given(st.integers(0, len(BOX) - 1), st.integers(1, 255))
@settings(max_examples=150, deadline=None)
def test_a_box_that_was_changed_anywhere_is_a_line(place: int, flip: int) -> None:
    changed = bytearray(BOX)
    changed[place] ^= flip
    with pytest.raises(InputError) as error:
        opened(bytes(changed), KEY, "box")
    assert "\n" not in str(error.value)


@given(st.integers(0, len(BOX) - 1))
@settings(max_examples=60, deadline=None)
def test_a_box_that_is_cut_off_is_a_line(size: int) -> None:
    with pytest.raises(InputError):
        opened(BOX[:size], KEY, "box")


def test_another_key_is_a_line_that_names_both() -> None:
    with pytest.raises(InputError, match=r"sealed to the key [0-9a-f]{16}, and this one is [0-9a-f]{16}"):
        opened(BOX, OTHER, "box")


def test_a_box_says_another_key_and_does_not_open_for_it() -> None:
    """Who puts another key's name into the part in clear has gained nothing."""
    from mezzotint.governance.safety.output.sealed import ident

    ours, theirs = (ident(key.public_key()).encode() for key in (KEY, OTHER))
    with pytest.raises(InputError, match="changed"):
        opened(BOX.replace(ours, theirs), OTHER, "box")


def test_a_verdict_that_was_changed_keeps_the_box_shut() -> None:
    assert BOX.count(b"block")
    with pytest.raises(InputError, match="changed"):
        opened(BOX.replace(b"block", b"allow"), KEY, "box")


def test_nothing_of_what_may_not_be_held_is_sealed() -> None:
    gate = OutputGate(OutputPolicy(), Gate(lexicon()), (), seal=Seal(KEY.public_key()))
    assert gate.sealed(PIXELS, ASSET, VERDICT) is not None
    worst = finding("sexual-minors", "word", "text", Decision.BLOCK, 1.0)
    assert gate.sealed(PIXELS, ASSET, Verdict(Decision.BLOCK, (*VERDICT.findings, worst))) is None
    assert OutputGate(OutputPolicy(), Gate(lexicon()), ()).sealed(PIXELS, ASSET, VERDICT) is None


def test_keys_are_made_once_and_are_the_owners(tmp_path: Path) -> None:
    public, private = make(tmp_path)
    assert private.stat().st_mode & 0o077 == 0
    assert opened(seal(public)(PIXELS, ASSET, VERDICT.document), private_key(private), "box").png
    before = private.read_bytes()
    with pytest.raises(StorageError, match="nothing is overwritten"):
        make(tmp_path)
    assert private.read_bytes() == before


HOLLOW = b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"


@pytest.mark.parametrize("data", [None, b"", b"no key", HOLLOW])
def test_a_seal_without_its_key_stops_the_start(tmp_path: Path, data: bytes | None) -> None:
    if data is not None:
        (tmp_path / "k.pub").write_bytes(data)
    with pytest.raises(GateError, match="so nothing is made"):
        seal(tmp_path / "k.pub")


def test_keys_of_other_kinds_are_a_line(tmp_path: Path) -> None:
    public, private = make(tmp_path)
    for path in (public, tmp_path / "none"):
        with pytest.raises(InputError):
            private_key(path)
    with pytest.raises(GateError, match="expected X25519"):
        seal(private)


def test_what_is_no_box_is_a_line() -> None:
    for data in (b"", b"\x89PNG", MAGIC, MAGIC + b"\xff" * 99):
        with pytest.raises(InputError):
            opened(data, KEY, "box")
