"""Every layout of a data set gives its samples, in an order that is a pure function of (seed, epoch)."""

from __future__ import annotations

import gzip
import json
import tarfile

import numpy as np
import pytest
from data_case import COLOURS, add, everything, idx, picture, shard_file
from training_case import made

from mezzotint.errors import InputError
from mezzotint.training.data.decode import decode
from mezzotint.training.data.detect import open_data, open_source
from mezzotint.training.data.idx import DEBIAN, fashion_mnist
from mezzotint.training.data.order import Cursor, Order
from mezzotint.training.data.source import split

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


@pytest.mark.parametrize(("lacks", "other"), [("validation", "train"), ("train", "validation")])
def test_two_parts_with_other_class_folders_are_refused(tmp_path, lacks, other):
    """Each numbers its own: "shoe" would be class 1 of one part and class 0 of the other."""
    for part, names in ((lacks, ("shoe",)), (other, ("bag", "shoe"))):
        for name in names:
            (tmp_path / part / name).mkdir(parents=True)
            (tmp_path / part / name / "a.png").write_bytes(picture())
    with pytest.raises(InputError, match=rf"{lacks} has no class folder 'bag', which {other} has; give both the same"):
        open_data(tmp_path)
    (tmp_path / "train" / "LICENSE.txt").write_text("a text beside, which is no caption")
    with pytest.raises(InputError, match="has no class folder"):
        open_data(tmp_path)
    (tmp_path / "train" / "shoe" / "a.txt").write_text("a red shoe")
    shoes = open_data(tmp_path).train
    assert shoes.open(0, print)[len(shoes.classes) - 1].text == "a red shoe", "folders of captioned pictures are none"
    (tmp_path / "train" / "shoe" / "a.txt").unlink()
    (tmp_path / lacks / "bag").mkdir()
    (tmp_path / lacks / "bag" / "a.png").write_bytes(picture())
    assert open_data(tmp_path).held_out.classes == ("bag", "shoe")


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
