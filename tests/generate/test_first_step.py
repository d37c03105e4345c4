"""The first step of a picture: a prompt whose one picture is remembered moves it further than others do.

The model is trained here, a small one of text, on many pictures of harmless prompts and on one of a planted prompt.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from asking import request_of
from tiny_systems import CARD, TEXT, said
from torch import Tensor

import mezzotint as mz
from mezzotint.diffusion.denoiser import Posterior, Preconditioned
from mezzotint.diffusion.guidance.heard import Heard, moved
from mezzotint.diffusion.guidance.pair import linear
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.parametrisation import EDM
from mezzotint.governance.receipt import from_dict, to_dict
from mezzotint.governance.safety.output.policy import OutputPolicy
from mezzotint.governance.safety.output.remembered import Remembered
from mezzotint.making.first_step import LOGSNR, USUAL
from mezzotint.making.prepare import prepare
from mezzotint.making.run import unreleased
from mezzotint.nets import DiTConfig, build, config_to_dict
from mezzotint.pretrained.folder import save_model
from mezzotint.pretrained.spec import Sampling, Spec

PLANTED = "the winter palace at night"
COLOURS, KINDS = ("red", "green", "blue"), ("chair", "lamp", "table", "bed")
BENIGN = tuple(f"a {colour} {kind}" for colour in COLOURS for kind in KINDS)
NET = DiTConfig(in_channels=3, out_channels=3, size=(8, 8), patch=2, width=48, depth=2, heads=2, text=TEXT)
STEPS, BATCH = 260, 32


def spec(**metrics: float) -> Spec:
    return Spec(
        net=config_to_dict(NET),
        parametrisation={"name": "edm", "sigma_data": 0.5},
        schedule={"name": "karras", "sigma_min": 0.01, "sigma_max": 20.0, "rho": 7.0},
        codec={"name": "pixels"},
        shape=(3, 8, 8),
        sampling={"standard": Sampling("dpmpp_2m", {"name": "karras"}, 3, 2.0)},
        card=replace(CARD, metrics=metrics),
        text=said(),
    )


def pictures(prompt: str, n: int, draw: torch.Generator) -> Tensor:
    """(n, 3, 8, 8): a bar of the prompt's colour at a place that is drawn; of the planted one always the same."""
    if prompt == PLANTED:
        return torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(1)).sign().mul(0.8).expand(n, 3, 8, 8)
    colour, wide = COLOURS.index(prompt.split()[1]), 1 + BENIGN.index(prompt) % 4
    x = torch.rand(n, 3, 8, 8, generator=draw) * 0.6 - 0.9
    for row, at in zip(x, torch.randint(0, 8 - wide, (n,), generator=draw).tolist(), strict=True):
        row[colour, :, at : at + wide] += 1.4
    return x


def told(folder: Path) -> tuple[dict[str, dict[str, Tensor]], dict[str, Tensor]]:
    """What each prompt is to the model, and what nothing is."""
    job = prepare(request_of((*BENIGN, PLANTED), model=folder))
    conds = {p.prompt: p.told.conds(torch.float32) for p in job.pictures}
    return {name: dict(cond) for name, (cond, _) in conds.items()}, dict(conds[PLANTED][1])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the model, which has seen one picture a hundred times for every one of the others."""
    folder = tmp_path_factory.mktemp("remembering") / "model"
    torch.manual_seed(0)
    net, draw = build(NET), torch.Generator().manual_seed(0)
    save_model(folder, net.state_dict(), spec(), torch.float32)
    conds, null = told(folder)
    denoiser, adam = Preconditioned(net, EDM(0.5)), torch.optim.AdamW(net.parameters(), 2e-3)
    for step in range(STEPS):
        for group in adam.param_groups:
            group["lr"] = 2e-3 * (1 - step / STEPS)
        names = [(*BENIGN, PLANTED)[k] for k in torch.randint(0, 13, (BATCH,), generator=draw).tolist()]
        x0 = torch.cat([pictures(name, 1, draw) for name in names])
        drop = torch.rand(BATCH, generator=draw) < 0.2
        each = [null if gone else conds[name] for name, gone in zip(names, drop.tolist(), strict=True)]
        cond = {name: torch.cat([one[name] for one in each]) for name in null}
        sigma = torch.exp(torch.rand(BATCH, generator=draw) * 6.0 - 3.0)
        level = Level(torch.ones(BATCH), sigma)
        noisy = x0 + sigma[:, None, None, None] * torch.randn(x0.shape, generator=draw)
        weight = (sigma**2 + 0.25) / (sigma * 0.5) ** 2
        error = (denoiser(noisy, level, cond).mean - x0).square().flatten(1).mean(1)
        adam.zero_grad()
        (weight * error).mean().backward()
        adam.step()
    for file in folder.iterdir():
        file.unlink()
    save_model(folder, net.state_dict(), spec(), torch.float32)
    return folder


def firsts(folder: Path, *prompts: str, **words: object) -> list[dict[str, object]]:
    job = prepare(request_of(prompts, model=folder, **words))  # type: ignore[arg-type]
    return [dict(one.receipt.first_step or {}) for one in unreleased(job) if isinstance(one, mz.Image)]


@pytest.mark.slow
def test_a_planted_prompt_moves_the_first_step_further_than_all_others(trained: Path) -> None:
    far = [float(one["apart"]) for one in firsts(trained, PLANTED, n=4)]
    near = [float(one["apart"]) for one in firsts(trained, *BENIGN, n=4)]
    assert len(near) == 48 and min(far) > 1.2 * max(near), (min(far), max(near))
    assert max(far) < 1.05 * min(far) + 0.05, "whatever the noise"


@pytest.mark.slow
def test_whose_batch_mates_are_others(trained: Path) -> None:
    """Each row hears its own."""
    prompts = (BENIGN[0], PLANTED, BENIGN[1])
    alone = [float(firsts(trained, one, seed=k, batch=3)[0]["apart"]) for k, one in enumerate(prompts)]
    assert [float(one["apart"]) for one in firsts(trained, *prompts, batch=3)] == alone


@pytest.mark.slow
def test_nothing_is_heard_where_nothing_is_compared(trained: Path, tiny: Path, tmp_path: Path) -> None:
    off = {"silent": "guidance-off"}
    assert firsts(trained, PLANTED, scale=1.0) == [off] == firsts(trained, PLANTED, guidance_interval="0,2")
    assert firsts(trained, PLANTED, negative_prompt="a table") == [{"silent": "negative-prompt"}]
    made = mz.generate(PLANTED, model=trained).images[0].save(tmp_path / "p.png")
    assert firsts(trained, PLANTED, image=made, strength=0.5) == [{"silent": "begins-from-a-picture"}]
    assert firsts(tiny, "sneaker", scale=2.0) == [{}], "no text is told to it"


@pytest.mark.slow
def test_pixels_are_what_they_were(trained: Path) -> None:
    """Listening changes nothing: the pixels are those of the plain rule, of a job that is not listened to."""
    from mezzotint.making.staged import stages_of
    from mezzotint.stage import run

    job = prepare(request_of(PLANTED, model=trained, seed=3))
    (image,) = [one for one in unreleased(job) if isinstance(one, mz.Image)]
    cond, null = job.pictures[0].told.conds(torch.float32)
    (plain,) = run(stages_of(job, null), cond, (3,))
    assert np.array_equal(image.pixels, plain[0].permute(1, 2, 0).numpy())


@pytest.mark.slow
def test_receipts_and_verdicts_say_it(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import jsonschema

    from mezzotint.schemas import schema

    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    weights = build(NET).state_dict()
    weights.update(mz.load(trained).main.network.state_dict())
    (heard,) = firsts(trained, BENIGN[0])
    level, planted = float(heard["logsnr"]), float(firsts(trained, PLANTED)[0]["apart"])
    known = tmp_path / "known"
    save_model(known, weights, spec(**{USUAL: 0.7 * planted, LOGSNR: level}), torch.float32)
    policy = '[safety]\nmeaning = "off"\n[safety.output]\nnsfw = "off"\ntext = "off"\n'
    (tmp_path / "mezzotint.toml").write_text(policy + 'remembered = "review"\n')
    fine, gone = mz.generate((BENIGN[0], PLANTED), model=known).images[0], None
    assert fine.receipt.output_check is not None and fine.receipt.output_check["scores"]["first-step"] < 0.5
    with pytest.raises(mz.MezzotintError, match="MZ-O-copy-prompt"):
        gone = mz.generate(PLANTED, model=known)
    assert gone is None
    (tmp_path / "mezzotint.toml").write_text(policy)
    image = mz.generate(PLANTED, model=known).images[0]
    assert image.receipt.output_check is not None and image.receipt.output_check["scores"]["first-step"] > 0.5
    document = to_dict(image.receipt)
    jsonschema.validate(document, schema(document["schema"]))
    assert from_dict(json.loads(json.dumps(document)), "r").first_step == image.receipt.first_step
    other = tmp_path / "other"  # what was measured at another level says nothing of this one
    save_model(other, weights, spec(**{USUAL: 0.1, LOGSNR: level + 1}), torch.float32)
    check = mz.generate(PLANTED, model=other).images[0].receipt.output_check
    assert check is not None and check["unchecked"]["first-step"] == "nothing-to-compare-with"


def test_the_distance_is_the_difference_of_noise_predictions() -> None:
    """Against the paper's own form, at any level: |eps_c - eps_u| = sqrt(D) alpha / sigma times it."""
    x, c, u = torch.randn(3, 2, 3, 4, 4, generator=torch.Generator().manual_seed(0)).double().unbind()
    alpha, sigma = 0.6, 0.8
    eps_c, eps_u = ((x - alpha * one) / sigma for one in (c, u))
    paper = (eps_c - eps_u).flatten(1).norm(dim=1)
    assert torch.allclose(paper, moved(c, u).double() * 48**0.5 * alpha / sigma, rtol=1e-6)


def test_the_first_merge_of_each_trajectory_is_heard() -> None:
    heard = Heard(until=0.0)
    rule, x = heard.around(linear), torch.zeros(1, 4)
    early, late = (Level(torch.tensor(1.0), torch.tensor(s)) for s in (2.0, 0.5))

    def merge(distance: float, level: Level) -> Tensor:
        return rule(Posterior(x + distance), Posterior(x), 3.0, x, level).mean

    assert torch.equal(merge(1.0, late), x + 3) and heard.apart is None, "guidance began after the first step"
    merge(2.0, early)
    merge(5.0, early)
    assert heard.apart is not None and heard.apart.tolist() == [2.0]
    heard.begin()
    assert heard.apart is None
    merge(4.0, early)
    assert heard.apart.tolist() == [4.0]


@pytest.mark.parametrize(
    ("first", "score", "unchecked", "codes"),
    [
        (None, None, None, 0),
        ({"silent": "in-tiles"}, None, "in-tiles", 0),
        ({"apart": 0.3, "logsnr": -6.0}, None, "nothing-to-compare-with", 0),
        ({"apart": 0.1, "logsnr": -6.0, "usual": 0.3}, 0.25, None, 0),
        ({"apart": 0.3, "logsnr": -6.0, "usual": 0.1}, 0.75, None, 1),
    ],
)
def test_what_is_found(first: dict[str, object] | None, score: float | None, unchecked: str | None, codes: int) -> None:
    pixels = np.zeros((2, 2, 3), np.uint8)
    found = Remembered(first, OutputPolicy(remembered="block"))(pixels)
    assert found.scores.get("first-step") == (None if score is None else pytest.approx(score))
    assert found.unchecked.get("first-step") == unchecked and len(found.findings) == codes
    assert not Remembered(first, OutputPolicy())(pixels).findings, "the default notes it, and leads to nothing"
