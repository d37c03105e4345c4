"""The studio and its session on real models: real VTK, real child processes, killed for real."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from catalog_case import CUBE, NEEDS, can_render, catalog
from PIL import Image

if not can_render():
    pytest.skip(NEEDS, allow_module_level=True)

from mezzotint.errors import InputError, UsageError
from mezzotint.products.camera import FILL
from mezzotint.products.catalog import products, unpack
from mezzotint.products.rendering import render
from mezzotint.products.session import Order, _Crew
from mezzotint.products.source import Scenes, held_pair
from mezzotint.products.studio import Studio

CHAIRS = [{"name": "Chair", "model": f"chair{i}"} for i in range(3)]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    folder = catalog(tmp_path_factory.mktemp("catalog"), [{"name": "Box", "model": "cube", "height": 60.0}])
    (product,) = products(folder)
    return Studio(product, unpack(product, folder / "unpacked"), 64)


def test_the_mask_of_a_box_is_its_silhouette(studio: Studio) -> None:
    photo = studio.photograph(0, 0)
    solid = photo.rgba[..., 3] > 127
    # Seen from the front, the nearer face of a 60 x 50 x 60 box is a square that takes FILL of the frame.
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    assert len(columns) == pytest.approx(FILL * 64, abs=2) and len(rows) == pytest.approx(FILL * 64, abs=2)
    assert solid.sum() == pytest.approx(len(rows) * len(columns), rel=0.02)
    assert (photo.rgba[~(photo.rgba[..., 3] > 0)][:, :3] == 0).all()


def test_white_keeps_its_shading(studio: Studio) -> None:
    photo = studio.photograph(40, 25)
    light = photo.rgba[photo.rgba[..., 3] > 250][:, :3].mean(-1)
    assert light.max() < 254 and np.percentile(light, 95) - np.percentile(light, 5) > 25


def test_paint_colours_the_largest_material_and_comes_off(studio: Studio) -> None:
    before = studio.photograph(40, 25).rgba
    studio.paint((200, 30, 35))
    painted = studio.photograph(40, 25).rgba
    studio.unpaint()
    assert (studio.photograph(40, 25).rgba == before).all()
    solid = before[..., 3] > 250
    green = (before[..., 1].astype(int) - before[..., 0] > 20) & solid
    same = (painted[green] == before[green]).all(-1)
    assert len(same) > 50 and same.mean() > 0.8, "the smaller material stays, but for the edge between the two"
    red = painted[solid & ~green].astype(int)
    assert (red[:, 0] - red[:, 1]).mean() > 60


def test_a_picture_is_the_same_every_time(studio: Studio) -> None:
    first, other = studio.photograph(10, 20), studio.photograph(11, 20)
    assert (studio.photograph(10, 20).rgba == first.rgba).all() and (other.rgba != first.rgba).any()


def test_a_session_leaves_pictures_records_and_credits(rendered: Path) -> None:
    record = json.loads((rendered / "test-chair0" / "product.json").read_text())
    assert record["kind"] == "chair" and len(record["shots"]) == 6 and record["licence"] == "CC-BY-3.0"
    with Image.open(rendered / "test-chair0" / "00.png") as image:
        assert image.mode == "RGBA" and image.size == (64, 64)
    assert "Somebody" in (rendered / "CREDITS.md").read_text()


def test_a_session_that_is_done_does_nothing_and_gives_the_same(rendered: Path, tmp_path: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in rendered.glob("*/*.png")}
    catalog_folder = catalog(tmp_path / "catalog", [*CHAIRS, {"name": "Sofa", "model": "sofa"}])
    render(rendered, catalog=catalog_folder, n=6, size=64)
    assert {p: p.stat().st_mtime_ns for p in rendered.glob("*/*.png")} == before
    render(tmp_path / "again", catalog=catalog_folder, n=6, size=64, workers=1, only=["test-sofa"])
    for path in (tmp_path / "again" / "test-sofa").iterdir():
        assert path.read_bytes() == (rendered / "test-sofa" / path.name).read_bytes(), path.name


def test_another_order_in_the_same_folder_is_refused(rendered: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"another order.*choose another --out"):
        render(rendered, catalog=catalog(tmp_path, CHAIRS), n=8, size=64)


def test_a_broken_model_is_named_and_skipped(tmp_path: Path) -> None:
    entries = [{"name": "Chair", "model": "good"}, {"name": "Chair", "model": "empty"}]
    folder = catalog(tmp_path / "c", entries, objects={"empty": "mtllib empty.mtl\nv 0 0 0\n"})
    result = render(tmp_path / "out", catalog=folder, n=2, size=64)
    assert result.products == 1 and list(result.skipped) == ["test-empty"]
    assert "no visible surface" in result.skipped["test-empty"]


def test_unknown_products_and_sizes(tmp_path: Path) -> None:
    folder = catalog(tmp_path, CHAIRS)
    with pytest.raises(UsageError, match="unknown product 'test-chair9'; did you mean"):
        render(tmp_path / "out", catalog=folder, only=["test-chair9"])
    with pytest.raises(UsageError, match="32 to 2048 px"):
        render(tmp_path / "out", catalog=folder, size=5000)


def test_killed_and_run_again_nothing_is_lost(rendered: Path, tmp_path: Path) -> None:
    folder = catalog(tmp_path / "c", [*CHAIRS, {"name": "Sofa", "model": "sofa"}])
    command = [sys.executable, "-m", "mezzotint", "render", "--catalog", str(folder), "--out", str(tmp_path / "out")]
    command += ["-n", "6", "--size", "64", "--workers", "1", "--quiet"]
    child = subprocess.Popen(command, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while child.poll() is None and not list(tmp_path.glob("out/test-chair1/00.png")):
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    child.wait(30)
    assert not list(tmp_path.glob("out/test-sofa/product.json"))
    assert subprocess.run(command, check=False).returncode == 0
    for path in rendered.glob("test-*/*"):
        assert (tmp_path / "out" / path.parent.name / path.name).read_bytes() == path.read_bytes()


def test_a_model_that_kills_its_process_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    entries = [{"name": "Chair", "model": "a"}, {"name": "Chair", "model": "bomb"}, {"name": "Chair", "model": "z"}]
    many = "".join(f"v {i} {i % 7} {i % 5}\n" for i in range(400_000)) + "".join(
        f"f {i} {i + 1} {i + 2}\n" for i in range(1, 399_990)
    )
    folder = catalog(tmp_path / "c", entries, objects={"bomb": CUBE.format(name="bomb").split("v ")[0] + many})
    order = Order(folder, tmp_path / "out", 2, 64, 0)
    crew = _Crew(order)
    known = products(folder)

    def kill_at_bomb() -> None:
        while not (tmp_path / "out" / "test-a" / "product.json").is_file():
            time.sleep(0.01)
        time.sleep(0.2)
        for child in tuple(crew._children):
            os.kill(child.pid, signal.SIGKILL)

    threading.Thread(target=kill_at_bomb, daemon=True).start()
    done = {d.id: d.skipped for d in crew.part(known)}
    assert done["test-a"] == "" and done["test-z"] == ""
    assert "rendering died (exit code -9)" in done["test-bomb"]


def test_scenes_of_the_parts_keep_apart(rendered: Path) -> None:
    train = Scenes(rendered, 32)
    seen = [train.facts(p, v) for p in train.pictures for v in range(16)]
    assert seen and not any(held_pair(f) for f in seen)
    test = Scenes(rendered, 32, "compositions")
    assert all(held_pair(test.facts(p, v)) for p in test.pictures for v in range(16))


def test_scenes_are_a_source(rendered: Path) -> None:
    train = Scenes(rendered, 32)
    items = [train.open(v, lambda bad: None)[0] for v in (0, 1, 0, 16)]
    assert items[0].image.shape == (3, 32, 32) and items[0].image.dtype == np.uint8 and items[0].text
    assert (items[0].image == items[2].image).all() and items[0].text == items[2].text
    assert (items[0].image != items[1].image).any()
    assert items[3].text == items[0].text and (items[3].image != items[0].image).any(), "16 captions, 64 scenes"


def test_packs_are_remade_when_the_folder_grows(rendered: Path, tmp_path: Path) -> None:
    shutil.copytree(rendered, tmp_path / "copy")
    first = Scenes(tmp_path / "copy", 32)
    before = first.fingerprint
    assert len(first.pack.read(0)) == 64
    shutil.rmtree(tmp_path / "copy" / "test-sofa")
    assert Scenes(tmp_path / "copy", 32).fingerprint != before
    with pytest.raises(InputError, match="no photographed products; make them with: mezzotint render"):
        Scenes(tmp_path, 32).pictures  # noqa: B018
