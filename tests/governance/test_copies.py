"""Near-copies: found whatever was done to them, other pictures left alone, the registry whole or refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from planted_copies import ATTACKS

from mezzotint.errors import GateError
from mezzotint.governance.safety.output.copies import registry
from mezzotint.governance.safety.output.copies.check import Copies, likest
from mezzotint.governance.safety.output.copies.pdq import apart, pdq
from mezzotint.governance.safety.output.copies.sign import WINDOWS, signed
from mezzotint.governance.safety.output.policy import OutputPolicy
from mezzotint.governance.safety.prompt.words import Decision
from mezzotint.pictures.png import Pixels

Picture = Image.Image


def scene(seed: int, side: int = 256) -> Picture:
    """Shapes of many colours on a ground, as no other seed has them."""
    draw = Random(seed)
    made = Image.new("RGB", (side, side), tuple(draw.randrange(200, 256) for _ in range(3)))
    pen = ImageDraw.Draw(made)
    for _ in range(14):
        x, y, size = draw.randrange(side), draw.randrange(side), draw.randrange(side // 10, side // 3)
        shape = draw.choice([pen.rectangle, pen.ellipse])
        shape(
            (x - size // 2, y - size // 2, x + size // 2, y + size // 2), tuple(draw.randrange(256) for _ in range(3))
        )
    return made


def pixels(picture: Picture) -> Pixels:
    return np.asarray(picture, np.uint8)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> registry.Registered:
    path = tmp_path_factory.mktemp("safety") / "copies.sqlite"
    registry.added(path, [registry.entry("protected", f"{k}.png", pixels(scene(k))) for k in range(20)])
    return registry.registered(path)


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_a_copy_is_found(known: registry.Registered, attack: str) -> None:
    check, draw = Copies(known, OutputPolicy()), Random(7)
    found = [check(pixels(ATTACKS[attack](scene(k), draw))) for k in range(20)]
    right = sum(any(one.term == f"{k}.png" for one in each.findings) for k, each in enumerate(found))
    assert right >= (17 if attack == "70 % crop, anywhere" else 19), f"{attack}: {right} of 20"
    assert {one.code for each in found for one in each.findings} == {"MZ-O-copy-protected"}


def test_flips_and_turns_are_seen_without_hashes(known: registry.Registered) -> None:
    check = Copies(replace_pdqs(known), OutputPolicy())
    mirrored = [check(pixels(ATTACKS["mirrored"](scene(k), Random(0)))) for k in range(20)]
    turned = [check(pixels(scene(k).rotate(7, Image.Resampling.BICUBIC, fillcolor="white"))) for k in range(20)]
    assert sum(bool(one.findings) for one in mirrored) == 20
    assert sum(bool(one.findings) for one in turned) >= 15


def test_another_picture_is_no_copy(known: registry.Registered) -> None:
    check = Copies(known, OutputPolicy())
    assert [k for k in range(100, 140) if check(pixels(scene(k))).findings] == []


def test_the_same_shapes_in_another_colour_are_no_copy(known: registry.Registered) -> None:
    other = pixels(scene(3))[..., ::-1].copy()
    assert not Copies(replace_pdqs(known), OutputPolicy())(other).findings


def replace_pdqs(known: registry.Registered) -> registry.Registered:
    """Without hashes, which see no colours."""
    entries = tuple(replace(one, signature=replace(one.signature, pdq=b"")) for one in known.entries)
    return replace(known, entries=entries)


def test_the_nearest_is_said_of_every_picture(known: registry.Registered) -> None:
    assert Copies(known, OutputPolicy())(pixels(scene(3))).scores["nearest"] == pytest.approx(1.0, abs=0.01)
    assert Copies(registry.Registered(), OutputPolicy())(pixels(scene(3))).unchecked == {"copies": "nothing-registered"}


def test_what_a_copy_leads_to_is_the_policys(known: registry.Registered) -> None:
    for word, decision in (("review", Decision.REVIEW), ("block", Decision.BLOCK)):
        (one,) = Copies(known, OutputPolicy(copies=word))(pixels(scene(3))).findings
        assert one.decision == decision
    assert not Copies(known, OutputPolicy(similarity=1.0))(pixels(ATTACKS["text banner"](scene(3), Random(1)))).findings


def test_a_picture_made_again_is_no_copy_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "copies.sqlite"
    registry.added(path, [registry.entry("output", "asset", pixels(scene(1)))])
    check = Copies(registry.registered(path), OutputPolicy(outputs="block"))
    assert not check(pixels(scene(1))).findings
    flipped = ATTACKS["mirrored"](scene(1), Random(0))
    assert [one.code for one in check(pixels(flipped)).findings] == ["MZ-O-copy-output"]


def test_grey_small_and_see_through_pictures_have_signatures() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (8, 8, 1), dtype=np.uint8)
    clear = np.concatenate((pixels(scene(2)), np.full((256, 256, 1), 128, np.uint8)), -1)
    for one in (grey, clear, np.zeros((1, 1, 1), np.uint8)):
        assert signed(one).vectors.shape == (len(WINDOWS), 144)


def test_pdq_is_near_for_copies_and_far_for_others() -> None:
    first = pdq(np.asarray(scene(1).convert("L")))
    near = pdq(np.asarray(ATTACKS["JPEG 50"](scene(1), Random(0)).convert("L")))
    far = pdq(np.asarray(scene(2).convert("L")))
    bits = apart(first, np.array([np.frombuffer(one, np.uint8) for one in (first, near, far)]))
    assert bits[0] == 0 and bits[1] <= 10 and bits[2] > 80
    assert pdq(np.full((300, 200), 255, np.uint8)) == b""


def test_pdq_takes_half_its_bits() -> None:
    """The median splits 256 frequencies in halves."""
    sha = pdq(np.asarray(scene(5).convert("L")))
    assert sum(bin(byte).count("1") for byte in sha) == 128


def test_a_mirrored_picture_has_the_mirrored_hash() -> None:
    there, back = signed(pixels(scene(1))), signed(pixels(ATTACKS["mirrored"](scene(1), Random(0))))
    mirrored = np.array([np.frombuffer(one, np.uint8) for one in (there.mirrored, there.pdq)])
    near, far = apart(back.pdq, mirrored)
    assert near <= 31 < 80 < far


def test_the_registry_gives_back_what_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "copies.sqlite"
    given = registry.entry("training", "one.png", pixels(scene(1)))
    assert registry.added(path, [given, given]) == 1 and registry.added(path, [given]) == 0
    (one,) = registry.registered(path).entries
    assert (one.kind, one.name, one.pixels_sha256, one.signature.pdq) == (
        *("training", "one.png", given.pixels_sha256),
        given.signature.pdq,
    )
    assert np.array_equal(one.signature.rgb, given.signature.rgb)
    assert np.abs(registry.registered(path).vectors[0] - given.signature.vectors).max() < 1e-3
    assert registry.registered(path, ("mark",)).entries == () and registry.counted(path)["training"] == 1
    assert registry.replaced(path, "training", ()) == (0, 1) and registry.counted(path)["training"] == 0


def test_what_is_to_be_replaced_stays_where_the_new_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "copies.sqlite"
    old, new = (registry.entry("protected", f"{k}.png", pixels(scene(k))) for k in (1, 2))
    assert registry.added(path, [old]) == 1

    def failing() -> Iterator[registry.Entry]:
        yield new
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        registry.replaced(path, "protected", failing())
    assert [one.name for one in registry.registered(path).entries] == ["1.png"]
    assert registry.replaced(path, "protected", [new]) == (1, 1)
    assert [one.name for one in registry.registered(path).entries] == ["2.png"]


WAYS = {"add": registry.added, "replace": partial(registry.replaced, kind="protected")}


@pytest.mark.parametrize("way", WAYS)
def test_it_is_read_while_pictures_are_looked_at(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "WAIT_SECONDS", 0.2)
    path = tmp_path / "copies.sqlite"
    assert registry.added(path, [registry.entry("protected", "1.png", pixels(scene(1)))]) == 1

    def slowly() -> Iterator[registry.Entry]:
        for k in (2, 3):
            yield registry.entry("protected", f"{k}.png", pixels(scene(k)))
            assert len(registry.registered(path).entries) == 1

    written: Any = WAYS[way]
    written(path, entries=slowly())
    assert len(registry.registered(path).entries) >= 2


def test_a_damaged_registry_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "copies.sqlite"
    registry.added(path, [registry.entry("protected", "one.png", pixels(scene(1)))])
    data = bytearray(path.read_bytes())
    data[:100] = b"x" * 100
    path.write_bytes(data)
    with pytest.raises(GateError, match="damaged or in use, so nothing is made"):
        registry.registered(path)


def test_the_nearest_of_many_is_the_right_one(known: registry.Registered) -> None:
    for k in (0, 7, 19):
        number, score = likest(signed(pixels(scene(k))), known)
        assert known.entries[number].name == f"{k}.png" and score > 0.99
