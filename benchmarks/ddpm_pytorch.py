"""A second peer of the quality benchmark: denoising-diffusion-pytorch, trained and sampled by its own code.

Its package needs torchvision, which has no build for the CPU alone, so it lives in an environment of its own and this
file runs there, by itself, on arrays: it imports neither mezzotint nor the other benchmarks.

    python3 -m venv peer && peer/bin/pip install torch torchvision denoising-diffusion-pytorch     (several gigabytes)
    python benchmarks/quality.py --peers default best ddpm-pytorch --ddpm-pytorch peer/bin/python

The loop is the package's Trainer without its folder of files: Adam 1e-4 (betas 0.9, 0.99), batch 16, gradients clipped
at 1, EMA of 0.995 every 10 steps; the network and the diffusion are those of its classifier_free_guidance, which take
labels, at their defaults but for the size; sampled without guidance, eta as it comes and 0.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

BATCH, RATE, EVERY, SAVE_EVERY, CHUNK = 16, 1e-4, 10, 60.0, 128


def network(target: int, classes: int) -> Any:
    """The Unet whose number of parameters is nearest to the target, at widths that its norms allow."""
    from denoising_diffusion_pytorch.classifier_free_guidance import Unet

    made = [Unet(dim=w, num_classes=classes, channels=1, dim_mults=(1, 2, 4)) for w in range(16, 72, 8)]
    return min(made, key=lambda net: abs(sum(p.numel() for p in net.parameters()) - target))


def diffusion(net: Any, calls: int, eta: float) -> Any:
    """The package's GaussianDiffusion, for 28 x 28 pictures."""
    from denoising_diffusion_pytorch.classifier_free_guidance import GaussianDiffusion

    return GaussianDiffusion(net, image_size=28, sampling_timesteps=calls, ddim_sampling_eta=eta)


class Run:
    """Network, optimiser and average, with the steps made in the seconds spent."""

    def __init__(self, target: int, classes: int) -> None:
        from ema_pytorch import EMA

        torch.manual_seed(0)
        self.net = network(target, classes)
        self.model = diffusion(self.net, 50, 1.0)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=RATE, betas=(0.9, 0.99))
        self.ema = EMA(self.model, beta=0.995, update_every=EVERY)
        self.step, self.seconds = 0, 0.0

    def update(self, images: torch.Tensor, labels: torch.Tensor) -> float:
        """One step.  images: (B, 1, 28, 28) on 0 … 1, as the package expects."""
        loss = self.model(images, classes=labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.ema.update()
        self.step += 1
        return float(loss.detach())

    def save(self, path: Path) -> None:
        """Whole or not at all."""
        parts = {k: getattr(self, k).state_dict() for k in ("model", "optimiser", "ema")}
        numbers = {"step": self.step, "seconds": self.seconds, "random": torch.get_rng_state()}
        torch.save(parts | numbers, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def restore(self, path: Path) -> None:
        """The inverse of ``save``."""
        state = torch.load(path, weights_only=True)
        for k in ("model", "optimiser", "ema"):
            getattr(self, k).load_state_dict(state[k])
        self.step, self.seconds = state["step"], state["seconds"]
        torch.set_rng_state(state["random"])


def batch_of(images: Any, labels: Any, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Batch number ``step`` of a fresh shuffle each epoch; a function of the step, for resuming."""
    epoch, k = divmod(step, len(images) // BATCH)
    rows = np.random.default_rng(epoch).permutation(len(images))[k * BATCH : (k + 1) * BATCH]
    return torch.from_numpy(images[rows]).float() / 255, torch.from_numpy(labels[rows]).long()


def train(run: Run, given: argparse.Namespace, path: Path) -> None:
    """Trains for the seconds given, going on where a killed run left off."""
    images, labels = np.load(given.images, mmap_mode="r"), np.load(given.labels)
    began, before = time.perf_counter(), run.seconds
    saved = began
    while run.seconds < given.seconds:
        loss = run.update(*batch_of(images, labels, run.step))
        now = time.perf_counter()
        run.seconds = before + now - began
        if now - saved > SAVE_EVERY:
            run.save(path)
            saved = now
            print(f"ddpm-pytorch: step {run.step}, {run.seconds:.0f} s, loss {loss:.4f}", file=sys.stderr, flush=True)
    run.save(path)


class Unguided(torch.nn.Module):
    """The network for sampling at guidance 1, where the package (2.3.4) returns one value and then unpacks two."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net, self.channels, self.out_dim = net, net.channels, net.out_dim
        self.random_or_learned_sinusoidal_cond = False

    def forward_with_cond_scale(self, x: Any, t: Any, classes: Any, cond_scale: float, rescaled_phi: float) -> Any:
        """The answer with the label, and again in place of the one without, which guidance 1 does not use."""
        out = self.net(x, t, classes, cond_drop_prob=0.0)
        return out, out


def sample(run: Run, labels: torch.Tensor, calls: int, eta: float, seed: int) -> np.ndarray:
    """Pictures by the averaged weights, uint8 (N, 1, 28, 28)."""
    made = diffusion(Unguided(run.ema.ema_model.model.eval()), calls, eta)
    torch.manual_seed(seed)
    with torch.inference_mode():
        return (made.sample(classes=labels, cond_scale=1.0).clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def pictures(run: Run, given: argparse.Namespace, eta: float, n: int) -> None:
    """n pictures, as many of each class, in pieces on disk: ``eta-<eta>-<first>.npy``."""
    labels = torch.arange(n) % given.classes
    for start in range(0, n, CHUNK):
        path = given.out / f"eta-{eta:g}-{start}-{min(n, start + CHUNK)}.npy"
        if not path.is_file():
            part = path.with_suffix(".part.npy")
            np.save(part, sample(run, labels[start : start + CHUNK], given.calls, eta, 1000 + start))
            part.replace(path)
            print(f"ddpm-pytorch eta {eta:g}: {min(n, start + CHUNK)} of {n} pictures", file=sys.stderr, flush=True)


def main() -> None:
    """Trains where the run is not whole, then makes pictures; says what it did on standard output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--parameters", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--eta", type=float, default=1.0)
    parser.add_argument("--n", type=int, required=True)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    run, path = Run(given.parameters, given.classes), given.out / "run.pt"
    if path.is_file():
        run.restore(path)
    if run.seconds < given.seconds:
        train(run, given, path)
    pictures(run, given, given.eta, given.n)
    count = sum(p.numel() for p in run.net.parameters())
    print(json.dumps({"steps": run.step, "seconds": run.seconds, "parameters": count, "torch": torch.__version__}))


if __name__ == "__main__":
    main()
