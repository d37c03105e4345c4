"""A base that hands over to a refiner: which steps are whose, and what either is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mezzotint.errors import ModelError, UsageError
from mezzotint.making.job import Planned

if TYPE_CHECKING:
    from mezzotint.diffusion.denoiser import Cond


def handing_over(stages: tuple[Planned, ...], begins: int) -> tuple[Planned, ...]:
    """The stages with the steps that are theirs.   begins: the first step that is run at all.

    Raises UsageError where the base has none, ModelError where the refiner's levels are not the base's.
    """
    if stages[-1].link["name"] != "handover":
        return stages
    import torch

    from mezzotint.pretrained.refined import handed_over

    base, refiner = stages[-2:]
    first = handed_over(base.model.spec, base.plan.levels, float(refiner.link["share"]))
    if begins >= first:
        raise UsageError(f"the refiner takes over at step {first} and the picture begins at {begins}; more --strength")
    one, two = base.plan.levels, refiner.plan.levels
    if len(one) != len(two) or not torch.equal(one.sigma, two.sigma) or not torch.equal(one.alpha, two.alpha):
        raise ModelError(
            f"{refiner.model.name} and {base.model.name} have other schedulers; choose one for both with --solver"
        )
    parts = (replace(base, part=range(first)), replace(refiner, part=range(first, refiner.plan.steps)))
    return (*stages[:-2], *parts)


def null_of(planned: Planned, null: Cond) -> Cond:
    """What a stage is told in place of a prompt, of what all are."""
    from mezzotint.pretrained.refined import PREFIX

    prefix = PREFIX if planned.link["name"] == "handover" else str(planned.link.get("prefix", ""))
    return {name.removeprefix(prefix): value for name, value in null.items() if name.startswith(prefix)}
