"""The peer of the quality benchmark: diffusers' unconditional training recipe, told the labels too.

``examples/unconditional_image_generation/train_unconditional.py`` of diffusers: UNet2DModel, DDPMScheduler with 1000
linear steps, squared error of eps, AdamW (betas 0.95, 0.999, weight decay 1e-6, eps 1e-8), learning rate 1e-4 on a
cosine after 500 steps of warm-up, gradients clipped at 1, batch 16, EMAModel (inv_gamma 1, power 3/4, at most 0.9999).
The ``best`` setting keeps the loop and changes what a user may turn: batch, learning rate, autocast, memory format.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fashion
import peers

SAVE_EVERY = 60.0
MEASURED_STEPS, TRIED_SECONDS = 6, 5.0


@dataclass(frozen=True)
class Setting:
    """How the peer is trained."""

    name: str
    batch: int
    rate: float
    warmup: int = 500
    autocast: bool = False
    channels_last: bool = False


DEFAULT = Setting("default", 16, 1e-4)
BEST_BATCH, BEST_RATE, BEST_WARMUP = 64, 4e-4, 25
"""About a tenth of the updates that twenty minutes of two cores allow: the recipe's own 500 would be all of them."""


def best(parameters: int) -> Setting:
    """Batch 64 at four times the rate, in whichever of float32, autocast and channels_last is fastest here."""
    found = []
    for autocast in (False, True):
        for channels_last in (False, True):
            setting = Setting("best", BEST_BATCH, BEST_RATE, BEST_WARMUP, autocast, channels_last)
            found.append((seconds_a_step(setting, parameters, TRIED_SECONDS), setting))
    return min(found, key=lambda pair: pair[0])[1]


def batch_of(images: Any, labels: Any, setting: Setting, step: int) -> tuple[Any, Any]:
    """Batch number ``step`` of a fresh shuffle each epoch, x/127.5 - 1; a function of the step, for resuming."""
    import torch

    per_epoch = len(images) // setting.batch
    epoch, k = divmod(step, per_epoch)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(epoch))
    rows = order[k * setting.batch : (k + 1) * setting.batch]
    return images[rows].float() / 127.5 - 1, labels[rows]


class Run:
    """A training run: network, optimiser, rate, average, and the steps made in the seconds spent."""

    def __init__(self, setting: Setting, parameters: int, steps: int) -> None:
        import torch
        from diffusers import DDPMScheduler
        from diffusers.optimization import get_scheduler
        from diffusers.training_utils import EMAModel

        torch.manual_seed(0)
        self.setting, self.steps, self.step, self.seconds = setting, steps, 0, 0.0
        net = peers.unet_of_size(parameters)
        self.net = net.to(memory_format=torch.channels_last) if setting.channels_last else net
        weights = list(self.net.parameters())
        self.optimiser = torch.optim.AdamW(weights, lr=setting.rate, betas=(0.95, 0.999), weight_decay=1e-6, eps=1e-8)
        self.rate = get_scheduler(
            "cosine", optimizer=self.optimiser, num_warmup_steps=setting.warmup, num_training_steps=steps
        )
        self.ema = EMAModel(weights, decay=0.9999, use_ema_warmup=True, inv_gamma=1.0, power=3 / 4)
        self.noise = DDPMScheduler(num_train_timesteps=1000, beta_schedule="linear", prediction_type="epsilon")

    def update(self, clean: Any, labels: Any) -> float:
        """One step of the example's loop."""
        import torch

        eps, t = torch.randn_like(clean), torch.randint(0, 1000, (len(clean),))
        noisy = self.noise.add_noise(clean, eps, t)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.setting.autocast):
            out = self.net(noisy, t, class_labels=labels).sample
        loss = torch.nn.functional.mse_loss(out.float(), eps)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        self.rate.step()
        self.optimiser.zero_grad()
        self.ema.step(self.net.parameters())
        self.step += 1
        return float(loss.detach())

    def state(self) -> dict[str, Any]:
        """Everything a resumed run needs."""
        import torch

        parts = {"net": self.net, "optimiser": self.optimiser, "rate": self.rate, "ema": self.ema}
        numbers = {"step": self.step, "steps": self.steps, "seconds": self.seconds, "random": torch.get_rng_state()}
        return {**{k: part.state_dict() for k, part in parts.items()}, **numbers}

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of ``state``."""
        import torch

        for name, part in (("net", self.net), ("optimiser", self.optimiser), ("rate", self.rate), ("ema", self.ema)):
            part.load_state_dict(state[name])
        self.step, self.seconds = state["step"], state["seconds"]
        torch.set_rng_state(state["random"])


def seconds_a_step(setting: Setting, parameters: int, seconds: float) -> float:
    """Of wall time, the mean over about ``seconds`` of steps on noise, MEASURED_STEPS at least."""
    import torch

    run = Run(setting, parameters, 1000)
    run.update(torch.randn(setting.batch, 1, 28, 28), fashion.balanced(setting.batch))
    steps, began = 0, time.perf_counter()
    while steps < MEASURED_STEPS or time.perf_counter() - began < seconds:
        run.update(torch.randn(setting.batch, 1, 28, 28), fashion.balanced(setting.batch))
        steps += 1
    return (time.perf_counter() - began) / steps


def train(setting: Setting, parameters: int, budget: float, data: Path, work: Path, say: Callable[[str], None]) -> Run:
    """Trains for ``budget`` seconds of wall time, going on where a killed run left off.

    The number of steps, over which the cosine is planned, is set once from the measured speed; a run that turns out
    slower stops when its time is up.
    """
    import torch

    path = work / f"peer-{setting.name}.pt"
    state = torch.load(path, weights_only=True) if path.is_file() else None
    steps = state["steps"] if state else max(1, int(budget / seconds_a_step(setting, parameters, budget / 40)))
    run = Run(setting, parameters, steps)
    if state:
        run.restore(state)
    images, labels = fashion.images(data, "train"), fashion.labels(data, "train")
    began, before, saved = time.perf_counter(), run.seconds, time.perf_counter()
    while run.step < run.steps and run.seconds < budget:
        loss = run.update(*batch_of(images, labels, setting, run.step))
        now = time.perf_counter()
        run.seconds = before + now - began
        if now - saved > SAVE_EVERY:
            save(run, path)
            saved = now
            say(f"peer {setting.name}: step {run.step} of {run.steps}, {run.seconds:.0f} s, loss {loss:.4f}")
    save(run, path)
    return run


def save(run: Run, path: Path) -> None:
    """Writes a run's state, whole or not at all."""
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save(run.state(), part)
    part.replace(path)


def sampler(name: str) -> Any:
    """A diffusers scheduler for the trained noise: ddpm as the example samples, ddim, or dpm++2m."""
    import diffusers

    kind = {"ddpm": "DDPMScheduler", "ddim": "DDIMScheduler", "dpm++2m": "DPMSolverMultistepScheduler"}[name]
    return getattr(diffusers, kind)(num_train_timesteps=1000, beta_schedule="linear", prediction_type="epsilon")


def sample(net: Any, name: str, labels: Any, calls: int, seed: int, autocast: bool) -> Any:
    """Pictures as diffusers' pipelines make them, with labels: uint8 (N, 1, 28, 28)."""
    import torch

    scheduler = sampler(name)
    scheduler.set_timesteps(calls)
    source = torch.Generator().manual_seed(seed)
    x = torch.randn(len(labels), 1, 28, 28, generator=source)
    more = {} if name == "dpm++2m" else {"generator": source}
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        for t in scheduler.timesteps:
            out = net(scheduler.scale_model_input(x, t), t, class_labels=labels).sample.float()
            x = scheduler.step(out, t, x, **more).prev_sample
    return ((x / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)


def averaged(run: Run) -> Any:
    """The network with its EMA weights, for sampling."""
    import torch

    run.ema.copy_to(run.net.parameters())
    return run.net.eval().to(memory_format=torch.channels_last)
