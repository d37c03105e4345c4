"""Tasks beside denoising: what their losses are, and that a few updates of a real network lower them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from training_case import tiny

from mezzotint.codecs.pixels import Pixels
from mezzotint.errors import UsageError
from mezzotint.nets import AutoencoderConfig, EmbedderConfig, JudgeConfig, RankerConfig, build, project_
from mezzotint.nets.embedder import contrastive
from mezzotint.products.judging import judge
from mezzotint.products.ranking import tell
from mezzotint.training.assignment import assign
from mezzotint.training.distributed import Ranks
from mezzotint.training.state import begin
from mezzotint.training.task import Draws, Sample
from mezzotint.training.tasks import Reconstruct, tell_apart

AUTOENCODER = AutoencoderConfig(size=(16, 16), latent=4, fold=2, widths=(16, 16))
EMBEDDER = EmbedderConfig(size=(16, 16), fold=2, widths=(16, 16), sentence=8, width=4)
JUDGE = JudgeConfig(kinds=3, views=2, size=(16, 16), fold=2, widths=(16, 16))
RANKER = RankerConfig(kinds=3, views=2, colours=2, channels=3, size=(16, 16), widths=(16, 16))


def unit(rows: int, seed: int) -> Tensor:
    return F.normalize(torch.randn(rows, 5, generator=torch.Generator().manual_seed(seed)), dim=1)


def test_the_contrastive_loss_is_clip_s_where_all_texts_differ() -> None:
    pictures, texts, sharpness = unit(6, 0), unit(6, 1), torch.tensor(7.0)
    logits, own = sharpness * pictures @ texts.T, torch.arange(6)
    expected = (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
    found = contrastive(pictures, texts, sharpness, torch.eye(6, dtype=torch.bool))
    torch.testing.assert_close(found.mean(), expected)


def test_two_pictures_of_one_text_do_not_push_each_other_away() -> None:
    pictures = texts = torch.eye(4)[[0, 0, 1, 2]]
    same = texts @ texts.T > 0.5
    sharp = torch.tensor(50.0)
    shared = contrastive(pictures, texts, sharp, same)
    # Half of the right answer each is the best there is: the entropy of two equal choices.
    torch.testing.assert_close(shared[:2], torch.full((2,), float(np.log(2))), atol=1e-4, rtol=0)
    worse = contrastive(torch.eye(4)[[0, 3, 1, 2]], texts, sharp, same)
    assert (worse[:2] > shared[:2] + 1).all()


def pictures(rows: int, channels: int = 3) -> Tensor:
    """(rows, channels, 16, 16) uint8 of a bright bar, and its place (rows,)."""
    images = torch.full((rows, channels, 16, 16), 40, dtype=torch.uint8)
    for k in range(rows):
        images[k, :, 5 * (k % 3) : 5 * (k % 3) + 5] = 220
    return images


@dataclass(frozen=True)
class Case:
    """A network with its task, and rows for it."""

    net: object
    task: object
    images: Tensor
    cond: dict[str, Tensor]


def cases() -> dict[str, Case]:
    place = torch.arange(12) % 3
    texts = F.one_hot(place, 8).float()[:, None]
    return {
        "reconstruct": Case(AUTOENCODER, Reconstruct(), pictures(12), {}),
        "tell apart": Case(
            EMBEDDER, tell_apart, pictures(12), {"text": texts, "text_mask": torch.ones(12, 1, dtype=torch.bool)}
        ),
        "judge": Case(JUDGE, judge, pictures(12, 4), {"label": place, "view": place % 2}),
        "rank": Case(RANKER, tell, pictures(12), {"kind": place, "view": place % 2, "colour": place % 2}),
    }


@pytest.mark.parametrize("name", cases())
def test_updates_lower_the_loss_of_every_row(name: str) -> None:
    case = cases()[name]
    channels = case.images.shape[1]
    recipe = replace(tiny(), net=case.net, codec=Pixels(channels, (16, 16)), shape=(channels, 16, 16))
    torch.manual_seed(0)
    network = build(case.net)
    draws = Draws(0, 1000, 0, range(12))
    given = Sample(case.images, torch.zeros(12, 1, 1, 1), torch.zeros(12), case.cond, None, draws)
    with torch.no_grad():
        before = case.task(recipe, network, given)
    assert before.shape == (12,) and before.isfinite().all()
    steps = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(60):
        steps.zero_grad()
        case.task(recipe, network, given).mean().backward()
        steps.step()
        project_(network)
    with torch.no_grad():
        after = case.task(recipe, network, given)
    assert (after < 0.9 * before).all() and float(after.mean()) < 0.6 * float(before.mean())


def test_a_reconstruction_without_error_costs_nothing_and_edges_count() -> None:
    class Echo(torch.nn.Module):
        def forward(self, x: Tensor, noise: Tensor) -> Tensor:
            return x if self.shift is None else x.roll(self.shift, 3)

        shift: int | None = None

    recipe = replace(tiny(), net=AUTOENCODER, codec=Pixels(3, (16, 16)), shape=(3, 16, 16))
    given = Sample(pictures(2).transpose(2, 3), torch.zeros(1), torch.zeros(2), {}, None, Draws(0, 1000, 0, range(2)))
    echo = Echo()
    assert not Reconstruct()(recipe, echo, given).any()
    echo.shift = 1
    plain, with_edges = (Reconstruct(edges=w)(recipe, echo, given) for w in (0.0, 1.0))
    assert (with_edges > plain).all() and (plain > 0).all()


def test_equal_texts_are_known_in_every_format_of_the_run() -> None:
    """Sentences of 384 numbers as encoders make them: in bfloat16 their cosines with themselves are not 1."""
    random = torch.Generator().manual_seed(0)
    texts = F.normalize(torch.randn(12, 384, generator=random), dim=1)[:, None].repeat(1, 2, 1)
    config = replace(EMBEDDER, sentence=384)
    recipe = replace(tiny(), net=config, codec=Pixels(3, (16, 16)), shape=(3, 16, 16))
    cond = {"text": texts, "text_mask": torch.ones(12, 2, dtype=torch.bool)}
    given = Sample(pictures(12), torch.zeros(1), torch.zeros(12), cond, None, Draws(0, 1000, 0, range(12)))
    network = build(config)
    with torch.no_grad():
        plain = tell_apart(recipe, network, given)
        with torch.autocast("cpu", torch.bfloat16):
            small = tell_apart(recipe, network, given)
    assert small.isfinite().all() and torch.allclose(plain, small, rtol=0.05)


@pytest.mark.parametrize("coupled", [{"task": tell_apart}, {"assignment": assign}], ids=["task", "assignment"])
@pytest.mark.parametrize(("accumulation", "world"), [(2, 1), (1, 2), (2, 2)])
def test_rows_that_depend_on_each_other_are_not_cut_apart(
    coupled: dict[str, object], accumulation: int, world: int
) -> None:
    begin(tiny(**coupled))
    match = f"^the {next(iter(coupled))} of recipe tiny compares .* cut into {accumulation * world} parts; .*$"
    with pytest.raises(UsageError, match=match):
        begin(tiny(**coupled, accumulation=accumulation), ranks=Ranks(0, world))
