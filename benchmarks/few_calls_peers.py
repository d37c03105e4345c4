"""diffusers' schedulers around one of our networks: the same noises, levels fed as they are, calls counted outside.

A scheduler gets a table of betas whose sigma/alpha are even in the logarithm over the model's whole range; its grids
(Karras, or log-SNR, which it calls exponential) are then placed by its own code.  The network is told the very level,
not the table index rounded to it, which can only help the peer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TABLE = 1000


def betas(sigma_min: float, sigma_max: float) -> Any:
    """Of a table with sigma/alpha from sigma_min to sigma_max, even in the logarithm."""
    import numpy as np

    sigma = np.exp(np.linspace(math.log(sigma_min), math.log(sigma_max), TABLE))
    alpha_bar = 1 / (1 + sigma**2)
    return (1 - alpha_bar / np.concatenate([[1.0], alpha_bar[:-1]])).tolist()


@dataclass(frozen=True)
class Peer:
    """A scheduler's class with its settings.   steps: calls -> steps.  ratio: whether its states are x/alpha."""

    cls: str
    settings: dict[str, Any]
    steps: Callable[[int], int] = int
    ratio: bool = False


def heun_steps(calls: int) -> int:
    """Two calls a step, one in the last."""
    return calls // 2 + 1


KARRAS, LOGSNR = {"use_karras_sigmas": True}, {"use_exponential_sigmas": True}
DPM = "DPMSolverMultistepScheduler"
PEERS: dict[str, Peer] = {
    "DDIM": Peer("DDIMScheduler", {"timestep_spacing": "trailing", "clip_sample": False}),
    "Heun karras": Peer("HeunDiscreteScheduler", KARRAS, heun_steps, ratio=True),
    "Heun logsnr": Peer("HeunDiscreteScheduler", LOGSNR, heun_steps, ratio=True),
    **{
        f"{name} {grid}": Peer(cls, {**settings, **placed})
        for grid, placed in (("karras", KARRAS), ("logsnr", LOGSNR))
        for name, cls, settings in (
            ("DPM++ 2M", DPM, {"solver_order": 2}),
            ("DPM++ 3M", DPM, {"solver_order": 3}),
            ("UniPC-2", "UniPCMultistepScheduler", {"solver_order": 2}),
            ("UniPC-3", "UniPCMultistepScheduler", {"solver_order": 3}),
            ("DEIS-2", "DEISMultistepScheduler", {"solver_order": 2}),
            ("DEIS-3", "DEISMultistepScheduler", {"solver_order": 3}),
        )
    },
}


def scheduler(peer: Peer, sigma_min: float, sigma_max: float) -> Any:
    """Of diffusers, for a network that is told x0 or eps."""
    import diffusers

    said = "epsilon" if peer.ratio else "sample"
    table = betas(sigma_min, sigma_max)
    return getattr(diffusers, peer.cls)(trained_betas=table, prediction_type=said, **peer.settings)


def sample(denoiser: Any, peer: Peer, calls: int, noise: Any, cond: Any, sigma_min: float, sigma_max: float) -> Any:
    """Where the scheduler ends from unit noise (B, *), with at most ``calls`` calls."""
    import torch

    from mezzotint.diffusion.level import Level

    made = scheduler(peer, sigma_min, sigma_max)
    made.set_timesteps(peer.steps(calls))
    x = noise * (made.init_noise_sigma if peer.ratio else 1.0)
    for i, t in enumerate(made.timesteps):
        sigma = _ratio(made, i, t)
        alpha = 1.0 if peer.ratio else 1 / math.sqrt(1 + sigma * sigma)
        level = Level(*(torch.tensor(v, dtype=torch.float64) for v in (alpha, alpha * sigma)))
        x0 = denoiser(x, level, cond).mean
        x = made.step((x - x0) / sigma if peer.ratio else x0, t, x).prev_sample
    return x


def _ratio(made: Any, i: int, t: Any) -> float:
    """sigma/alpha of call i."""
    if hasattr(made, "sigmas"):
        return float(made.sigmas[i])
    alpha_bar = float(made.alphas_cumprod[int(t)])
    return math.sqrt(1 / alpha_bar - 1)
