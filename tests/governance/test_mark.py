"""The invisible mark: what its false alarms rest on, what it outlives, what it never touches."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from mezzotint.errors import ProvenanceError, StorageError
from mezzotint.governance.provenance.mark import keys
from mezzotint.governance.provenance.mark.code import BITS, LENGTH, decoded, encoded, message, name_in
from mezzotint.governance.provenance.mark.embed import STEP, embed
from mezzotint.governance.provenance.mark.marking import Marking
from mezzotint.governance.provenance.mark.pattern import COUNT, pattern, tiled, turned, waves_of
from mezzotint.governance.provenance.mark.read import false_alarm, read
from mezzotint.making.marked import marking_of
from mezzotint.pictures.png import Pixels, to_pixels

KEY, NAME = b"k" * 32, 0xC0FFEE01


def photo(seed: int = 0, side: int = 256) -> Pixels:
    """Structure of all sizes, as photographs have it."""
    random = np.random.default_rng(seed)
    sizes = (2, 5, 12, 30)
    layers = [gaussian_filter(random.normal(size=(side, side, 3)), (k, k, 0)) * k**1.6 for k in sizes]
    scene = sum(layers)
    return (128 + 40 * scene / scene.std()).clip(0, 255).astype(np.uint8)


def packshot(shade: int = 255, side: int = 256) -> Pixels:
    """A product on a plain ground."""
    rows, columns = np.mgrid[:side, :side] / side - 0.5
    made = np.full((side, side, 3), shade, np.uint8)
    made[rows**2 + 2 * columns**2 < 0.08] = (150, 40, 40)
    return made


def saved(pixels: Pixels, kind: str, quality: int) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, quality=quality)
    return to_pixels(Image.open(file))


def sized(pixels: Pixels, share: float) -> Pixels:
    size = round(pixels.shape[1] * share), round(pixels.shape[0] * share)
    return to_pixels(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


PICTURES = ("photo", "on white", "on grey", "one channel")

CHANGES = {
    "nothing": lambda p: p,
    "jpeg": lambda p: saved(p, "JPEG", 75),
    "webp": lambda p: saved(p, "WEBP", 80),
    "crop": lambda p: p[11:241, 19:249],
    "smaller": lambda p: sized(p, 0.75),
}


def test_a_code_is_read_through_errors() -> None:
    random = np.random.default_rng(1)
    for name in (0, NAME, 2**32 - 1):
        bits = message(name, KEY)
        soft = encoded(bits) * random.permutation(np.repeat((1.0, -1.0), (LENGTH - 25, 25)))
        assert len(bits) == BITS and len(soft) == LENGTH
        assert np.array_equal(decoded(soft), bits) and name_in(decoded(soft), KEY) == name
        assert name_in(bits, b"o" * 32) is None


def test_the_decoder_has_no_favourite() -> None:
    """Signs flipped by a message's code flip what is read by that message: what the bound of false alarms rests on."""
    random = np.random.default_rng(2)
    for _ in range(20):
        soft, bits = random.normal(size=LENGTH), random.integers(0, 2, BITS).astype(np.uint8)
        assert np.array_equal(decoded(soft * encoded(bits)), decoded(soft) ^ bits)


def test_the_bound_is_small_enough() -> None:
    assert false_alarm() <= 1e-6 and false_alarm(keys=3) == 3 * false_alarm()


def test_every_sign_of_the_code_is_the_keys_own() -> None:
    """Each of the 210 is carried by waves whose signs differ from key to key."""
    a, b = pattern(KEY), pattern(b"o" * 32)
    assert np.bincount(a.place, minlength=LENGTH).min() >= 6
    assert sorted([*a.sync, *a.data]) == list(range(COUNT))
    together = np.bincount(a.place, a.sign * b.sign, LENGTH)
    assert abs(together.mean()) < 1 and np.allclose(np.abs(a.turn), 1)


def test_a_pattern_is_the_same_everywhere() -> None:
    """Marks of today are read tomorrow: the first numbers of a key's pattern are fixed."""
    own = pattern(bytes(32))
    assert own.sync[:6].tolist() == [318, 368, 333, 775, 493, 662] and own.sign[:8].tolist() == [
        1.0,
        -1.0,
        1.0,
        1.0,
        -1.0,
        1.0,
        -1.0,
        -1.0,
    ]


def test_moving_back_undoes_an_offset() -> None:
    own = pattern(KEY)
    picture = tiled(own.waves(encoded(message(NAME, KEY))), (256, 256)) * 1e3
    moved = np.roll(picture, (-9, -30), (0, 1))
    likeness = own.likeness(waves_of(moved))
    down, right = np.unravel_index(likeness.argmax(), likeness.shape)
    assert ((down / 2 - 128) % 128, (right / 2 - 128) % 128) == (128 - 9, 128 - 30)
    soft = own.soft(turned(waves_of(moved), down / 2, right / 2))
    assert np.array_equal(decoded(soft), message(NAME, KEY))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("picture", [photo(), packshot(), packshot(230), photo()[..., :1]], ids=PICTURES)
def test_a_mark_outlives(picture: Pixels, change: str) -> None:
    made = embed(picture, NAME, KEY)
    assert made.embedded and made.pixels.shape == picture.shape
    changed = CHANGES[change](made.pixels if picture.shape[2] == 3 else np.repeat(made.pixels, 3, -1))
    found = read(changed, [b"o" * 32, KEY])
    assert found is not None and found.name == NAME
    assert found.scale == (0.75 if change == "smaller" else 1)
    assert read(changed, [b"o" * 32]) is None


def test_a_mark_cannot_be_seen() -> None:
    for picture in (photo(3), packshot(), packshot(20)):
        made = embed(picture, NAME, KEY)
        change = made.pixels.astype(int) - picture
        assert made.decibels >= 38 and np.abs(change).max() <= STEP
        error = 10 * np.log10(255**2 / np.mean(change.astype(float) ** 2))
        assert made.decibels == pytest.approx(error, abs=0.01)


def test_nothing_but_free_pixels_is_touched() -> None:
    picture, free = photo(4), np.ones((256, 256), bool)
    free[60:200, 80:200] = False
    made = embed(picture, NAME, KEY, free)
    assert made.embedded and np.array_equal(made.pixels[~free], picture[~free])
    assert read(saved(made.pixels, "JPEG", 75), [KEY]) is not None


def test_where_there_is_no_room_nothing_is_touched() -> None:
    thin = np.zeros((256, 256), bool)
    thin[:4] = True
    for picture, free in ((photo(5), thin), (photo(5), thin & False), (photo(5, 32), None)):
        made = embed(picture, NAME, KEY, free)
        assert not made.embedded and np.array_equal(made.pixels, picture) and made.decibels == 0


def test_transparency_stays() -> None:
    picture = np.concatenate([photo(6), np.full((256, 256, 1), 77, np.uint8)], -1)
    made = embed(picture, NAME, KEY)
    assert made.embedded and (made.pixels[..., 3] == 77).all() and read(made.pixels, [KEY]) is not None


def test_unmarked_pictures_have_none() -> None:
    pictures = [photo(7), packshot(), np.zeros((300, 200, 3), np.uint8), np.full((64, 64, 1), 255, np.uint8)]
    assert all(read(picture, [KEY, b"o" * 32]) is None for picture in pictures)
    assert read(photo(7), []) is None


def test_a_large_picture_is_looked_at_in_its_middle() -> None:
    wide = np.tile(photo(8), (1, 10, 1))
    made = embed(wide, NAME, KEY)
    assert made.embedded and read(made.pixels, [KEY]) is not None


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def test_keys_are_made_once_and_kept_private(home: Path) -> None:
    assert keys.own() is None and keys.known() == [] and marking_of("auto") is None and marking_of("off") is None
    with pytest.raises(ProvenanceError, match="keys mark"):
        marking_of("required")
    path = keys.make()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and [p.name for p in home.iterdir()] == ["mark.key"]
    with pytest.raises(StorageError, match="nothing is overwritten"):
        keys.make()
    key = keys.own()
    assert key is not None and len(key) == 32 and keys.ident(key) not in key.hex()
    (home / "mark.key").rename(home / "old.key")
    Path("mezzotint.toml").write_text(f'[provenance]\nmarks = ["{home / "old.key"}"]\n')
    assert keys.own() is None and keys.known() == [key]
    (home / "mark.key").write_text("ff\n")
    with pytest.raises(ProvenanceError, match="1 bytes"):
        keys.own()
    (home / "mark.key").write_text("no key")
    with pytest.raises(ProvenanceError, match="hexadecimal"):
        keys.own()


def test_what_a_receipt_is_told() -> None:
    picture, asset = photo(9), "c0ffee01" + "0" * 24
    pixels, said = Marking(KEY)(picture, asset)
    assert said == {"state": "embedded", "name": "c0ffee01", "decibels": said["decibels"]}
    assert read(pixels, [KEY]).name == 0xC0FFEE01
    small = photo(9, 32)
    pixels, said = Marking(KEY)(small, asset)
    assert said == {"state": "no-room"} and np.array_equal(pixels, small)
    with pytest.raises(ProvenanceError, match="no room"):
        Marking(KEY, required=True)(small, asset)
    assert KEY.hex() not in repr(Marking(KEY)) and "kkkk" not in repr(Marking(KEY))
