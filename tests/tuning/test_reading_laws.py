"""Laws of text encoders that are learnt on, one and two of them: what a step reads is what prompts say, only what is to
be learnt is, and what is worn does what was learnt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from reading_case import CAPTIONS, Case, case, moved, said
from torch import Tensor

from mezzotint.conditioning.vocabulary import Learning
from mezzotint.making.tuned.base import worn_parts
from mezzotint.making.tuned.learn import learn, moments
from mezzotint.making.tuned.product import Layers, Vectors, until
from mezzotint.pretrained.embeddings import read_embedding
from mezzotint.pretrained.families.clip import emphasised
from mezzotint.pretrained.families.legible import legible
from mezzotint.pretrained.model import load
from mezzotint.training.run import Watch
from mezzotint.tuning.settings import INVERSION, Method

TEXTS, WORD = Method(rank=2, text=0.5), Method(INVERSION, vectors=2)


def test_a_step_reads_what_prompts_say(read_by_clip: Path, shoot: Path) -> None:
    c = case(read_by_clip, shoot, TEXTS)
    assert c.net.base.texts is not None
    reads = legible(c.base.system)
    for captions in (CAPTIONS, ("", "a", "")):
        found = reads.cond(c.net.base.texts.__getitem__, c.cond(captions) if captions[0] else reads.tokens(captions))
        for k, text in enumerate(captions):
            cond, null = said(c.base.system, text or "a")
            for name in ("text", "pooled")[: 1 + reads.pooled]:
                wanted = cond[name] if text else null[name]
                assert torch.allclose(found[name][k], wanted[0], atol=1e-5), (text, name)


def test_its_null_is_what_pictures_are_steered_from(read_by_clip: Path, shoot: Path) -> None:
    c = case(read_by_clip, shoot, TEXTS)
    null = c.lesson.recipe.conditioning.null(3)
    assert {k: v.shape for k, v in null.items()} == {k: v.shape for k, v in c.cond().items()}
    rows = [said(c.base.system, "a")[1]] * 3
    wanted = {name: torch.cat([row[name] for row in rows]) for name in rows[0]}
    found = c(c.net.base, null)
    assert torch.allclose(found, c(c.net.base.net, wanted), atol=1e-5)


def test_adapters_begin_as_their_base(read_by_clip: Path, shoot: Path) -> None:
    c = case(read_by_clip, shoot, TEXTS)
    plain = c.plain(c.base.system, c.base.stage.denoiser("cpu", torch.float32))
    with torch.no_grad():
        rounded = 1e-5 * float(plain.abs().max())  # packed weights are summed in another order
        assert torch.allclose(c(c.net), plain, atol=rounded) and torch.equal(c(c.net), c(c.net.base))


@pytest.mark.slow
def test_a_word_begins_as_what_it_is_one_of(read_by_clip: Path, shoot: Path) -> None:
    c = case(read_by_clip, shoot, Method(INVERSION, vectors=3))  # of the three letters that these checkpoints read
    begins = tuple(text.replace("acme mug", "mug") for text in CAPTIONS)
    with torch.no_grad():
        found, wanted = c(c.net), c(c.net.base, case(read_by_clip, shoot, TEXTS).cond(begins))
        assert torch.allclose(found, wanted, atol=1e-5)
    other = case(read_by_clip, shoot, Method(INVERSION, vectors=3, initial="cup"))
    assert not torch.allclose(c(c.net)[0], other(other.net)[0], atol=1e-4)


@pytest.mark.parametrize("method", [TEXTS, WORD], ids=["texts", "word"])
def test_only_what_is_to_be_learnt_is(read_by_clip: Path, shoot: Path, method: Method) -> None:
    c = case(read_by_clip, shoot, method)
    free = {name for name, p in c.net.named_parameters() if p.requires_grad}
    encoders = list(c.net.tuned.texts)
    if method.inverts:
        assert len(free) == len(encoders) and all(name.endswith(".vectors") for name in free)
        assert {m.vectors.shape[0] for m in c.net.modules() if isinstance(m, Learning)} == {2}
    else:
        assert free == {name for name, _ in c.net.named_parameters() if ".learnt." in name}
        of_texts = [name for name in free if ".texts." in name]
        assert len(of_texts) == 2 * 4 * 3 * len(encoders)  # A and B of four projections in three layers
    assert not any(p.requires_grad for p in c.net.base.parameters())
    before = {name: w.clone() for name, w in c.net.base.state_dict().items()}
    moved(c.net)
    c(c.net).square().sum().backward()
    reached = {name for name, p in c.net.named_parameters() if p.grad is not None and bool(p.grad.any())}
    unread = {n for n in free if n.startswith("tuned.texts.") and ".layers.2." in n}  # SDXL reads the last but one
    assert free - unread <= reached <= free
    assert all(torch.equal(w, before[name]) for name, w in c.net.base.state_dict().items())
    assert all(p.grad is None for p in c.net.base.parameters())


@pytest.mark.parametrize("method", [TEXTS, WORD], ids=["texts", "word"])
def test_the_gradient_is_that_of_the_answer(sd1: Path, shoot: Path, method: Method) -> None:
    c = case(sd1, shoot, method)
    moved(c.net)
    (c(c.net) ** 2).sum().backward()
    for p in [p for name, p in c.net.named_parameters() if p.requires_grad and ".texts." in name][:3]:
        assert p.grad is not None
        step, ends = 3e-3 * p.grad / p.grad.norm(), list[float]()
        for sign in (1, -1):
            with torch.no_grad():
                p.add_(sign * step)
                ends.append(float((c(c.net).double() ** 2).sum()))
                p.sub_(sign * step)
        assert (ends[0] - ends[1]) / 2 == pytest.approx(float((p.grad * step).sum()), rel=0.05)


def test_states_of_no_mean_have_gradients() -> None:
    """As normed states have: emphasis divides by their mean, also where nothing is emphasised and that is not used."""
    states = torch.tensor([[[1.0, -1.0], [2.0, -2.0]]]).repeat(3, 1, 1).requires_grad_(True)
    weights = torch.tensor([[1.0, 1.0], [1.0, 2.0], [1.0, 2.0]])[..., None]
    found = emphasised(states + torch.tensor([0.0, 0.0, 0.5])[:, None, None], weights)
    (found * torch.arange(12.0).reshape(3, 2, 2)).sum().backward()
    assert states.grad is not None and torch.isfinite(states.grad).all()
    assert torch.equal(states.grad[0], torch.arange(4.0).reshape(2, 2))


@pytest.mark.slow
def test_what_is_worn_is_what_was_learnt(read_by_clip: Path, shoot: Path) -> None:
    c = case(read_by_clip, shoot, TEXTS)
    made = until(c.net, moved(c.net), "")
    assert isinstance(made, Layers) and set(made.parts) == {"denoiser", *c.net.tuned.texts}
    changes = {part: {path: one.change for path, one in layers.items()} for part, layers in made.parts.items()}
    dressed = load(replace(c.base.system, adapters=(worn_parts("mug", changes, "t"),)))
    found = c.plain(dressed.system, dressed.main.denoiser("cpu", torch.float32))
    net_alone = load(replace(c.base.system, adapters=(worn_parts("mug", {"denoiser": changes["denoiser"]}, "u"),)))
    with torch.no_grad():
        assert torch.allclose(found, c(c.net), atol=5e-3 * float(found.abs().max()))  # files are float16
    assert not torch.allclose(
        c.plain(net_alone.system, net_alone.main.denoiser("cpu", torch.float32)), found, atol=1e-3
    )


def test_a_word_s_file_says_what_was_learnt(read_by_clip: Path, shoot: Path, tmp_path: Path) -> None:
    c = case(read_by_clip, shoot, WORD)
    made = until(c.net, moved(c.net, 0.5), "acme mug")
    assert isinstance(made, Vectors) and set(made.vectors) == set(c.net.tuned.texts)
    word = made.worn("mug", "d/4", tmp_path, c.base)
    knows = replace(c.base.system, embeddings=(word,))
    found = c.plain(knows, c.base.stage.denoiser("cpu", torch.float32))
    with torch.no_grad():
        assert torch.allclose(found, c(c.net), atol=1e-4)
        plain = c(c.net.base.net, _read_plainly(c))
    assert not torch.allclose(found[0], plain[0], atol=1e-3) and torch.allclose(found[2], plain[2], atol=1e-4)
    again = read_embedding(next(tmp_path.glob("word-*-4/learned_embeds.safetensors")), c.base.system)
    assert all(torch.equal(again.vectors(name), made.vectors[name]) for name in made.vectors)


def _read_plainly(c: Case) -> dict[str, Tensor]:
    rows = [said(c.base.system, text)[0] for text in CAPTIONS]
    return {name: torch.cat([row[name] for row in rows]) for name in rows[0]}


@pytest.mark.slow
@pytest.mark.parametrize("method", [TEXTS, WORD], ids=["texts", "word"])
def test_what_others_say_never_reaches_a_row(read_by_clip: Path, shoot: Path, method: Method) -> None:
    c = case(read_by_clip, shoot, method)
    moved(c.net)
    with torch.no_grad():
        mine = c(c.net)[1]
        other = c(c.net, c.cond(("acme mug acme mug", CAPTIONS[1], "nothing of it")))
    assert torch.equal(other[1], mine) and not torch.allclose(other[0], c(c.net)[0], atol=1e-4)


def test_rates_are_those_that_were_said(sd1: Path, shoot: Path) -> None:
    for method, wanted in ((TEXTS, (0.5, 0.5, 1, 1)), (replace(TEXTS, faster=4), (0.5, 2, 1, 4)), (WORD, (1, 1, 1, 1))):
        factor = case(sd1, shoot, method).lesson.recipe.optimiser.factor
        names = (
            f"tuned.{part}.learnt.{what}" for part in ("texts.text_encoder.x", "net.unet.x") for what in ("down", "up")
        )
        assert tuple(map(factor, names)) == wanted


def test_a_word_spends_no_rows_on_what_does_not_say_it(sd1: Path, shoot: Path) -> None:
    assert case(sd1, shoot, WORD).lesson.data.train.beside == 0 < case(sd1, shoot, TEXTS).lesson.data.train.beside


def test_a_run_is_of_its_text_encoders(sd1: Path, shoot: Path) -> None:
    for method in (TEXTS, WORD):
        assert case(sd1, shoot, method).lesson.recipe.net.encoders == (
            load(sd1).system.components["text_encoder"].sha256,
        )


@pytest.mark.slow
@pytest.mark.parametrize("method", [TEXTS, WORD, Method("tlora", 2, text=0.5)], ids=["texts", "word", "tlora"])
def test_stopped_and_resumed_is_equal_to_the_bit(sd1: Path, shoot: Path, tmp_path: Path, method: Method) -> None:
    steps = iter(range(10))
    whole = learn(case(sd1, shoot, method).lesson, tmp_path / "whole", "new", Watch())
    first = learn(case(sd1, shoot, method).lesson, tmp_path / "o", "new", Watch(stop=lambda: next(steps) == 1))
    assert first.training.step == 2
    again = learn(case(sd1, shoot, method).lesson, tmp_path / "o", "resume", Watch())
    weights, others, begun = (dict(o.training.net.named_parameters()) for o in (whole, again, first))
    free = [name for name, p in weights.items() if p.requires_grad]
    assert all(torch.equal(weights[name], others[name]) for name in free)
    assert any(not torch.equal(weights[name], begun[name]) for name in free)
    one, two = (moments(case(sd1, shoot, method).lesson, tmp_path / name)[4] for name in ("whole", "o"))
    assert type(one) is type(two) is (Vectors if method.inverts else Layers)
