"""Every layout of a data set gives its samples; whatever is damaged is left out by name and the run goes on."""

from __future__ import annotations

import gzip
import io
import json
import os
import struct
import tarfile
import zlib

import numpy as np
import psutil
import pytest
import torch
from PIL import Image
from training_case import made, run, same, tiny

from mezzotint.errors import InputError, StorageError, UsageError
from mezzotint.training.conditioning import Unconditional
from mezzotint.training.data.decode import decode
from mezzotint.training.data.detect import open_data, open_source
from mezzotint.training.data.idx import DEBIAN, fashion_mnist, open_idx, read_idx
from mezzotint.training.data.order import Cursor, Order
from mezzotint.training.data.quarantine import Quarantine
from mezzotint.training.data.source import BadItemError, Data, Item, split
from mezzotint.training.loop import train

COLOURS = {"red": (200, 10, 10), "green": (10, 200, 10), "blue": (10, 10, 200)}


def picture(colour="red", size=(12, 8), kind="PNG"):
    """An encoded picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, COLOURS[colour]).save(out, kind)
    return out.getvalue()


def everything(source, seed=0, epoch=0, report=None):
    """All items of one epoch in order; damaged ones as their exception."""
    order, cursor, out = Order(source, seed, 8, report or (lambda bad: None)), Cursor(epoch), []
    while cursor.epoch == epoch:
        (pick,), cursor = order.take(cursor, 1)
        try:
            out.append(order.item(pick))
        except BadItemError as bad:
            out.append(bad)
    return out


def add(tar, name, data, **changes):
    """Adds a member to an open tar file."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in changes.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))


def shard_file(path, n=6, first=0):
    """A shard of n samples: picture, caption, class."""
    with tarfile.open(path, "w") as tar:
        for k in range(first, first + n):
            add(tar, f"{k:06d}.png", picture(list(COLOURS)[k % 3]))
            add(tar, f"{k:06d}.txt", f"number {k}".encode())
            add(tar, f"{k:06d}.cls", str(k % 3).encode())


# Layouts


def test_metadata_jsonl(tmp_path):
    (tmp_path / "in").mkdir()
    for k, colour in enumerate(COLOURS):
        (tmp_path / "in" / f"{k}.png").write_bytes(picture(colour))
    rows = [{"file_name": f"in/{k}.png", "text": f"a {c} thing", "label": k} for k, c in enumerate(COLOURS)]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    items = everything(open_source(tmp_path))
    assert {(i.id, i.text, i.label) for i in items} == {(r["file_name"], r["text"], r["label"]) for r in rows}
    assert {tuple(decode(i, (3, 4, 4))[:, 2, 2].tolist()) for i in items} == set(COLOURS.values())


def test_side_car_captions(tmp_path):
    (tmp_path / "a.jpg").write_bytes(picture("red", kind="JPEG"))
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf a red thing \r\n")
    (tmp_path / "b.webp").write_bytes(picture("blue", kind="WEBP"))
    (tmp_path / "notes.md").write_text("not a picture")
    assert sorted((i.id, i.text) for i in everything(open_source(tmp_path))) == [
        ("a.jpg", "a red thing"),
        ("b.webp", None),
    ]


def test_class_folders(tmp_path):
    for name in ("shoe", "bag"):
        for k in range(3):
            (tmp_path / name / "deep").mkdir(parents=True, exist_ok=True)
            (tmp_path / name / "deep" / f"{k}.png").write_bytes(picture())
    source = open_source(tmp_path)
    assert source.classes == ("bag", "shoe")
    assert sorted((i.label, i.text) for i in everything(source)) == [(0, "bag")] * 3 + [(1, "shoe")] * 3


def test_tar_shards(tmp_path):
    for s in range(5):
        shard_file(tmp_path / f"part-{s}.tar", n=s, first=10 * s)  # the first is empty
    items = everything(open_source(tmp_path))
    numbers = [10 * s + k for s in range(5) for k in range(s)]
    assert sorted((i.id, i.text, i.label) for i in items) == sorted(
        (f"part-{n // 10}.tar/{n:06d}", f"number {n}", n % 3) for n in numbers
    )


def test_tar_captions_may_come_from_json(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        add(tar, "x/1.jpg", picture(kind="JPEG"))
        add(tar, "x/1.json", json.dumps({"caption": "from json", "label": 2}).encode())
    (item,) = everything(open_source(tmp_path))
    assert (item.id, item.text, item.label) == ("a.tar/x/1", "from json", 2)


def idx(path, array, pack=gzip.compress):
    """Writes an array of bytes as IDX."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.write_bytes(pack(header + array.tobytes()))


@pytest.mark.parametrize(("pack", "suffix"), [(gzip.compress, ".gz"), (bytes, "")])
def test_idx(tmp_path, pack, suffix):
    for part in ("train", "t10k"):
        idx(tmp_path / f"{part}-images-idx3-ubyte{suffix}", made().images, pack)
        idx(tmp_path / f"{part}-labels-idx1-ubyte{suffix}", made().labels, pack)
    data = open_data(tmp_path)
    assert np.array_equal(data.train.images, made().images)
    assert np.array_equal(data.held_out.labels, made().labels)


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="the package dataset-fashion-mnist is not installed")
def test_the_real_fashion_mnist():
    data = fashion_mnist()
    assert (len(data.train), len(data.held_out)) == (60_000, 10_000)
    assert np.bincount(data.train.labels).tolist() == [6000] * 10
    assert data.train[0].text == "ankle boot"


def test_train_and_validation_folders_are_taken_as_they_are(tmp_path):
    for part, colour in (("train", "red"), ("validation", "blue")):
        (tmp_path / part).mkdir()
        (tmp_path / part / "a.png").write_bytes(picture(colour))
    data = open_data(tmp_path)
    assert len(everything(data.train)) == len(everything(data.held_out)) == 1


def test_a_split_shares_nothing_and_loses_nothing():
    parts = split(made(101), every=10)
    train_ids = {i.id for i in everything(parts.train)}
    held_ids = {i.id for i in everything(parts.held_out)}
    assert len(held_ids) == 11
    assert not train_ids & held_ids
    assert train_ids | held_ids == {f"bars[{k}]" for k in range(101)}


# Order


def test_an_epoch_is_a_permutation_that_depends_on_seed_and_epoch_alone(tmp_path):
    for s in range(20):
        shard_file(tmp_path / f"{s:02d}.tar", n=4, first=4 * s)
    source = open_source(tmp_path)
    ids = [i.id for i in everything(source, seed=3, epoch=5)]
    assert sorted(ids) == sorted(i.id for i in everything(source))
    assert ids == [i.id for i in everything(source, seed=3, epoch=5)]
    assert ids != [i.id for i in everything(source, seed=3, epoch=6)]
    assert ids != [i.id for i in everything(source, seed=4, epoch=5)]


def test_the_cursor_is_exact_in_a_stream_of_shards(tmp_path):
    for s in range(20):
        shard_file(tmp_path / f"{s:02d}.tar", n=4, first=4 * s)
    source, order = open_source(tmp_path), Order(open_source(tmp_path), 1, 3)
    picks, _ = order.take(Cursor(), 200)
    whole = [order.item(p).id for p in picks]
    cursor, parts = Cursor(), []
    for n in (1, 30, 7, 90, 72):
        again = Order(source, 1, 3)
        picks, cursor = again.take(cursor, n)
        parts += [again.item(p).id for p in picks]
    assert parts == whole


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
    a, b = run(recipe, ahead=0), run(recipe, ahead=3, workers=2)
    assert same(a[0], b[0])


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


def test_an_array_of_another_shape_is_bad():
    with pytest.raises(BadItemError, match=r"its pixels are \(1, 8, 8\); expected \(1, 9, 9\)"):
        decode(made()[0], (1, 9, 9))


# Memory


MEASURE = """
import psutil
from mezzotint.training.data.detect import open_source
from mezzotint.training.data.order import Cursor, Order
order, cursor, peak = Order(open_source(Path(argv[0])), 0, 4), Cursor(), 0
while cursor.epoch == 0:
    picks, cursor = order.take(cursor, 64)
    for pick in picks:
        order.item(pick)
    peak = max(peak, psutil.Process().memory_info().rss)
print(peak)
"""


def test_memory_does_not_grow_with_the_data_set(tmp_path, children):
    peaks, noise = [], np.random.Generator(np.random.Philox(1))
    for shards in (6, 48):
        folder = tmp_path / str(shards)
        folder.mkdir()
        body = noise.bytes(50_000)
        for s in range(shards):
            with tarfile.open(folder / f"{s:03d}.tar", "w") as tar:
                for k in range(20):
                    add(tar, f"{s}-{k}.png", body)
        child = children.start(MEASURE, folder)
        assert children.wait(child) == 0, child.output()
        peaks.append(int(child.output()))
    # 42 MB more data; the references of a group and one picture are all that is held.
    assert peaks[1] - peaks[0] < 4 << 20
