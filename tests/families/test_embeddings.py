"""Textual-inversion files: diffusers' pictures, either tool's layout, and what is refused."""

from __future__ import annotations

import warnings
from pathlib import Path

import diffusers
import pytest
import torch
from asking import request_of
from safetensors.torch import save_file

import mezzotint as mz
from mezzotint.conditioning.taught import pieces
from mezzotint.diffusion.noise import Noise
from mezzotint.errors import ModelError, UsageError
from mezzotint.pretrained.embeddings import read_embedding, with_embeddings
from mezzotint.pretrained.system import describe_system

PROMPT = "a red <acme> chair"


def vectors(many: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(many, width, generator=torch.Generator().manual_seed(seed))


def latents(folder: Path, prompt: str, *files: Path) -> torch.Tensor:
    job = mz.prepare(request_of(prompt, model=folder, seed=3, steps=3, scale=5.0, embedding=files))
    return [e.state.x for e in mz.stream(job) if isinstance(e, mz.Progress)][-1]


@pytest.mark.parametrize("many", [1, 3])
def test_the_picture_is_that_of_diffusers(sd1: Path, tmp_path: Path, many: int) -> None:
    file = tmp_path / "learned_embeds.safetensors"
    save_file({"<acme>": vectors(many, 32)}, file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = diffusers.StableDiffusionPipeline.from_pretrained(sd1, safety_checker=None)
        pipe.set_progress_bar_config(disable=True)
        pipe.load_textual_inversion(str(tmp_path), weight_name=file.name, local_files_only=True)
        begin = Noise((3,))(0, (1, 4, 16, 16)).float()
        theirs = pipe(PROMPT, latents=begin, num_inference_steps=3, guidance_scale=5.0, output_type="latent").images
    ours = latents(sd1, PROMPT, file)
    assert (ours - theirs).abs().max() < 1e-4 * theirs.abs().max()
    assert (ours - latents(sd1, PROMPT)).abs().max() > 1e-3 * theirs.abs().max()


def test_either_layout_and_name_mean_the_same(sd1: Path, tmp_path: Path) -> None:
    save_file({"<acme>": vectors(2, 32)}, tmp_path / "one.safetensors")
    save_file({"emb_params": vectors(2, 32)}, tmp_path / "two.safetensors")
    wanted = latents(sd1, PROMPT, tmp_path / "one.safetensors")
    assert torch.equal(latents(sd1, "a red ONE chair", tmp_path / "one.safetensors"), wanted)
    assert torch.equal(latents(sd1, "a red two chair", tmp_path / "two.safetensors"), wanted)


def test_emphasis_and_chunks_go_on_working(sd1: Path, tmp_path: Path) -> None:
    save_file({"<acme>": vectors(2, 32)}, tmp_path / "one.safetensors")
    plain, strong = (latents(sd1, p, tmp_path / "one.safetensors") for p in ("a <acme>", "a (<acme>:1.5)"))
    assert not torch.equal(plain, strong)
    job = mz.prepare(request_of("<acme> " * 400, model=sd1, steps=1, embedding=[tmp_path / "one.safetensors"]))
    (count,) = job.pictures[0].told.tokens
    assert count.used == 600 and count.dropped == 200


def test_both_encoders_of_sdxl(sdxl: Path, tmp_path: Path) -> None:
    file = tmp_path / "acme.safetensors"
    save_file({"clip_l": vectors(2, 32), "clip_g": vectors(2, 24, seed=1)}, file)
    assert not torch.equal(latents(sdxl, "a acme", file), latents(sdxl, "a acme"))
    found = read_embedding(file, describe_system(sdxl))
    assert dict(found.keys) == {"text_encoder": "clip_l", "text_encoder_2": "clip_g"}


def test_the_base_stays_and_receipts_name_the_file(sd1: Path, tmp_path: Path) -> None:
    before = latents(sd1, PROMPT)
    save_file({"<acme>": vectors(1, 32)}, tmp_path / "one.safetensors")
    job = mz.prepare(request_of(PROMPT, model=sd1, steps=1, embedding=[tmp_path / "one.safetensors"]))
    made = job.made(job.pictures[0])
    assert made.embeddings[0]["name"] == "one" and len(str(made.embeddings[0]["sha256"])) == 64
    assert made.asset_id != mz.prepare(request_of(PROMPT, model=sd1, steps=1)).made(job.pictures[0]).asset_id
    assert torch.equal(latents(sd1, PROMPT), before)


def test_a_text_in_pieces(sd1: Path, tmp_path: Path) -> None:
    for name in ("acme", "acme-bag"):
        save_file({"emb_params": vectors(1, 32)}, tmp_path / f"{name}.safetensors")
    files = [tmp_path / "acme.safetensors", tmp_path / "acme-bag.safetensors"]
    bag = with_embeddings(describe_system(sd1), files).embeddings
    found = [p if isinstance(p, str) else p.path.stem for _, p in pieces("an Acme-Bag, acme", bag)]
    assert found == ["an ", "acme-bag", ", ", "acme"]


def test_a_word_within_another_is_not_said(sd1: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.safetensors" for name in ("art", "cat", "sofa", "<x>", "包")]
    for file in files:
        save_file({"emb_params": vectors(1, 32)}, file)
    known = with_embeddings(describe_system(sd1), files).embeddings

    def said(text: str) -> list[str]:
        return [p if isinstance(p, str) else f"+{p.path.stem}" for _, p in pieces(text, known)]

    assert said("a party in a catalog") == ["a party in a catalog"]
    assert said("a (cat:1.2), art.") == ["a (", "+cat", ":1.2), ", "+art", "."]
    assert said("a \u017fofa") == ["a ", "+sofa"]
    assert said("big<x>one") == ["big", "+<x>", "one"]
    assert said("我的包在cat旁边") == ["我的", "+包", "在", "+cat", "旁边"], (
        "scripts without spaces have no whole words"
    )


def test_faults_are_named_in_one_line(sd1: Path, tiny: Path, tmp_path: Path) -> None:
    cases = {
        "wide": ({"x": vectors(1, 64)}, "is for an encoder of width 64; model's text_encoder has 32"),
        "lora": ({"a.lora_A.weight": vectors(2, 4), "a.lora_B.weight": vectors(4, 2)}, "is no textual inversion"),
        "many": ({"x": vectors(200, 32)}, r"has \[200\] vectors"),
    }
    for name, (tensors, said) in cases.items():
        save_file(tensors, tmp_path / f"{name}.safetensors")
        with pytest.raises(ModelError, match=said) as caught:
            mz.prepare(request_of("a", model=sd1, embedding=[tmp_path / f"{name}.safetensors"]))
        assert "\n" not in str(caught.value)
    (tmp_path / "old.pt").write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(ModelError, match="mezzotint convert"):
        mz.prepare(request_of("a", model=sd1, embedding=[tmp_path / "old.pt"]))
    save_file({"x": vectors(1, 32)}, tmp_path / "x.safetensors")
    with pytest.raises(UsageError, match="takes no textual inversions"):
        mz.prepare(request_of("sneaker", model=tiny, embedding=[tmp_path / "x.safetensors"]))
    with pytest.raises(UsageError, match="two embeddings are called"):
        mz.prepare(request_of("a", model=sd1, embedding=[tmp_path / "x.safetensors"] * 2))
