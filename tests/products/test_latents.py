"""Scenes as latents: encoded once, the same every time, and never mixed up between autoencoders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mezzotint.codecs.latent import Latent, Stored
from mezzotint.nets import AutoencoderConfig, build
from mezzotint.nets.autoencoder import Autoencoder
from mezzotint.products.asked import UNNAMED, Asked
from mezzotint.products.colours import NAMES
from mezzotint.products.judging import VIEW_NAMES, kinds
from mezzotint.products.latents import LatentScenes
from mezzotint.products.ranking import LabelledLatents, Shown, label_of, labelled, of_label, shown
from mezzotint.products.source import Scenes
from mezzotint.products.training import latent_scenes
from mezzotint.training.data.source import Data

CONFIG = AutoencoderConfig(size=(64, 64), latent=4, fold=4, widths=(16, 16))


def codec() -> Latent:
    torch.manual_seed(0)
    net = build(CONFIG)
    assert isinstance(net, Autoencoder)
    return Latent(net, (64, 64))


def never() -> Latent:
    raise AssertionError("everything is on disk already")


def latents(folder: Path, make: object = codec, sha: str = "a" * 64) -> LatentScenes:
    return LatentScenes(Scenes(folder, 64, shards=2), make, sha, CONFIG.shape)


def test_a_latent_is_the_scene_s_own_and_is_made_once(rendered: Path) -> None:
    source = latents(rendered)
    shard, scenes = source.open(1, lambda error: None), source.scenes.open(1, lambda error: None)
    items = [shard[i] for i in range(len(shard))]
    direct = codec().encode(torch.from_numpy(np.asarray(scenes[3].image))[None])
    assert (items[3].image == Stored(CONFIG.shape).decode(direct).numpy()[0]).all()
    assert items[3].text == scenes[3].text and items[3].id == scenes[3].id
    again = latents(rendered, never).open(1, lambda error: None)
    assert all((again[i].image == item.image).all() for i, item in enumerate(items))


def test_another_autoencoder_has_its_own(rendered: Path) -> None:
    latents(rendered).open(0, lambda error: None)[0]
    other = latents(rendered, never, "b" * 64)
    assert other.fingerprint != latents(rendered).fingerprint
    with pytest.raises(AssertionError, match="everything is on disk"):
        other.open(0, lambda error: None)[0]


def test_what_is_stored_is_close_to_what_was_encoded(rendered: Path) -> None:
    scenes = Scenes(rendered, 64).open(0, lambda error: None)
    exact = codec().encode(torch.from_numpy(np.asarray(scenes[0].image))[None])
    stored = Stored(CONFIG.shape)
    assert (stored.encode(stored.decode(exact)) - exact).abs().max() < 0.06


def test_a_label_says_what_its_own_latent_shows(rendered: Path) -> None:
    source = latents(rendered)
    data = labelled(lambda folder: Data(source, source))(None)
    assert isinstance(data.train, LabelledLatents) and data.train.shards == source.shards
    assert data.train.fingerprint != source.fingerprint
    shard, plain = data.train.open(1, lambda error: None), source.open(1, lambda error: None)
    assert len(shard) == len(plain) == len(source.scenes.pictures)
    for i, picture in enumerate(source.scenes.pictures):
        item = shard[i]
        assert item.id == plain[i].id and (item.image == plain[i].image).all() and item.label is not None
        said = of_label(item.label)
        assert said == shown(picture) and said.kind is not None and said.view is not None
        assert (kinds()[said.kind], VIEW_NAMES[said.view]) == (picture.kind, picture.view)
        assert ("" if said.colour is None else NAMES[said.colour]) == picture.colour
    told = Shown()([shard[i] for i in range(len(shard))])
    assert told["kind"].tolist() == [kinds().index(p.kind) for p in source.scenes.pictures]
    assert {p.colour for p in source.scenes.pictures if p.colour} and set(told["colour"].tolist()) > {UNNAMED}


@pytest.mark.parametrize("colour", [None, 0, len(NAMES) - 1])
def test_a_label_is_what_it_was_made_of(colour: int | None) -> None:
    asks = [Asked(k, v, colour) for k in (0, 1, len(kinds()) - 1) for v in range(len(VIEW_NAMES))]
    assert [of_label(label_of(one)) for one in asks] == asks
    assert len({label_of(one) for one in asks}) == len(asks)


def test_latents_are_the_encoder_s_whatever_decodes_them(rendered: Path) -> None:
    """Another decoder leaves what a run goes on with, another encoder does not."""
    found = []
    for changed in ((), ("decoder",), ("encoder",)):
        net = codec().net
        for name, p in net.named_parameters():
            if name.startswith(changed):
                p.data = p.data + 1
        found.append(latent_scenes(net, 64)(rendered).train.fingerprint)
    assert found[0] == found[1] != found[2]
