"""Teaching a model what it is asked for: who has a gradient, what is not named costs nothing, and it is learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mezzotint.codecs.latent import Stored
from mezzotint.diffusion.denoiser import Preconditioned
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.objective import EDMWeight, LogNormal
from mezzotint.diffusion.parametrisation import EDM
from mezzotint.errors import ModelError
from mezzotint.nets import AutoencoderConfig, DiTConfig, build, config_to_dict
from mezzotint.nets.config import TextConfig
from mezzotint.pretrained.network import save_network
from mezzotint.pretrained.spec import Card
from mezzotint.products.asked import ASPECTS, UNNAMED, WEIGHTS, asked
from mezzotint.products.colours import NAMES
from mezzotint.products.judging import VIEW_NAMES, kinds
from mezzotint.products.ranking import missed
from mezzotint.products.rewarding import Blind, CaptionsAsking, Rewarded, ranker_of
from mezzotint.training.conditioning import Captions, dropped
from mezzotint.training.data.source import Data, Item
from mezzotint.training.recipe import Recipe
from mezzotint.training.task import Draws, Sample, denoise

SHAPE, ROWS = (4, 4, 4), 6
NET = DiTConfig(
    in_channels=4, out_channels=4, size=(4, 4), patch=1, width=32, depth=1, heads=1, text=TextConfig(8, "in_context", 3)
)


class Looking(nn.Module):
    """Kind k is shown by a bright channel k, view v by a bright row v, colour c by a bright column c."""

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return 4 * z.mean((2, 3))[:, :3], 4 * z.mean((1, 3))[:, :2], 4 * z.mean((1, 2))[:, :2]


def nothing(folder: object) -> Data:
    raise AssertionError


def silence(captions: Sequence[str]) -> dict[str, Tensor]:
    """Token states of captions that say nothing."""
    return {"text": torch.zeros(len(captions), 3, 8), "text_mask": torch.zeros(len(captions), 3, dtype=torch.bool)}


def recipe(task: Rewarded) -> Recipe:
    return Recipe(
        "rewarded", NET, build, SHAPE, Stored(SHAPE), EDM(1.0), LogNormal(), EDMWeight(1.0), nothing, ROWS, 1,
        task=task, conditioning=CaptionsAsking(Captions(silence)),
    )  # fmt: skip


def texts(kind: Tensor, view: Tensor) -> dict[str, Tensor]:
    """Token states that say kind and view."""
    text = torch.zeros(len(kind), 3, 8)
    text[range(len(kind)), 0, kind], text[range(len(kind)), 1, 4 + view] = 3.0, 3.0
    return {"text": text, "text_mask": torch.ones(len(kind), 3, dtype=torch.bool)}


def given(step: int = 0) -> Sample:
    kind, view = torch.arange(ROWS) % 3, torch.arange(ROWS) % 2
    drawn = Draws(0, 0, step, range(ROWS))
    images = torch.randint(256, (ROWS, *SHAPE), dtype=torch.uint8, generator=torch.Generator().manual_seed(step))
    cond = {**texts(kind, view), "kind": kind, "view": view, "colour": view}
    return Sample(images, drawn.normals(50, SHAPE), (torch.arange(ROWS) + 0.5).double() / ROWS, cond, None, drawn)


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    net = build(NET)
    for p in net.parameters():  # gates and the last map start at zero
        nn.init.normal_(p, std=0.1)
    return net


def told(sample: Sample) -> dict[str, Tensor]:
    return {k: v for k, v in sample.cond.items() if k.startswith("text")}


def rewarded(**words: Any) -> Rewarded:
    """Every row is asked, by one ranker."""
    return replace(Rewarded((Looking(),), each=1), **words)


def test_it_is_denoising_and_what_was_missed() -> None:
    task, net, sample = rewarded(weight=0.0), network(), given()
    plain = denoise(recipe(task), net, replace(sample, cond=told(sample)))
    torch.testing.assert_close(task(recipe(task), net, sample), plain)
    more = replace(task, weight=2.0)(recipe(task), net, sample)
    assert (more > plain + 0.5).all()


def test_one_row_of_so_many_is_asked_and_counts_as_many_times() -> None:
    net, sample = network(), given()
    plain = denoise(recipe(rewarded()), net, replace(sample, cond=told(sample)))
    every, third = (rewarded(each=each)(recipe(rewarded()), net, sample) - plain for each in (1, 3))
    torch.testing.assert_close(third, every * torch.tensor([3.0, 0, 0, 3, 0, 0]), atol=1e-4, rtol=1e-4)
    apart = replace(sample, draws=replace(sample.draws, rows=range(1, ROWS + 1)))
    asked = rewarded(each=3)(recipe(rewarded()), net, apart) - plain
    assert asked.nonzero().flatten().tolist() == [2, 5]  # rows 3 and 6 of the whole batch


def test_of_several_rankers_the_mean_counts() -> None:
    class Other(Looking):
        def forward(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            return tuple(-3 * answer for answer in super().forward(z))  # type: ignore[return-value]

    net, sample = network(), given()
    one, other, both = (
        rewarded(rankers=rankers)(recipe(rewarded()), net, sample)
        for rankers in ((Looking(),), (Other(),), (Looking(), Other()))
    )
    assert (one - other).abs().min() > 0.01
    torch.testing.assert_close(both, (one + other) / 2)


def test_what_was_missed_is_the_cross_entropy_of_what_is_named() -> None:
    z = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(3))
    answers = Looking()(z)
    named = [[0, 1, UNNAMED], [2, UNNAMED, 1], [UNNAMED, 0, UNNAMED], [UNNAMED, UNNAMED, UNNAMED]]
    found = missed(Looking(), z, dict(zip(ASPECTS, torch.tensor(named).T, strict=True)))
    for row, asks in enumerate(named):
        terms = [
            WEIGHTS[aspect] * -float(logits[row].log_softmax(0)[k])
            for aspect, logits, k in zip(ASPECTS, answers, asks, strict=True)
            if k != UNNAMED
        ]
        assert float(found[row]) == pytest.approx(sum(terms), abs=1e-5)


@dataclass
class Asked:
    """A denoiser that answers with its weight, and remembers at which levels it was asked with a gradient."""

    weight: Tensor

    def __post_init__(self) -> None:
        self.levels: list[tuple[float, bool]] = []

    def __call__(self, x: Tensor, c_noise: Tensor, cond: object) -> Tensor:
        self.levels.append((round(float((4 * c_noise[0]).exp()), 2), torch.is_grad_enabled()))
        return x * 0 + self.weight


def test_only_the_steps_in_which_shapes_are_settled_are_taught() -> None:
    asks = Asked(torch.zeros((), requires_grad=True))

    def denoiser(taught: bool) -> Preconditioned:
        return Preconditioned(Blind(asks, taught), EDM(1.0))

    task = rewarded(sigmas=(80.0, 8.0, 2.0, 0.5), taught=(1, 2))
    z = task.made(denoiser, torch.randn(2, *SHAPE), {})
    assert asks.levels == [(80.0, False), (8.0, True), (2.0, True), (0.5, False)]
    assert z.requires_grad  # through the last step, which is not taught, to those before
    with torch.no_grad():
        assert not task.made(denoiser, torch.randn(2, *SHAPE), {}).requires_grad


@pytest.mark.parametrize("taught", [True, False])
def test_only_the_answer_to_the_text_is_taught_and_not_through_what_is_shown(taught: bool) -> None:
    task, shown = rewarded(scale=3.0), torch.ones(2, *SHAPE, requires_grad=True)
    weight = torch.zeros((), requires_grad=True)

    def network(x: Tensor, c_noise: Tensor, cond: dict[str, Tensor]) -> Tensor:
        return x + weight * (1 + cond["text_mask"].float().mean())

    told = texts(torch.tensor([0, 1]), torch.tensor([0, 1]))
    level = Level(torch.tensor(1.0), torch.tensor(2.0))
    answer = task.guided(recipe(task), network, taught)(shown, level, told).mean
    to_weight, to_shown = torch.autograd.grad(answer.sum(), (weight, shown), allow_unused=True)
    out, skip = 2 / 5**0.5, 1 / 5
    if taught:  # three times the told answer's
        torch.testing.assert_close(to_weight, torch.tensor(3 * 2 * out * shown.numel()))
    else:
        assert to_weight is None
    torch.testing.assert_close(to_shown, torch.full_like(shown, skip))


def test_where_the_answer_is_known_the_latent_is_it() -> None:
    x0 = torch.randn(3, *SHAPE, generator=torch.Generator().manual_seed(1))

    def knows(x: Tensor, c_noise: Tensor, cond: object) -> Tensor:
        sigma = (4 * c_noise).exp()[:, None, None, None]
        skip, out, inp = 1 / (1 + sigma**2), sigma / (1 + sigma**2).sqrt(), 1 / (1 + sigma**2).sqrt()
        return (x0 - skip * x / inp) / out

    z = rewarded().made(lambda taught: Preconditioned(knows, EDM(1.0)), torch.randn(3, *SHAPE), {})
    torch.testing.assert_close(z, x0, atol=1e-4, rtol=1e-4)


def test_a_row_depends_on_its_own_contents_alone() -> None:
    task, net, sample = rewarded(weight=1.0), network(), given()
    whole = task(recipe(task), net, sample)
    cond = {k: v[2:] for k, v in sample.cond.items()}
    part = Sample(sample.images[2:], sample.eps[2:], sample.u[2:], cond, None, replace(sample.draws, rows=range(2, 6)))
    torch.testing.assert_close(task(recipe(task), net, part), whole[2:], atol=1e-4, rtol=1e-4)


def test_a_few_updates_teach_what_is_asked() -> None:
    task, net = rewarded(weight=1.0), network()
    made, mover = recipe(task), torch.optim.Adam(net.parameters(), 3e-3)

    def lost(step: int) -> float:
        sample = given(step)
        with torch.no_grad():
            denoiser = Preconditioned(net, made.parametrisation)
            z = task.made(lambda taught: denoiser, sample.draws.normals(0, SHAPE), told(sample))
            return float(missed(task.rankers[0], z, sample.cond).mean())

    before = lost(1000)
    for step in range(90):
        mover.zero_grad()
        task(made, net, given(step)).mean().backward()
        mover.step()
    assert lost(1000) < before / 2


def test_captions_are_told_with_what_they_name() -> None:
    def encode(captions: Sequence[str]) -> dict[str, Tensor]:
        return {"text": torch.tensor([[[float(len(c))]] for c in captions])}

    conditioning = CaptionsAsking(Captions(encode))
    cond = conditioning([Item("a", None, "a red armchair, side view"), Item("b", None, "something"), Item("c", None)])
    assert cond["kind"].tolist() == [kinds().index("armchair"), UNNAMED, UNNAMED]
    assert cond["colour"].tolist() == [NAMES.index("red"), UNNAMED, UNNAMED]
    assert cond["view"].tolist() == [VIEW_NAMES.index("side"), UNNAMED, UNNAMED]
    assert cond["text"].flatten().tolist() == [25.0, 9.0, 0.0]
    null = conditioning.null(3)
    assert {k: v.shape for k, v in null.items()} == {k: v.shape for k, v in cond.items()}
    bare = dropped(cond, null, torch.tensor([True, False, False]))
    assert bare["kind"].tolist() == [UNNAMED] * 3
    assert asked("a red armchair").kind == cond["kind"][0]


def test_another_network_is_no_ranker(tmp_path: Path) -> None:
    auto = AutoencoderConfig(size=(16, 16), latent=4, fold=2, widths=(16, 16), blocks=1)
    save_network(
        tmp_path / "auto", build(auto).state_dict(), config_to_dict(auto), Card("auto", "Untrained.", "CC0-1.0")
    )
    with pytest.raises(ModelError, match="holds no ranker; train one with"):
        ranker_of(tmp_path / "auto")
