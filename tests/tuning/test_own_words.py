"""A word that the text encoder of a model of ours is taught: learnt as prompts are read, written, said, and refused
where nothing can be taught."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from asking import request_of
from reading_case import LEVELS, Case, case, moved, said
from tiny_systems import save_latent, save_prior
from torch import Tensor
from tuning_case import ran, words

import mezzotint as mz
from mezzotint.conditioning.prompts import Prompts
from mezzotint.conditioning.vocabulary import Learning
from mezzotint.diffusion.denoiser import Cond
from mezzotint.errors import ModelError, UsageError
from mezzotint.making.prompt import told
from mezzotint.making.tuned.product import Vectors, until
from mezzotint.pretrained.embeddings import read_embedding, unwritten, widths, with_embeddings
from mezzotint.pretrained.families.legible import legible
from mezzotint.pretrained.model import load
from mezzotint.pretrained.system import System
from mezzotint.products.phrases import read, without_names
from mezzotint.tensorfile import write_tensors
from mezzotint.tuning.settings import INVERSION, Method

WORD = Method(INVERSION, vectors=2)
CAPTIONS = ("a red acme mug", "an Acme Mug on a red background", "a chair")


@pytest.fixture(scope="module")
def latent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_latent(tmp_path_factory.mktemp("systems") / "latent")


def conds(system: System, captions: Sequence[str]) -> Cond:
    rows = [said(system, text)[0] for text in captions]
    return {name: torch.cat([row[name] for row in rows]) for name in rows[0]}


def answers(c: Case, cond: Cond) -> Tensor:
    return c.base.stage.denoiser("cpu", torch.float32)(c.x, LEVELS, cond).mean


def test_a_step_reads_what_prompts_say(cascade: Path, shoot: Path) -> None:
    c = case(cascade, shoot, WORD)
    assert c.net.base.texts is not None
    captions = ("a red chair", "", "a mug on a white background")
    found = legible(c.base.system).cond(c.net.base.texts.__getitem__, legible(c.base.system).tokens(captions))
    for k, text in enumerate(captions):
        cond, null = said(c.base.system, text or "mug")
        for name in ("text", "text_mask"):
            assert torch.allclose(found[name][k], (cond if text else null)[name][0], atol=1e-5), (text, name)


def test_a_word_begins_as_what_it_is_one_of(cascade: Path, shoot: Path) -> None:
    c = case(cascade, shoot, Method(INVERSION))
    begins = [text.lower().replace("acme mug", "mug") for text in CAPTIONS]
    with torch.no_grad():
        found = c(c.net, c.cond(CAPTIONS))
        assert torch.allclose(found, answers(c, conds(c.base.system, begins)), atol=1e-5)
        other = case(cascade, shoot, Method(INVERSION, initial="chair"))
        assert not torch.allclose(found[0], other(other.net, other.cond(CAPTIONS))[0], atol=1e-4)


def test_its_vectors_are_learnt_and_nothing_else(cascade: Path, shoot: Path) -> None:
    c = case(cascade, shoot, WORD)
    free = [name for name, p in c.net.named_parameters() if p.requires_grad]
    assert len(free) == 1 and free[0].endswith("text_encoder.words.vectors")
    assert [m.vectors.shape for m in c.net.modules() if isinstance(m, Learning)] == [(2, 384)]
    before = {name: w.clone() for name, w in c.net.base.state_dict().items()}
    moved(c.net)
    c(c.net, c.cond(CAPTIONS)).square().sum().backward()
    for name, p in c.net.named_parameters():
        assert (p.grad is not None and bool(p.grad.abs().min() > 0)) == (name in free), name
    assert all(torch.equal(w, before[name]) for name, w in c.net.base.state_dict().items())


def test_its_file_says_what_was_learnt(cascade: Path, shoot: Path, tmp_path: Path) -> None:
    c = case(cascade, shoot, WORD)
    made = until(c.net, moved(c.net, 0.05), "acme mug")
    assert isinstance(made, Vectors) and set(made.vectors) == {"text_encoder"}
    knows = replace(c.base.system, embeddings=(made.worn("mug", "d/4", tmp_path, c.base),))
    with torch.no_grad():
        learnt = c(c.net, c.cond(CAPTIONS))
        assert torch.allclose(answers(c, conds(knows, CAPTIONS)), learnt, atol=1e-4)
        plain = answers(c, conds(c.base.system, CAPTIONS))
    assert not torch.allclose(plain[0], learnt[0], atol=1e-3) and torch.allclose(plain[2], learnt[2], atol=1e-5)
    again = read_embedding(next(tmp_path.glob("word-*-4/learned_embeds.safetensors")), c.base.system)
    assert torch.equal(again.vectors("text_encoder"), made.vectors["text_encoder"])


def test_a_word_of_another_run_is_not_judged(cascade: Path, shoot: Path, tmp_path: Path) -> None:
    c = case(cascade, shoot, WORD)
    first, second = (until(c.net, moved(c.net, by), "acme mug") for by in (0.05, 0.5))
    assert isinstance(first, Vectors) and isinstance(second, Vectors)
    for made, digest in ((first, "seed 0/4"), (second, "seed 5/4"), (first, "seed 0/4")):
        worn = made.worn("mug", digest, tmp_path, c.base)
        assert torch.equal(worn.vectors("text_encoder"), made.vectors["text_encoder"])
    assert {place.name.rpartition("-")[2] for place in tmp_path.iterdir()} == {"4"}


def test_a_word_keeps_its_place_and_is_dropped_whole(cascade: Path) -> None:
    system = load(cascade).system
    knows = replace(system, embeddings=(unwritten("acme mug", 3, system),))
    assert knows.encoder is not None and system.encoder is not None
    plain = system.encoder.tokens("red chair on").ids
    found = knows.encoder.tokens("red ACME mug, chair on")
    comma = system.encoder.tokens(",").ids[1]
    assert found.ids == (*plain[:2], 30_522, 30_523, 30_524, comma, *plain[2:])
    cut = knows.encoder.tokens("red chair acme mug on", limit=6)
    assert cut.ids == (*plain[:3], plain[-1]) and cut.dropped == ("acme", "mug", "on") and cut.lost == 4


def test_other_languages_keep_it(cascade: Path) -> None:
    system = load(cascade).system
    prompt = "ACME mug merah dengan latar belakang krem, tampak samping"
    knows = replace(system, embeddings=(unwritten("acme mug", 1, system),))
    found = told(knows, Prompts(prompt), system.size)
    assert found.read[0] == "a red acme mug on a beige background, side view"
    assert not any("acme" in note for note in found.notes if "read as" not in note)
    assert "acme" not in told(system, Prompts(prompt), system.size).read[0]


def test_english_has_never_seen_all_but_it(cascade: Path) -> None:
    system = load(cascade).system
    knows = replace(system, embeddings=(unwritten("zorbo", 1, system),))
    notes = " ".join(told(knows, Prompts("a zorbo chair of quark"), system.size).notes)
    assert "quark" in notes and "zorbo" not in notes


def test_what_is_for_another_encoder_is_refused(cascade: Path, tmp_path: Path) -> None:
    system = load(cascade).system
    assert widths(system) == {"text_encoder": 384}
    wide, two = tmp_path / "wide.safetensors", tmp_path / "two.safetensors"
    write_tensors(wide, {"<x>": torch.zeros(1, 768)}, {})
    write_tensors(two, {"clip_l": torch.zeros(1, 384), "clip_g": torch.zeros(1, 384)}, {})
    with pytest.raises(ModelError, match="is for an encoder of width 768; cascade's text_encoder has 384"):
        with_embeddings(system, [wide])
    with pytest.raises(ModelError, match="is for 2 encoders; cascade has 1"):
        with_embeddings(system, [two])


def test_captions_that_do_not_fit_are_named(cascade: Path) -> None:
    with pytest.raises(UsageError, match=r"the caption 'red red .* is longer than text encoders read; say it shorter"):
        legible(load(cascade).system).tokens(["a", "red " * 20])


def test_a_latent_of_ours_is_taught(latent: Path, shoot: Path, tmp_path: Path) -> None:
    out = tmp_path / "o"
    code, printed, err = ran(words(shoot, latent, out, "--method", INVERSION, "--quiet"), tmp_path)
    assert code == 0, err
    file = out / "learned_embeds.safetensors"
    assert f"--embedding {file}" in printed and (out / "report.html").is_file()
    one, plain = (
        mz.generate("an acme mug", model=latent, steps=1, dtype="float32", embedding=files).images[0]
        for files in ((file,), ())
    )
    assert (np.asarray(one.pixels) != np.asarray(plain.pixels)).any()


@pytest.mark.slow
def test_adapters_of_a_latent_of_ours_and_its_names(latent: Path, shoot: Path, tmp_path: Path) -> None:
    out = tmp_path / "o"
    code, _, err = ran(words(shoot, latent, out, "--quiet"), tmp_path)
    assert code == 0 and (out / "adapter.safetensors").is_file(), err
    asked = "acme mug merah dengan latar belakang krem"
    made = mz.generate(asked, model=latent, steps=1, dtype="float32", lora=(out / "adapter.safetensors",)).images[0]
    assert "a red acme mug on a beige background" in str(made.receipt)
    worn = request_of("a zork acme mug", model=latent, dtype="float32", lora=(out / "adapter.safetensors",))
    notes = " ".join(mz.prepare(worn).notes)
    assert "zork" in notes and "acme" not in notes


def test_a_name_is_no_part_of_another_word() -> None:
    assert read("a red cupboard", ["cup"]).english == "a red cupboard"
    assert without_names("A cup, a cupboard", ["Cup"]).split() == ["a", ",", "a", "cupboard"]
    assert "cup" in read("cup merah dengan latar belakang krem", ["cup"]).english
    assert without_names("cup สีแดง cupสีแดง", ["cup"]).split() == ["สีแดง", "สีแดง"]


def test_what_is_told_no_text_is_not_tuned(shoot: Path, tmp_path: Path) -> None:
    folder = save_prior(tmp_path / "prior")
    code, _, err = ran(words(shoot, folder, tmp_path / "o", "--quiet"), tmp_path)
    assert code == 2 and "told an embedding and no text" in err and err.count("\n") == 1
