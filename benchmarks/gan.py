"""The GAN row: a GAN of the size of ``products-pixel``'s first stage, on its data, for as long, held to its trial.

    python benchmarks/gan.py --data PHOTOGRAPHS [--minutes 90] [--against RUN/model] [--threads 2] [--out FOLDER]

Loss: Huang et al., 2024, R3GAN, eq. 2 and 3: the relativistic pairing loss with zero-centred gradient penalties on real
and made pictures.  Training stops and goes on at any moment; the minutes are counted over all of it.  What it leaves is
an evaluation like any other: ``mezzotint compare`` sets its folder beside those of models of the same size of picture.
"""

from __future__ import annotations

import argparse
import copy
import math
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness
import torch
import torch.nn.functional as F
from gan_networks import Discriminator, Generator
from torch import Tensor

SIDE, TEXT = 64, 384
RATE, BETAS, AVERAGE = 2e-4, (0.0, 0.99), 0.999
GAMMA = (2.0, 0.2)
"""Weight of the gradient penalties at the start and at the end, on pictures of -1 … 1 at 64 px."""

KEEP_EVERY = 120.0


@dataclass(frozen=True)
class Settings:
    """minutes: of training, on so many threads.  widths: of the generator, coarse to fine."""

    data: Path
    out: Path
    minutes: float
    threads: int
    batch: int
    n: int
    seed: int
    widths: tuple[int, ...]
    blocks: int
    metrics: tuple[str, ...]
    minimum: int | None


@dataclass
class State:
    """A run: networks, the generator's average, optimisers, and how far it is."""

    generator: Generator
    average: Generator
    discriminator: Discriminator
    optimisers: tuple[torch.optim.Adam, torch.optim.Adam]
    step: int
    seconds: float
    cursor: Any


def begin(settings: Settings) -> State:
    """A run before its first update."""
    from mezzotint.training.data.order import Cursor

    torch.manual_seed(settings.seed)
    g = Generator(settings.widths, settings.blocks, TEXT)
    d = Discriminator(settings.widths[::-1], settings.blocks, TEXT)
    adam_g, adam_d = (torch.optim.Adam(net.parameters(), RATE, betas=BETAS) for net in (g, d))
    return State(g, copy.deepcopy(g).requires_grad_(False), d, (adam_g, adam_d), 0, 0.0, Cursor())


def checkpoint(settings: Settings) -> Path:
    """Of a run."""
    return settings.out / "gan.pt"


def save(state: State, settings: Settings) -> None:
    """Writes a run, whole or not at all.  A file of this script's own: it is never read from elsewhere."""
    found = {
        "nets": [net.state_dict() for net in (state.generator, state.average, state.discriminator)],
        "optimisers": [o.state_dict() for o in state.optimisers],
        "about": [state.step, state.seconds, list(state.cursor)],
    }
    part = checkpoint(settings).with_suffix(".part")
    torch.save(found, part)
    part.replace(checkpoint(settings))


def resumed(settings: Settings) -> State:
    """The run where it was left, or a new one."""
    from mezzotint.training.data.order import Cursor

    state = begin(settings)
    if checkpoint(settings).is_file():
        found = torch.load(checkpoint(settings), weights_only=True)
        for net, weights in zip((state.generator, state.average, state.discriminator), found["nets"], strict=True):
            net.load_state_dict(weights)
        for optimiser, kept in zip(state.optimisers, found["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        state.step, state.seconds, cursor = found["about"]
        state.cursor = Cursor(*cursor)
    return state


def sentences(cond: dict[str, Tensor]) -> Tensor:
    """(B, T): the mean of the token states of each text."""
    from mezzotint.conditioning.minilm import pooled

    return pooled(cond["text"].float(), cond["text_mask"])


def penalty(score: Tensor, x: Tensor) -> Tensor:
    """The squared norm of the score's gradient by the picture, (B,)."""
    (slope,) = torch.autograd.grad(score.sum(), x, create_graph=True)
    return slope.square().flatten(1).sum(1)


def update(state: State, images: Tensor, text: Tensor, gamma: float) -> tuple[float, float]:
    """One update of the discriminator and one of the generator: both losses."""
    real = images.float() / 127.5 - 1
    adam_g, adam_d = state.optimisers
    with torch.no_grad():
        made = state.generator(torch.randn(len(real), state.generator.latent), text)
    seen = [x.clone().requires_grad_() for x in (real, made)]
    scores = [state.discriminator(x, text) for x in seen]
    slopes = sum(penalty(s, x) for s, x in zip(scores, seen, strict=True))
    loss_d = (F.softplus(scores[1] - scores[0]) + gamma / 2 * slopes).mean()
    adam_d.zero_grad(set_to_none=True)
    loss_d.backward()
    adam_d.step()
    made = state.generator(torch.randn(len(real), state.generator.latent), text)
    with torch.no_grad():
        true = state.discriminator(real, text)
    loss_g = F.softplus(true - state.discriminator(made, text)).mean()
    adam_g.zero_grad(set_to_none=True)
    loss_g.backward()
    adam_g.step()
    keep = min(AVERAGE, (state.step + 1) / (state.step + 10))
    for kept, now in zip(state.average.parameters(), state.generator.parameters(), strict=True):
        kept.data.lerp_(now.data, 1 - keep)
    return float(loss_d.detach()), float(loss_g.detach())


def train(settings: Settings) -> State:
    """Trains for the minutes that are left, keeping the run every two."""
    from mezzotint.training.data.batches import batches, rows_of
    from mezzotint.training.data.prefetch import prefetched
    from mezzotint.training.data.quarantine import Quarantine
    from mezzotint.training.loader import load_recipe

    recipe = replace(load_recipe("products-pixel"), batch=settings.batch, drop=0.0, steps=10**9, seed=settings.seed)
    state, source = resumed(settings), recipe.data(settings.data).train
    kept = state.seconds
    total = settings.minutes * 60

    def feed() -> Any:
        return batches(recipe, source, state.step, state.cursor, rows_of(recipe, 0, 1), Quarantine())

    began = time.perf_counter()
    for batch in prefetched(feed, 2):
        share = min(1.0, state.seconds / total)
        gamma = GAMMA[1] + (GAMMA[0] - GAMMA[1]) * (1 + math.cos(math.pi * share)) / 2
        torch.manual_seed(settings.seed * 1_000_003 + state.step)
        (micro,) = batch.micros
        losses = update(state, micro.images, sentences(dict(micro.cond)), gamma)
        state.step, state.cursor = state.step + 1, batch.after
        now = time.perf_counter()
        state.seconds, began = state.seconds + now - began, now
        if state.step % 50 == 0:
            how_far = f"{state.seconds / 60:.1f} of {settings.minutes} min, update {state.step}"
            print(f"{how_far}: {losses[0]:.3f} {losses[1]:.3f}", file=sys.stderr, flush=True)
        if state.seconds >= total or state.seconds - kept > KEEP_EVERY:
            save(state, settings)
            kept = state.seconds
        if state.seconds >= total:
            break
    return state


@torch.inference_mode()
def pictures(generator: Generator, prompts: tuple[str, ...], seed: int) -> tuple[Tensor, float]:
    """(N, 3, 64, 64) uint8, one a prompt, and seconds of processor time a picture."""
    from mezzotint.products.training import CAPTIONS

    generator.eval()
    made, spent = [], 0.0
    for i in range(0, len(prompts), 16):
        text = sentences(dict(CAPTIONS.encode(prompts[i : i + 16])))
        z = torch.randn(len(text), generator.latent, generator=torch.Generator().manual_seed(seed + i))
        began = time.process_time()
        made.append(((generator(z, text) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8))
        spent += time.process_time() - began
    return torch.cat(made), spent / len(prompts)


def evaluate(settings: Settings, state: State) -> Path:
    """Puts the generator's average to the trial of product compositions at 64 px; the evaluation's folder."""
    from mezzotint.evaluation.features import extractor
    from mezzotint.evaluation.measure import measure
    from mezzotint.evaluation.report import Cost, Report
    from mezzotint.making.evaluated import evaluated, save
    from mezzotint.pretrained.device import processor
    from mezzotint.products.trial import trial

    asked = trial(settings.data, settings.n, SIDE, judged="adherence" in settings.metrics)
    made, seconds = pictures(state.average, asked.prompts, settings.seed)
    extract = extractor(2 * SIDE)
    found = measure(made, asked, extract, settings.metrics, settings.minimum)
    size = sum(p.numel() for p in state.average.parameters())
    took = f"{state.step:,} updates of {settings.batch} images in {state.seconds / 60:.0f} minutes"
    took += f" on {settings.threads} threads of a CPU"
    cost = Cost(size, 1, round(seconds, 4), processor("cpu"), took)
    about = {"seed": settings.seed, "machine": harness.machine(settings.threads)}
    report = Report("r3gan", asked.name, asked.sha256, extract.name, len(made), cost, found, about)
    save(settings.out / "evaluation", evaluated(report, made, asked))
    return settings.out / "evaluation"


def main(argv: list[str] | None = None) -> int:
    """Trains, makes pictures, measures; 0 whoever wins."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="what `mezzotint render` left")
    parser.add_argument("--out", type=Path, default=harness.RESULTS / "work" / "gan")
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--n", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--widths", type=int, nargs="+", default=[512, 384, 256, 192])
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--metrics", default="frechet,kernel,fidelity,copies,adherence")
    parser.add_argument("--minimum", type=int)
    parser.add_argument("--against", type=Path, nargs="*", default=[], help="models of 64 px, or their evaluations")
    said = parser.parse_args(argv)
    torch.set_num_threads(said.threads)
    said.out.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        said.data, said.out, said.minutes, said.threads, said.batch, said.n, said.seed, tuple(said.widths), said.blocks,
        tuple(said.metrics.split(",")), said.minimum,
    )  # fmt: skip
    folder = evaluate(settings, train(settings))
    from mezzotint.cli import run

    words = [
        "--data",
        str(said.data),
        "--n",
        str(said.n),
        "--metrics",
        said.metrics,
        "--out",
        str(said.out / "compared"),
    ]
    return run(["compare", str(folder), *map(str, said.against), *words])


if __name__ == "__main__":
    sys.exit(main())
