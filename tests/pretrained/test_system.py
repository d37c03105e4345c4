"""Systems: stages under one name, of real folders, with an autoencoder, an embedding and a cascade; what is refused."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch
from asking import request_of
from PIL import Image
from tiny_systems import KEEP, save_cascade, save_latent, save_prior

import mezzotint as mz
from mezzotint.cli import run
from mezzotint.conditioning.text import encoder
from mezzotint.errors import InputError, ModelError, UsageError
from mezzotint.governance.receipt import to_dict
from mezzotint.making.vary import slerp
from mezzotint.pretrained.network import describe_network, load_network
from mezzotint.pretrained.system import describe_system
from mezzotint.schemas import schema


@pytest.fixture(scope="module")
def cascade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_cascade(tmp_path_factory.mktemp("systems") / "cascade")


@pytest.fixture(scope="module")
def latent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_latent(tmp_path_factory.mktemp("systems") / "latent")


@pytest.fixture(scope="module")
def prior(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_prior(tmp_path_factory.mktemp("systems") / "prior")


@pytest.mark.parametrize(("name", "size", "steps"), [("cascade", 16, 6), ("latent", 16, 3), ("prior", 8, 6)])
def test_a_system_makes_pictures(name: str, size: int, steps: int, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(name)
    job = mz.prepare(request_of("a red chair", model=folder, n=3, seed=5, batch=2))
    assert job.total == 2 * steps and job.model.system.size == (size, size)
    images = mz.generate("a red chair", model=folder, n=3, seed=5, batch=2).images
    assert [i.pixels.shape for i in images] == [(size, size, 3)] * 3
    alone = mz.generate("a red chair", model=folder, seed=6, batch=2).images[0]
    assert np.array_equal(alone.pixels, images[1].pixels)
    other = mz.generate("a blue sofa", model=folder, seed=6, batch=2).images[0]
    assert not np.array_equal(other.pixels, alone.pixels)
    made = images[0].receipt.made
    assert made.read == ("a red chair", "") and made.encoder_sha256 == encoder("minilm").sha256
    assert [s.steps for s in made.stages] == [3] * (steps // 3)


def test_words_are_for_the_main_stage(prior: Path) -> None:
    said = mz.explain(prior, steps=5)
    assert [s.steps for s in said.stages] == [3, 5] and said.calls == sum(s.calls for s in said.stages)
    assert "stage 2 of 2 of prior" in str(said)


def test_a_negative_prompt_steers(latent: Path) -> None:
    plain = mz.generate("a red chair", model=latent, seed=1).images[0]
    away = mz.generate("a red chair", model=latent, seed=1, negative_prompt="a sofa").images[0]
    assert not np.array_equal(plain.pixels, away.pixels) and away.receipt.made.read[1] == "a sofa"


def test_what_was_understood_is_said(latent: Path) -> None:
    notes = mz.prepare(request_of("ein roter Stuhl vor weißem Hintergrund", model=latent)).notes
    assert notes[0] == "read as de: a red chair on a white background"
    notes = mz.prepare(request_of("a red chair and a flux capacitor", model=latent)).notes
    assert "flux, capacitor" in notes[-1]
    notes = mz.prepare(request_of("a red chair " * 20, model=latent)).notes
    assert notes[0].startswith("the prompt is too long; dropped from its end:") and "more" in notes[0]


@pytest.mark.parametrize("prompt", ["", "   "])
def test_an_empty_prompt_is_refused_with_an_example(prompt: str, latent: Path) -> None:
    with pytest.raises(UsageError, match="needs a prompt; try: a red armchair"):
        mz.prepare(request_of(prompt, model=latent))


def test_sizes_it_cannot_make(latent: Path) -> None:
    with pytest.raises(UsageError, match="it makes 16x16"):
        mz.prepare(request_of("a chair", model=latent, size="512x512"))


def test_models_lists_systems(latent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(latent, tmp_path / "models" / "mine")
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path))
    found = {m.name: m.system for m in mz.models()}["mine"]
    assert found is not None and found.size == (16, 16) and found.text is not None
    assert mz.inspect(tmp_path / "models" / "mine").kind == "system"
    assert mz.inspect(tmp_path / "models" / "mine" / "auto").facts["hash_matches"]


def test_the_autoencoders_weights_count(latent: Path) -> None:
    system = describe_system(latent)
    part = describe_network(latent / "auto")
    assert system.weights_bytes == system.members[0].described.weights_bytes + part.weights_bytes
    job = mz.prepare(request_of("a chair", model=latent))
    made = job.made(job.pictures[0])
    assert made.stage.codec_sha256 == part.weights_sha256


def changed(folder: Path, tmp_path: Path, **change: object) -> Path:
    copy = shutil.copytree(folder, tmp_path / "copy")
    path = copy / "system.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    return copy


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "mezzotint/system/9"}, "this version reads"),
        ({"stages": []}, "a list of 1 to 8"),
        ({"stages": [{"model": "../base", "link": KEEP}]}, "the name of a folder"),
        ({"stages": [{"model": "gone", "link": KEEP}]}, "stage gone"),
        ({"stages": [{"model": "base", "link": {"name": "sideways"}}]}, "unknown link"),
        ({"stages": [{"model": "up", "link": {"name": "lowres", "logsnr": 4.0}}]}, "the first stage's link is keep"),
        ({"main": 5}, "expected the number of a stage"),
        ({"text": {"encoder": "minilm"}}, "text: "),
        ({"text": {"encoder": "minilm", "sha256": "0" * 64, "tokens": 1}}, "2 to 512"),
    ],
)
def test_a_damaged_system_is_told(change: dict[str, object], message: str, cascade: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=message):
        describe_system(changed(cascade, tmp_path, **change))


def test_another_encoder_is_refused(cascade: Path, tmp_path: Path) -> None:
    text = {"encoder": "minilm", "sha256": "0" * 64, "tokens": 12}
    with pytest.raises(ModelError, match="was trained with another minilm"):
        mz.prepare(request_of("a chair", model=changed(cascade, tmp_path, text=text)))


def test_changed_weights_of_any_stage_are_refused(cascade: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(cascade, tmp_path / "copy")
    data = bytearray((copy / "up" / "weights.safetensors").read_bytes())
    data[-1] ^= 1
    (copy / "up" / "weights.safetensors").write_bytes(data)
    with pytest.raises(ModelError, match="changed or damaged"):
        mz.load(copy)


def test_network_folders(latent: Path, tmp_path: Path) -> None:
    part = describe_network(latent / "auto")
    net = load_network(part)
    x = torch.zeros(1, 3, 16, 16)
    with torch.inference_mode():
        assert net(x, torch.zeros(1, 4, 4, 4)).shape == x.shape
    with pytest.raises(InputError, match="not a network folder"):
        describe_network(tmp_path)
    with pytest.raises(ModelError, match="not the file that network"):
        load_network(replace(part, weights_sha256="0" * 64))


@pytest.mark.parametrize(("name", "frames"), [("cascade", 8), ("latent", 4), ("prior", 4)])
def test_the_film_shows_every_stage_that_is_a_picture(name: str, frames: int, request: pytest.FixtureRequest) -> None:
    from mezzotint.making.reel import Reel
    from mezzotint.making.run import stream

    job = mz.prepare(request_of("a red chair", model=request.getfixturevalue(name), n=2, seed=5))
    reel, images = Reel(job), {}
    for event in stream(job):
        if isinstance(event, mz.Progress):
            reel.add(event)
        else:
            images[event.seed] = event.pixels
    for seed, pixels in images.items():
        moments = reel.take(seed)
        assert len(moments) == frames and {m.state.shape for m in moments} == {pixels.shape}
        assert np.array_equal(moments[-1].estimate, pixels)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two pictures, neither square nor of the embedder's size."""
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.Generator(np.random.Philox(3))
    paths = [folder / "red chair.png", folder / "lamp.jpg"]
    for path in paths:
        Image.fromarray(random.integers(0, 256, (24, 32, 3), np.uint8)).save(path)
    return paths


def test_pictures_like_one(prior: Path, photos: list[Path]) -> None:
    made = mz.vary(photos[0], model=prior, n=3, seed=5, batch=2).images
    assert [i.seed for i in made] == [5, 6, 7] and made[0].pixels.shape == (8, 8, 3)
    assert not np.array_equal(made[0].pixels, made[1].pixels)
    again = mz.vary(photos[0], model=prior, n=1, seed=6, batch=2).images[0]
    assert np.array_equal(again.pixels, made[1].pixels) and again.receipt.made.asset_id == made[1].receipt.made.asset_id
    other = mz.vary(photos[1], model=prior, n=1, seed=6, batch=2).images[0]
    assert not np.array_equal(other.pixels, again.pixels)
    said = made[0].receipt.made
    assert said.task["name"] == "vary" and [s.model for s in said.stages] == ["decoder"] and said.main == 0
    jsonschema.validate(to_dict(made[0].receipt), schema("mezzotint/receipt/2"))


def test_a_path_between_two_has_one_noise_and_ends_at_both(prior: Path, photos: list[Path]) -> None:
    path = mz.vary(*photos, model=prior, n=3, seed=5, batch=3).images
    ends = [mz.vary(photo, model=prior, n=1, seed=5, batch=3).images[0] for photo in photos]
    assert [i.seed for i in path] == [5, 5, 5] and len({i.receipt.made.asset_id for i in path}) == 3
    assert np.array_equal(path[0].pixels, ends[0].pixels) and np.array_equal(path[2].pixels, ends[1].pixels)
    assert [i.receipt.made.task["at"] for i in path] == [0.0, 0.5, 1.0]


def test_slerp_keeps_lengths_and_angles() -> None:
    a, b = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0])
    third = slerp(a, b, 1 / 3)
    torch.testing.assert_close(third, 2 * torch.tensor([math.cos(math.pi / 6), math.sin(math.pi / 6)]))
    assert torch.equal(slerp(a, a, 0.3), a) and torch.equal(slerp(a, -a, 0.5), torch.zeros(2))


def test_vary_from_the_command_line_goes_on(prior: Path, photos: list[Path], tmp_path: Path) -> None:
    words = ["vary", *map(str, photos), "--model", str(prior), "-n", "3", "--quiet", "--out", str(tmp_path / "v")]
    assert run(words) == 0
    found = json.loads((tmp_path / "v/run.json").read_text())
    jsonschema.validate(found, schema(found["schema"]))
    assert [e["file"] for e in found["images"]] == [f"red-chair-to-lamp-{k:03d}-0.png" for k in (1, 2, 3)]
    (tmp_path / "v/run.json").unlink()
    (tmp_path / "v" / found["images"][1]["file"]).unlink()
    (tmp_path / "v/sheet.png").unlink()
    kept = (tmp_path / "v" / found["images"][0]["file"]).stat().st_mtime_ns
    assert run(words) == 0
    assert (tmp_path / "v" / found["images"][0]["file"]).stat().st_mtime_ns == kept
    again = json.loads((tmp_path / "v/run.json").read_text())["images"]
    assert [e["pixels_sha256"] for e in again] == [e["pixels_sha256"] for e in found["images"]]


def test_the_command_behind_what_was_varied(
    prior: Path, photos: list[Path], made_again: Callable[..., list[list[str]]]
) -> None:
    there = {"prior": prior, "PICTURE": photos[0], "OTHER": photos[1]}
    said = made_again(["vary", "--model=prior", "--n=3", "--seed=5", "--scale=1.7", "--", "PICTURE", "OTHER"], there)
    assert [one[0] for one in said] == ["vary"] * 3 and "--scale=1.7" in said[0]
    words = ["generate", "--model=prior", "--n=2", "--quality=draft", "--grid=karras:rho=5", "--", "a red chair"]
    assert "--quality=draft" in made_again(words, there)[1], "the other stage goes by it"


def test_what_cannot_be_varied(prior: Path, latent: Path, photos: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"does not go through the embedding.*such as products-prior"):
        mz.vary(photos[0], model=latent)
    (tmp_path / "no.png").write_bytes(b"not a picture")
    with pytest.raises(InputError, match=r"no\.png is not a picture that can be read"):
        mz.vary(tmp_path / "no.png", model=prior)
    with pytest.raises(InputError):
        mz.vary(tmp_path / "nowhere.png", model=prior)
    broken = shutil.copytree(prior, tmp_path / "broken")
    shutil.rmtree(broken / "embedder")
    with pytest.raises((InputError, ModelError), match="embedder"):
        mz.vary(photos[0], model=broken)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "dit"}, "holds no autoencoder"),
        ({"widths": None}, "cannot be built"),
        ({"fold": "many"}, "cannot be built"),
    ],
)
def test_an_autoencoder_that_is_none_is_named(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    folder = save_latent(tmp_path / "latent")
    path = folder / "auto" / "network.json"
    said = json.loads(path.read_text())
    path.write_text(json.dumps({**said, "net": {**said["net"], **change}}))
    with pytest.raises(ModelError, match=why):
        _ = describe_system(folder).size


def test_a_system_of_one_stage_is_explained_by_its_own_name(latent: Path) -> None:
    assert str(mz.explain(latent)).startswith("model    latent\n")
