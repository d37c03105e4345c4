"""What moves the weights: AdamW, and for the hidden matrices that a recipe names, orthogonal steps (Muon)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from mezzotint.training.distributed import put
from mezzotint.training.ema import trainable
from mezzotint.training.muon import Muon
from mezzotint.training.schedule import Optimiser

ADAMW, MUON = ("exp_avg", "exp_avg_sq", "step"), ("momentum_buffer",)
"""What each keeps for a weight, by torch's names: averages of gradients, and the number of updates."""


@dataclass(frozen=True)
class Movers:
    """The optimisers of one network, each with its own weights; they are changed in place by ``step``."""

    adamw: torch.optim.AdamW
    muon: Muon | None

    @property
    def all(self) -> tuple[torch.optim.Optimizer, ...]:
        return (self.adamw,) if self.muon is None else (self.adamw, self.muon)

    def zero_grad(self) -> None:
        """Forgets the gradients."""
        for each in self.all:
            each.zero_grad(set_to_none=True)

    def step(self, rate: float) -> None:
        """One update; ``rate`` before the factors of parameters."""
        for each in self.all:
            for group in each.param_groups:
                group["lr"] = rate * group["factor"]
            each.step()

    def moments(self, net: nn.Module) -> Iterator[tuple[str, Tensor]]:
        """What is remembered of past gradients: ("exp_avg/<parameter>", the tensor itself).

        A parameter whose first gradient came late has fewer updates behind it than the run: "step/<parameter>" is their
        number.
        """
        for name, p in trainable(net).items():
            optimiser, kept = self._of[p]
            state = optimiser.state[p]
            for moment in kept:
                if moment in state:  # a parameter that no sample has reached yet has none
                    yield f"{moment}/{name}", state[moment]

    def restore(self, net: nn.Module, tensors: Mapping[str, Tensor], step: int) -> None:
        """Sets what ``moments`` gave after ``step`` updates, in place."""
        # Older checkpoints do not count a parameter's updates: there the run's own count stands for them.
        known = {**{f"step/{name}": torch.tensor(float(step)) for name in trainable(net)}, **tensors}
        for name, p in trainable(net).items():
            optimiser, kept = self._of[p]
            if f"{kept[0]}/{name}" not in tensors:
                continue
            state = optimiser.state[p]
            state.update({m: torch.zeros_like(p, memory_format=torch.preserve_format) for m in kept if m != "step"})
            if optimiser is self.adamw:
                # Where torch itself puts it: beside the weights for the fused kind, else on the CPU.
                place = p.device if self.adamw.defaults["fused"] else "cpu"
                state["step"] = torch.zeros((), device=place)
        for name, moment in self.moments(net):
            put(moment, known[name])

    @cached_property
    def _of(self) -> Mapping[Tensor, tuple[torch.optim.Optimizer, tuple[str, ...]]]:
        """What moves a parameter, and what it keeps for it."""
        kept = [(self.adamw, ADAMW), *([] if self.muon is None else [(self.muon, MUON)])]
        return {p: (each, names) for each, names in kept for group in each.param_groups for p in group["params"]}


def movers(o: Optimiser, net: nn.Module, device: torch.device, dtype: torch.dtype) -> Movers:
    """The optimisers of a network before its first update.   dtype: in which matrices are made orthogonal."""
    plain: dict[tuple[float, float], list[nn.Parameter]] = {}
    hidden: dict[float, list[nn.Parameter]] = {}
    for name, p in trainable(net).items():
        if p.ndim == 2 and name.startswith(o.orthogonal):
            hidden.setdefault(o.factor(name), []).append(p)
        else:
            plain.setdefault((o.factor(name), o.weight_decay if p.ndim >= 2 else 0.0), []).append(p)
    made = [{"params": ps, "weight_decay": decay, "factor": factor} for (factor, decay), ps in plain.items()]
    fused = device.type in ("cpu", "cuda", "mps")
    adamw = torch.optim.AdamW(made, lr=o.rate, betas=o.betas, eps=o.eps, fused=fused)
    if not hidden:
        return Movers(adamw, None)
    turned = [{"params": ps, "factor": factor} for factor, ps in hidden.items()]
    return Movers(adamw, Muon(turned, o.rate, o.weight_decay, dtype))
