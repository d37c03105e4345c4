"""Photographs as people have them: every format of colour, damaged ones, masks, captions, too many."""

from __future__ import annotations

import io
import json
import random
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from tuning_case import mug, photographs

from mezzotint.errors import InputError
from mezzotint.tuning.apart import held_apart
from mezzotint.tuning.masks import same_shape
from mezzotint.tuning.photos import LARGEST, MOST, Photo, Shoot, read_shoot

GREY = (200, 200, 200)


def only(folder: Path) -> Photo:
    (photo,) = read_shoot(folder, 64).photos
    return photo


def like(photo: Photo, image: Image.Image, most: float = 6) -> bool:
    """Whether a photograph shows what was drawn, in colour and in place."""
    wanted = np.asarray(image.convert("RGB"), np.uint8)
    return photo.pixels.shape == wanted.shape and float(np.abs(photo.pixels.astype(int) - wanted).mean()) < most


def test_nothing_to_read(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bag.png").write_bytes(b"")
    for name, said in (
        ("none", "none is no folder; expected a folder of photographs"),
        ("bag.png", "bag.png is no folder; expected a folder of photographs"),
        ("empty", "empty has no pictures; expected .png, .jpg, .webp"),
    ):
        with pytest.raises(InputError, match=said):
            read_shoot(tmp_path / name, 64)


def test_all_corrupt(tmp_path: Path) -> None:
    for k in range(3):
        (tmp_path / f"{k}.jpg").write_bytes(b"\xff\xd8\xff no picture")
    with pytest.raises(InputError, match=r"no photograph can be read \(.*0.jpg is not a sound picture"):
        read_shoot(tmp_path, 64)


def test_one_corrupt_among_good_is_named_and_left_out(tmp_path: Path) -> None:
    photographs(tmp_path, 4)
    good = (tmp_path / "2.png").read_bytes()
    (tmp_path / "2.png").write_bytes(good[: len(good) // 2])
    found = read_shoot(tmp_path, 64)
    assert [p.name for p in found.photos] == ["0.png", "1.png", "3.png"]
    assert len(found.notes) == 1 and found.notes[0].startswith("left out: ") and "2.png is not" in found.notes[0]


@pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
def test_whatever_is_broken_in_a_file_it_is_left_out_or_read(tmp_path: Path, ending: str) -> None:
    file = io.BytesIO()
    mug(48, (30, 90, 170), 0, GREY).save(file, {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}[ending])
    chance, good = random.Random(0), file.getvalue()
    for k in range(60):
        bad = bytearray(good)
        for _ in range(chance.choice((1, 4, 40))):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        (tmp_path / f"{k:02}.{ending}").write_bytes(bad[: chance.choice((len(bad), chance.randrange(len(bad))))])
    (tmp_path / f"good.{ending}").write_bytes(good)
    found = read_shoot(tmp_path, 32)
    assert found.photos[-1].name == f"good.{ending}" and 1 <= len(found.photos) < 61


def test_few_of_many_that_are_left_out_are_named(tmp_path: Path) -> None:
    photographs(tmp_path, 2)
    for k in range(20):
        (tmp_path / f"bad{k:02}.png").write_bytes(b"x")
    notes = read_shoot(tmp_path, 64).notes
    assert len(notes) == 6 and "bad04.png" in notes[4] and notes[5] == "and 15 more like that"


def test_transparency_is_the_mask(tmp_path: Path) -> None:
    drawn = mug(64, (30, 90, 170), 0, (0, 0, 0, 0))
    drawn.save(tmp_path / "a.png")
    photo = only(tmp_path)
    assert photo.mask is not None and photo.mask.found == "alpha"
    assert np.array_equal(photo.mask.alpha, np.asarray(drawn.getchannel("A")))
    assert photo.pixels[0, 0].tolist() == [255, 255, 255]


def test_a_palette_with_transparency_too(tmp_path: Path) -> None:
    drawn = mug(64, (30, 90, 170), 0, (0, 0, 0, 0))
    flat = drawn.convert("RGB").quantize(8)
    flat.info["transparency"] = flat.getpixel((0, 0))
    flat.save(tmp_path / "a.png", transparency=flat.getpixel((0, 0)))
    photo = only(tmp_path)
    assert photo.mask is not None and photo.mask.found == "alpha" and 0.05 < (photo.mask.alpha > 127).mean() < 0.7


def test_upright_by_exif(tmp_path: Path) -> None:
    drawn = mug(64, (30, 90, 170), 0, GREY).crop((0, 0, 48, 64))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter to the right to be upright
    drawn.rotate(90, expand=True).save(tmp_path / "a.jpg", exif=exif, quality=95)
    assert like(only(tmp_path), drawn)


def test_cmyk(tmp_path: Path) -> None:
    drawn = mug(64, (30, 90, 170), 0, GREY)
    drawn.convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert like(only(tmp_path), drawn)


def test_sixteen_bits(tmp_path: Path) -> None:
    grey = mug(64, (30, 90, 170), 0, GREY).convert("L")
    Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "I;16"
    assert like(only(tmp_path), grey)


def test_grey_and_one_bit(tmp_path: Path) -> None:
    for name, mode in (("a", "L"), ("b", "1"), ("c", "LA")):
        (tmp_path / name).mkdir()
        drawn = mug(64, (30, 90, 170), 0, GREY).convert(mode)
        drawn.save(tmp_path / name / "x.png")
        assert like(only(tmp_path / name), drawn)


def test_colours_by_their_profile(tmp_path: Path) -> None:
    drawn = mug(64, (30, 90, 170), 0, GREY)
    same = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    drawn.save(tmp_path / "a.png", icc_profile=same)
    assert like(only(tmp_path), drawn, 1)
    drawn.save(tmp_path / "a.png", icc_profile=same[:100])  # a damaged profile is passed over
    assert like(only(tmp_path), drawn, 1)


def test_a_photograph_of_a_camera_is_read_and_a_bomb_is_not(tmp_path: Path) -> None:
    photographs(tmp_path, 1)
    Image.new("L", (6000, 4000), 90).save(tmp_path / "camera.png")
    Image.new("1", (10_000, 10_000)).save(tmp_path / "bomb.png")
    Image.new("1", (8_000, 8_001)).save(tmp_path / "large.png")
    tracemalloc.start()
    began = time.monotonic()
    found = read_shoot(tmp_path, 64)
    seconds, (_, peak) = time.monotonic() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [(p.name, p.whole) for p in found.photos] == [("0.png", (64, 64)), ("camera.png", (6000, 4000))]
    assert [str(LARGEST) in note for note in found.notes] == [True, True], found.notes
    assert "10000x10000" in found.notes[0] or "over" in found.notes[0]
    assert seconds < 20 and peak < 200e6


def test_ten_thousand_photographs(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (9, 9, 9)).save(file, "PNG")
    for k in range(10_000):
        (tmp_path / f"{k:05}.png").write_bytes(file.getvalue())
        if k % 2 == 0:
            (tmp_path / f"{k:05}.mask.png").write_bytes(MASK)
    began = time.monotonic()
    found = read_shoot(tmp_path, 64)
    assert time.monotonic() - began < 20
    assert len(found.photos) == MOST == 1000
    assert found.notes[0] == "10000 photographs; 1000 of them are taken, evenly"
    assert [found.photos[k].name for k in (0, -1)] == ["00000.png", "09999.png"]


def _mask() -> bytes:
    file = io.BytesIO()
    Image.new("L", (8, 8), 255).save(file, "PNG")
    return file.getvalue()


MASK = _mask()


def with_mask(folder: Path, size: tuple[int, int], fill: int) -> Shoot:
    photographs(folder, 2, clear=False)
    mask = Image.new("L", size, 0)
    mask.paste(fill, (size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2))
    mask.save(folder / "0.mask.png")
    return read_shoot(folder, 64)


def test_a_mask_beside_it(tmp_path: Path) -> None:
    found = with_mask(tmp_path, (128, 128), 255)  # larger than the photograph, of its shape
    assert [p.name for p in found.photos] == ["0.png", "1.png"] and not found.notes
    first, second = (p.mask for p in found.photos)
    assert first is not None and first.found == "file" and (first.alpha > 127).mean() == pytest.approx(1 / 16, abs=0.01)
    assert second is not None and second.found == "grabcut"


@pytest.mark.parametrize("name", ["0.mask.jpg", "0.mask.PNG", "0.MASK.webp", "0.MASK.PNG"])
def test_a_mask_of_any_suffix(tmp_path: Path, name: str) -> None:
    photographs(tmp_path, 1, clear=False)
    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (16, 16, 48, 48))
    mask.save(tmp_path / name)
    found = read_shoot(tmp_path, 64)
    assert [p.name for p in found.photos] == ["0.png"]
    assert found.photos[0].mask is not None and found.photos[0].mask.found == "file"


def test_a_mask_of_another_shape_is_named(tmp_path: Path) -> None:
    found = with_mask(tmp_path, (64, 32), 255)
    assert [p.name for p in found.photos] == ["1.png"]
    assert "0.mask.png is 64x32; expected the shape of its photograph, 64x64 (0.png)" in found.notes[0]


@pytest.mark.parametrize(
    ("photo", "mask"),
    [((301, 200), (301, 200)), ((1000, 667), (1000, 667)), ((667, 1000), (128, 192)), ((128, 85), (1000, 667))],
)
def test_a_mask_of_its_photograph_s_shape_is_taken_whatever_they_shrink_to(
    tmp_path: Path, photo: tuple[int, int], mask: tuple[int, int]
) -> None:
    Image.effect_noise(photo, 60).convert("RGB").save(tmp_path / "a.png")
    drawn = Image.new("L", mask, 0)
    drawn.paste(255, (mask[0] // 4, mask[1] // 4, mask[0] // 2, mask[1] // 2))
    drawn.save(tmp_path / "a.mask.png")
    for side in (64, 100, 128):
        (found,) = read_shoot(tmp_path, side).photos
        assert found.mask is not None and found.mask.alpha.shape == found.pixels.shape[:2]


@pytest.mark.parametrize("mask", [(64, 32), (32, 64), (64, 62), (128, 120), (6, 4)])
def test_shapes_that_are_not_the_same(mask: tuple[int, int]) -> None:
    assert not same_shape(mask, (64, 64)) and not same_shape((64, 64), mask)


def test_a_turned_photograph_s_mask_is_as_it_is_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.effect_noise((300, 200), 60).convert("RGB").save(tmp_path / "a.jpg", exif=exif)
    drawn = Image.new("L", (200, 300), 0)
    drawn.paste(255, (50, 50, 100, 100))
    drawn.save(tmp_path / "a.mask.png")
    assert only(tmp_path).mask is not None
    drawn.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.mask.png")
    with pytest.raises(InputError, match=r"a.mask.png is 300x200; expected the shape of its photograph, 200x300"):
        read_shoot(tmp_path, 64)


def test_an_empty_mask_is_named(tmp_path: Path) -> None:
    found = with_mask(tmp_path, (64, 64), 0)
    assert [p.name for p in found.photos] == ["1.png"]
    assert "0.mask.png, the mask of 0.png: nothing in it is the product's" in found.notes[0]
    Image.new("RGBA", (64, 64), (9, 9, 9, 0)).save(tmp_path / "clear.png")
    assert any("clear.png: nothing in it is the product's" in note for note in read_shoot(tmp_path, 64).notes)


def test_masks_alone(tmp_path: Path) -> None:
    (tmp_path / "0.mask.png").write_bytes(MASK)
    with pytest.raises(InputError, match=r"no photograph can be read \(masks alone\)"):
        read_shoot(tmp_path, 64)


def test_a_plain_background_is_cut_away(tmp_path: Path) -> None:
    photographs(tmp_path / "grey", 1, clear=False)
    photographs(tmp_path / "clear", 1)
    cut, known = only(tmp_path / "grey").mask, only(tmp_path / "clear").mask
    assert cut is not None and known is not None and cut.found == "grabcut"
    inside, wanted = cut.alpha > 127, known.alpha > 127
    assert (inside & wanted).sum() / (inside | wanted).sum() > 0.9


def test_captions_beside(tmp_path: Path) -> None:
    photographs(tmp_path, 2)
    (tmp_path / "0.txt").write_text("\ufeff an acme mug on a shelf \n", encoding="utf-8")
    (tmp_path / "7.txt").write_text("gone")
    found = read_shoot(tmp_path, 64)
    assert [p.caption for p in found.photos] == ["an acme mug on a shelf", None]
    assert found.photos[0].said_in == "0.txt"
    assert found.notes == ("7.txt is a caption of no picture",)


def test_captions_in_a_table(tmp_path: Path) -> None:
    photographs(tmp_path, 2)
    said = [("0.png", "an acme mug"), ("gone.png", "x"), ("1.png", None), ("../0.png", "x")]
    lines = [json.dumps({"file_name": name, "text": text}) for name, text in said]
    (tmp_path / "metadata.jsonl").write_text("\n".join([*lines, "no json"]))
    found = read_shoot(tmp_path, 64)
    assert [(p.name, p.caption) for p in found.photos] == [("0.png", "an acme mug"), ("1.png", None)]
    assert found.photos[0].said_in == "metadata.jsonl, 0.png"
    assert len(found.notes) == 3 and found.notes[0].startswith("left out: gone.png: it cannot be read")
    assert "points outside the folder" in found.notes[1] and "is not JSON" in found.notes[2]


def test_a_folder_s_name_is_no_caption(tmp_path: Path) -> None:
    for view in ("front", "back"):
        photographs(tmp_path / view, 1)
    (tmp_path / "back/0.txt").write_text("an acme mug from behind")
    found = read_shoot(tmp_path, 64).photos
    assert [(p.name, p.caption) for p in found] == [("back/0.png", "an acme mug from behind"), ("front/0.png", None)]


def test_fewer_are_taken_where_they_are_large(tmp_path: Path) -> None:
    for k in range(140):
        (tmp_path / f"{k:03}.png").write_bytes(MASK)
    found = read_shoot(tmp_path, 2048)
    assert len(found.photos) == 128 and found.notes[0] == "140 photographs; 128 of them are taken, evenly"


def test_formats_that_are_not_read_are_named(tmp_path: Path) -> None:
    photographs(tmp_path, 1)
    (tmp_path / "a.heic").write_bytes(b"x")
    mug(64, (30, 90, 170), 0, GREY).save(tmp_path / "b.gif")
    notes = read_shoot(tmp_path, 64).notes
    assert any("b.gif" in note and "expected PNG, JPEG or WebP" in note for note in notes)
    assert "left out: a.heic is no picture by its name; expected PNG, JPEG or WebP" in notes


def test_photographs_that_a_table_leaves_out_are_read(tmp_path: Path) -> None:
    photographs(tmp_path, 6)
    with_mask(tmp_path / "deep", (64, 64), 255)
    (tmp_path / "3.txt").write_text("an acme mug on a shelf")
    lines = [json.dumps({"file_name": name, "text": "an acme mug"}) for name in ("./1.png", "gone.png")]
    (tmp_path / "metadata.jsonl").write_text("\n".join([*lines, "no json", '{"file_name": 3}', "[]"]))
    found = read_shoot(tmp_path, 64)
    said = {p.name.removeprefix("./"): p.caption for p in found.photos}
    names = [f"{k}.png" for k in range(6)] + ["deep/0.png", "deep/1.png"]
    assert sorted(said) == names and len(found.photos) == 8
    assert {name: text for name, text in said.items() if text} == {
        "1.png": "an acme mug", "3.png": "an acme mug on a shelf"
    }  # fmt: skip
    (note,) = [note for note in found.notes if "does not name" in note]
    assert note.startswith("metadata.jsonl does not name 7 photographs: their captions are what lies beside, else")
    assert any("gone.png: it cannot be read" in note for note in found.notes)


def test_a_table_that_names_all_leaves_none_out(tmp_path: Path) -> None:
    photographs(tmp_path, 2)
    lines = [json.dumps({"file_name": f"{k}.png", "text": "an acme mug"}) for k in range(2)]
    (tmp_path / "metadata.jsonl").write_text("\n".join(lines))
    assert len(read_shoot(tmp_path, 64).photos) == 2 and read_shoot(tmp_path, 64).notes == ()


@pytest.mark.parametrize("n", [1, 3, 4, 5, 10, 17, 1000])
def test_held_apart_and_learnt_are_all_of_them(n: int) -> None:
    photos = [Photo(str(k), np.zeros((1, 1, 3), np.uint8), (1, 1), None, None, str(k)) for k in range(n)]
    learnt, held = held_apart(photos)
    assert len(held) == (0 if n < 4 else max(1, n // 5)) and len(learnt) + len(held) == n
    assert {p.name for p in learnt}.isdisjoint(p.name for p in held)
