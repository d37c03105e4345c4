"""Whatever is damaged is left out by name and the run goes on; a data set that is wrong as a whole is one error."""

from __future__ import annotations

import gzip
import io
import json
import os
import struct
import tarfile
import zlib

import psutil
import pytest
import torch
from data_case import COLOURS, add, everything, idx, picture, shard_file
from PIL import Image
from training_case import made, run, same, tiny

from mezzotint.errors import InputError, StorageError, UsageError
from mezzotint.training.conditioning import Unconditional
from mezzotint.training.data.decode import decode
from mezzotint.training.data.detect import open_data, open_source
from mezzotint.training.data.idx import fashion_mnist, open_idx, read_idx
from mezzotint.training.data.quarantine import Quarantine
from mezzotint.training.data.source import BadItemError, Data, Item
from mezzotint.training.loop import train

# Damage


def damaged_folder(folder):
    """Nine good pictures and one of every kind of damage."""
    for k in range(9):
        (folder / f"good-{k}.png").write_bytes(picture(list(COLOURS)[k % 3], (8, 8)))
    good = picture("red", (64, 64), "JPEG")
    (folder / "bad-truncated.jpg").write_bytes(good[: len(good) // 2])
    (folder / "bad-empty.png").write_bytes(b"")
    (folder / "bad-html.png").write_bytes(b"<html>not found</html>")
    (folder / "bad-bomb.png").write_bytes(bomb())
    (folder / "bad-crc.png").write_bytes(picture().replace(b"IDAT", b"IDAX"))
    (folder / "bad-foreign.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")


BAD = {"bad-truncated.jpg", "bad-empty.png", "bad-html.png", "bad-bomb.png", "bad-crc.png", "bad-foreign.png"}


def bomb():
    """A PNG of a few bytes that declares 30,000 x 30,000 pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(30_001) * 100)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("ignore:Image size")
def test_damaged_pictures_are_quarantined_by_name_and_the_run_goes_on(tmp_path):
    folder, report = tmp_path / "data", tmp_path / "out" / "quarantine.jsonl"
    folder.mkdir()
    damaged_folder(folder)
    recipe = tiny(8, conditioning=Unconditional(), build=lambda width: Told(width))
    data = Data(open_source(folder))
    steps = list(train(recipe, data, quarantine=Quarantine(report)))
    assert len(steps) == 8
    rows = [json.loads(line) for line in report.read_text().splitlines()]
    assert {r["id"] for r in rows} == BAD
    assert len(rows) == len(BAD)
    assert all(r["reason"] for r in rows)
    bombed = next(r["reason"] for r in rows if r["id"] == "bad-bomb.png")
    assert "30000 x 30000" in bombed or "exceeds limit" in bombed
    list(train(recipe, data, quarantine=Quarantine(report)))
    assert len(report.read_text().splitlines()) == len(BAD), "a resumed run reported again"


class Told(torch.nn.Module):
    """An unconditional network."""

    def __init__(self, width):
        super().__init__()
        self.only = torch.nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x, c_noise, cond):
        return self.only(x)


@pytest.mark.filterwarnings("ignore:Image size")
def test_stand_ins_do_not_depend_on_how_it_is_run(tmp_path):
    damaged_folder(tmp_path)
    recipe = tiny(4, conditioning=Unconditional(), build=Told, data=lambda folder: Data(open_source(tmp_path)))
    a, b, c = run(recipe, ahead=0), run(recipe, ahead=3, workers=2), run(recipe, feeders=2)
    assert same(a[0], b[0])
    assert same(a[0], c[0])


@pytest.mark.filterwarnings("ignore:Image size")
def test_feeders_report_what_one_process_reports(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    damaged_folder(folder)
    recipe = tiny(4, conditioning=Unconditional(), build=Told, data=lambda _: Data(open_source(folder)))
    one, several = (Quarantine(tmp_path / f"{n}.jsonl") for n in ("one", "several"))
    run(recipe, quarantine=one)
    run(recipe, quarantine=several, feeders=2)
    assert one.ids
    assert several.ids >= one.ids  # feeders are a step or two ahead when the run ends
    assert Quarantine(tmp_path / "several.jsonl").ids == several.ids


@pytest.mark.parametrize("name", [b"bad-\xff.png", b"bad-\n.png", "bad-ลาย.png".encode()])
def test_any_name_can_be_reported(tmp_path, name):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "good.png").write_bytes(picture())
    (folder / os.fsdecode(name)).write_bytes(b"no")
    report = tmp_path / "quarantine.jsonl"
    recipe = tiny(1, conditioning=Unconditional(), build=Told)
    list(train(recipe, Data(open_source(folder)), quarantine=Quarantine(report)))
    (line,) = report.read_text().splitlines()
    assert os.fsencode(json.loads(line)["id"]) == name
    assert Quarantine(report).ids == {os.fsdecode(name)}


def test_a_folder_of_damage_alone_is_one_error(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no")
    with pytest.raises(InputError, match="100 samples in a row cannot be used"):
        list(train(tiny(2, conditioning=Unconditional(), build=Told), Data(open_source(tmp_path))))


def test_a_report_that_cannot_be_written_is_a_storage_error(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no")
    (tmp_path / "file").write_text("")
    quarantine = Quarantine(tmp_path / "file" / "quarantine.jsonl")
    with pytest.raises(StorageError):
        list(train(tiny(2, conditioning=Unconditional()), Data(open_source(tmp_path)), quarantine=quarantine))


@pytest.mark.parametrize("rows", ["not json", '{"file_name": 3}', '["a"]', '{"file_name": "gone.png"}'])
def test_a_bad_metadata_line_is_left_out(tmp_path, rows):
    (tmp_path / "a.png").write_bytes(picture())
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "a.png"}\n' + rows + "\n")
    kinds = [type(i) for i in everything(open_source(tmp_path))]
    assert sorted(k.__name__ for k in kinds) == ["BadItemError", "Item"]


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "a/../../secret.png", "a\u0000.png"])
def test_metadata_cannot_point_outside_its_folder(tmp_path, name):
    (tmp_path / "data").mkdir()
    (tmp_path / "secret.png").write_bytes(picture())
    (tmp_path / "data" / "metadata.jsonl").write_text(json.dumps({"file_name": name}))
    (item,) = everything(open_source(tmp_path / "data"))
    assert isinstance(item, BadItemError)


def torn(data, damage):
    """A shard's bytes with one kind of damage."""
    kinds = {
        "cut": data[: len(data) * 2 // 3],
        "no end": data.rstrip(b"\0") + bytes(-len(data.rstrip(b"\0")) % 512),
        "garbage header": data[: 512 * 8] + b"\xaa" * 512 + data[512 * 9 :],
        "no tar": b"this is not an archive" * 100,
        "empty": b"",
    }
    return kinds[damage]


@pytest.mark.parametrize("damage", ["cut", "no end", "garbage header", "no tar", "empty"])
def test_a_damaged_shard_gives_what_lies_before_the_damage_and_is_named(tmp_path, damage):
    shard_file(tmp_path / "a.tar", n=4)
    shard_file(tmp_path / "b.tar", n=9, first=100)
    (tmp_path / "b.tar").write_bytes(torn((tmp_path / "b.tar").read_bytes(), damage))
    reported = []
    items = everything(open_source(tmp_path), report=reported.append)
    assert {r.item for r in reported} == {"b.tar"}
    assert sum(isinstance(i, Item) and i.id.startswith("a.tar") for i in items) == 4
    assert "damaged after" in reported[0].reason


def test_hostile_members_are_names_and_nothing_else(tmp_path):
    outside = tmp_path / "outside.png"
    (tmp_path / "data").mkdir()
    with tarfile.open(tmp_path / "data" / "a.tar", "w") as tar:
        add(tar, "../outside.png", picture())
        add(tar, "/absolute.png", picture())
        add(tar, "link.png", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        add(tar, "device.png", b"", type=tarfile.CHRTYPE)
        add(tar, "folder.png", b"", type=tarfile.DIRTYPE)
        add(tar, "n" * 5000 + ".png", picture())
        add(tar, "only.txt", b"a caption alone")
    items = everything(open_source(tmp_path / "data"))
    good = sorted(i.id for i in items if isinstance(i, Item))
    assert good == ["a.tar/../outside", "a.tar/absolute", "a.tar/" + "n" * 5000]
    assert sum(isinstance(i, BadItemError) for i in items) == 1
    assert not outside.exists()


def test_a_member_that_claims_too_much_is_not_read(tmp_path):
    shard_file(tmp_path / "a.tar", n=2)
    data = bytearray((tmp_path / "a.tar").read_bytes())
    info = tarfile.TarInfo("000009.png")
    info.size = 2**40
    (tmp_path / "a.tar").write_bytes(
        data.rstrip(b"\0") + bytes(-len(data.rstrip(b"\0")) % 512) + info.tobuf() + bytes(2048)
    )
    before = psutil.Process().memory_info().rss
    reported = []
    items = everything(open_source(tmp_path), report=reported.append)
    assert len(items) == 2
    assert "claims" in reported[0].reason
    assert psutil.Process().memory_info().rss - before < 50 << 20


def test_an_extended_header_cannot_ask_for_the_machines_memory(tmp_path):
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 2**33
    with (tmp_path / "a.tar").open("wb") as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        file.truncate(2**33 + 4096)  # sparse: nine gigabytes that take no room
    reported = []
    with pytest.raises(InputError, match="no samples"):
        everything(open_source(tmp_path), report=reported.append)
    assert "asks for" in reported[0].reason


# Whole data sets that are wrong


@pytest.mark.parametrize("fill", ["nothing", "texts", "hidden", "empty classes"])
def test_an_empty_folder_is_one_clear_error(tmp_path, fill):
    if fill == "texts":
        (tmp_path / "a.txt").write_text("no picture")
    if fill == "hidden":
        (tmp_path / ".a.png").write_bytes(picture())
    if fill == "empty classes":
        (tmp_path / "shoe").mkdir()
    with pytest.raises(InputError, match="has no pictures; expected"):
        open_source(tmp_path)


def test_a_missing_folder_and_no_folder(tmp_path):
    with pytest.raises(InputError, match="give an existing one with --data"):
        open_data(tmp_path / "gone")
    with pytest.raises(UsageError, match="give a folder with --data"):
        open_data(None)
    with pytest.raises(InputError, match="dataset-fashion-mnist"):
        fashion_mnist(tmp_path / "gone")


def test_an_empty_metadata_file(tmp_path):
    (tmp_path / "metadata.jsonl").write_text("\n")
    with pytest.raises(InputError, match="has no lines"):
        open_source(tmp_path)


def test_empty_shards_alone_and_compressed_shards(tmp_path):
    shard_file(tmp_path / "a.tar", n=0)
    with pytest.raises(InputError, match="no samples"):
        everything(open_source(tmp_path))
    (tmp_path / "a.tar").rename(tmp_path / "a.tar.gz")
    with pytest.raises(InputError, match="uncompressed"):
        open_source(tmp_path)


def spoilt(data, how):
    """An IDX file's bytes, spoilt."""
    return {
        "short": data[:-1],
        "long": data + b"\0",
        "foreign": b"PNG!" + data[4:],
        "lying": data[:4] + struct.pack(">I", 2**31) + data[8:],
        "floats": data[:2] + b"\x0d" + data[3:],
        "header alone": data[:6],
    }[how]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("how", ["short", "long", "foreign", "lying", "floats", "header alone"])
def test_an_idx_file_that_is_not_what_it_says(tmp_path, how, pack):
    path = tmp_path / "x-ubyte"
    idx(path, made().images, bytes)
    path.write_bytes(pack(spoilt(path.read_bytes(), how)))
    with pytest.raises(InputError, match=r"x-ubyte (ends|holds|is not)"):
        read_idx(path)


def test_a_torn_gzip_file(tmp_path):
    path = tmp_path / "x-ubyte.gz"
    idx(path, made().images)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="fetch the file again"):
        read_idx(path)


def test_idx_files_that_disagree(tmp_path):
    idx(tmp_path / "train-images-idx3-ubyte", made().images, bytes)
    idx(tmp_path / "train-labels-idx1-ubyte", made().labels[:-1], bytes)
    with pytest.raises(InputError, match="expected \\(N, H, W\\) and \\(N,\\)"):
        open_idx(tmp_path, "train")


# Decoding


@pytest.mark.parametrize(
    ("mode", "colour"),
    [
        ("L", 200),
        ("RGBA", (200, 200, 200, 255)),
        ("P", 5),
        ("1", 1),
        ("I;16", 51_400),
        ("CMYK", (55, 55, 55, 0)),
        ("LA", (200, 255)),
    ],
)
def test_every_mode_becomes_the_wanted_channels(mode, colour):
    out = io.BytesIO()
    image = Image.new(mode, (9, 7), colour)
    if mode == "P":
        image.putpalette([200] * 768)
    image.save(out, "TIFF" if mode == "CMYK" else "PNG")
    for channels in (1, 3):
        x = decode(Item("a", out.getvalue()), (channels, 4, 4))
        assert x.shape == (channels, 4, 4)
        assert x.dtype == torch.uint8
        assert (x.float() - (255 if mode == "1" else 200)).abs().max() <= 2


def test_transparency_becomes_white_and_orientation_is_applied():
    out = io.BytesIO()
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(out, "PNG")
    assert (decode(Item("a", out.getvalue()), (3, 8, 8)) == 255).all()
    image, out = Image.new("L", (8, 8), 0), io.BytesIO()
    image.paste(255, (0, 0, 8, 4))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    image.save(out, "PNG", exif=exif)
    turned = decode(Item("a", out.getvalue()), (1, 8, 8))
    assert turned[0, 7].float().mean() > 200 > turned[0, 0].float().mean()


def test_the_centre_is_cut_from_a_picture_of_another_shape():
    image, out = Image.new("L", (30, 10), 0), io.BytesIO()
    image.paste(255, (10, 0, 20, 10))
    image.save(out, "PNG")
    assert (decode(Item("a", out.getvalue()), (1, 10, 10)) == 255).all()


def test_what_is_no_picture_is_said_in_words_for_people():
    with pytest.raises(BadItemError, match="it is of no format that is read: PNG, JPEG") as said:
        decode(Item("a", b"no picture"), (1, 8, 8))
    assert "BytesIO" not in str(said.value)


def test_an_array_of_another_shape_is_bad():
    with pytest.raises(BadItemError, match=r"its pixels are \(1, 8, 8\); expected \(1, 9, 9\)"):
        decode(made()[0], (1, 9, 9))
