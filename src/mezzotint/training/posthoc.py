"""Post-hoc EMA: any power-function average, after training, from stored snapshots of a few.

Karras et al., 2024, Analyzing and Improving the Training Dynamics of Diffusion Models, sec. 3.2 and app. C.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mezzotint.errors import InputError, UsageError
from mezzotint.files import write_atomic
from mezzotint.training.ema import Power
from mezzotint.training.state import Training, on_cpu


@dataclass(frozen=True)
class Snapshot:
    """An average as it stood after ``step`` updates: profile and weights by parameter name."""

    profile: Power
    step: int
    weights: Mapping[str, Tensor]


def _dots(
    a: Sequence[tuple[float, float]], b: Sequence[tuple[float, float]]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    r"""Inner products of the profiles :math:`p(\tau) = (\gamma+1)\,\tau^\gamma/t^{\gamma+1}` on [0, t], (len(a),
    len(b)).

    :math:`\langle p_a, p_b\rangle = \frac{(\gamma_a+1)(\gamma_b+1)}{\gamma_a+\gamma_b+1}
    \frac{\min(t_a,t_b)^{\gamma_a+\gamma_b+1}}{t_a^{\gamma_a+1}\,t_b^{\gamma_b+1}}`: the integral of the product.
    """
    ga, ta = np.array(a, np.float64).T[:, :, None]
    gb, tb = np.array(b, np.float64).T[:, None, :]
    low = np.minimum(ta, tb)
    # Ratios first: t^gamma itself leaves the floating-point range.
    shape = (low / ta) ** ga * (low / tb) ** gb * low / (ta * tb)
    return np.asarray((ga + 1) * (gb + 1) / (ga + gb + 1) * shape)


def shares(snapshots: Sequence[tuple[Power, int]], target: Power, step: int) -> list[float]:
    """The coefficients with which stored averages best make another profile: least squares over profiles, in float64.

    Exact where the target is one of those stored.  Karras et al., 2024, sec. 3.2 and app. C.  Raises UsageError on no
    snapshots.
    """
    if not snapshots:
        raise UsageError(
            "post-hoc EMA needs at least one snapshot; train with a snapshot interval, or use a tracked profile"
        )
    have = [(p.gamma, float(t)) for p, t in snapshots]
    gram, right = _dots(have, have), _dots(have, [(target.gamma, float(step))])[:, 0]
    solution, *_ = np.linalg.lstsq(gram, right, rcond=1e-13)
    return [float(c) for c in solution]


def reconstruct(snapshots: Sequence[Snapshot], target: Power, step: int) -> dict[str, Tensor]:
    """The average with profile ``target`` after ``step`` updates, from snapshots of other profiles, float32.

    Exact for a stored (profile, step); for another sigma_rel close to what tracking it would have given, the closer
    the more
    snapshots lie before ``step``.
    """
    used = [s for s in snapshots if s.step <= step]
    parts = shares([(s.profile, s.step) for s in used], target, step)
    names = used[0].weights.keys()
    return {
        k: sum((c * s.weights[k].double() for c, s in zip(parts, used, strict=True)), torch.zeros(())).float()
        for k in names
    }


def save_snapshots(folder: Path, training: Training) -> list[Path]:
    """Writes each power-function average as it stands to a file of its own, ``<profile>-<step>.safetensors``.

    A resumed run writes equal bytes again.  With sharded weights every process must call this; the first one writes.
    Raises StorageError.
    """
    paths = []
    for profile in training.averages.profiles:
        if not isinstance(profile, Power):
            continue
        weights = {k: on_cpu(v) for k, v in training.averages.values[profile.name].items()}
        if training.ranks.first:
            facts = {"sigma_rel": repr(profile.sigma_rel), "step": str(training.step)}
            paths.append(folder / f"{profile.name}-{training.step:08d}.safetensors")
            write_atomic(paths[-1], save(weights, facts))
    return paths


def load_snapshots(folder: Path) -> list[Snapshot]:
    """All snapshots of a run, by step.  Raises InputError for a file that is not one."""
    return sorted(map(_load, folder.glob("*.safetensors")), key=lambda s: s.step)


def _load(path: Path) -> Snapshot:
    try:
        with safe_open(path, "pt") as file:
            facts = file.metadata()
            weights = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118  # not a mapping
            return Snapshot(Power(float(facts["sigma_rel"])), int(facts["step"]), weights)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is not an EMA snapshot ({type(error).__name__}); remove it") from None
