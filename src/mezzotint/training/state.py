"""The state of a run between two steps: the only mutable thing in training, and its way into and out of a
checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from mezzotint.errors import InputError, UsageError
from mezzotint.nets.compiled import compile_blocks
from mezzotint.training.checkpoint import Checkpoint
from mezzotint.training.data.order import Cursor
from mezzotint.training.distributed import SINGLE, Ranks, put, shared, whole
from mezzotint.training.ema import Averages, trainable
from mezzotint.training.identity import digest, identity
from mezzotint.training.movers import Movers, movers
from mezzotint.training.recipe import Recipe
from mezzotint.training.task import Coupling


@dataclass
class Training:
    """Where a run stands after ``step`` updates.

    net: master weights, float32.   network: net as it is called, in a shell that exchanges gradients where there are
    several processes.   dtype: of the forward and backward pass.   cursor: the next sample.
    seconds: spent on updates, resumed parts included; for the card, not for the weights.
    first: SHA-256 of the weights file that it began with, "" for drawn weights.   compiled: whether its blocks are.
    planned: lengths it was planned to before, as (step, steps): up to that update the rate went by so many.
    """

    recipe: Recipe
    ranks: Ranks
    net: nn.Module
    network: nn.Module
    movers: Movers
    averages: Averages
    device: torch.device
    dtype: torch.dtype
    step: int = 0
    cursor: Cursor = field(default_factory=Cursor)
    seconds: float = 0.0
    first: str = ""
    compiled: bool = False
    planned: tuple[tuple[int, int], ...] = ()


def _dtype(name: str, device: torch.device) -> torch.dtype:
    if name != "auto":
        return {"bfloat16": torch.bfloat16, "float32": torch.float32}[name]
    from mezzotint.nets.precision import best_dtype

    return best_dtype(device)


def begin(
    recipe: Recipe, device: torch.device | str = "cpu", ranks: Ranks = SINGLE, compiled: bool = False
) -> Training:
    """A run before its first update.  The first weights are drawn on the CPU and depend on the recipe's seed alone.

    compiled: the network's blocks are compiled, which is faster and differs by rounding.
    Raises UsageError for Muon on sharded weights, and for a batch that is cut though the recipe couples its rows.
    """
    if ranks.strategy == "fsdp" and recipe.optimiser.orthogonal:
        raise UsageError("Muon needs whole matrices, and fsdp cuts them; train with --strategy ddp")
    _check_parts(recipe, recipe.accumulation * ranks.world)
    where = torch.device(device)
    torch.manual_seed(recipe.seed)
    net = recipe.build(recipe.net).to(where)
    for p in trainable(net).values():
        p.data = p.data.float()  # frozen weights stay in the format that the recipe gives them
    # torch's stubs know no Module.to(memory_format=) without the other arguments.
    net = net.to(memory_format=recipe.memory_format)  # type: ignore[call-overload]
    net.train()
    if compiled:
        compile_blocks(net)
    network = shared(net, ranks)
    averages = Averages(net, recipe.ema)
    dtype = _dtype(recipe.dtype, where)
    moved = movers(recipe.optimiser, net, where, dtype)
    return Training(recipe, ranks, net, network, moved, averages, where, dtype, compiled=compiled)


def _check_parts(recipe: Recipe, parts: int) -> None:
    """UsageError where an update's batch is cut into several parts though a row depends on the rows beside it."""
    for what, value in (("task", recipe.task), ("assignment", recipe.assignment)):
        if isinstance(value, Coupling) and parts > 1:
            raise UsageError(
                f"the {what} of recipe {recipe.name} compares all rows of a batch, which is cut into {parts} parts;"
                " train with accumulation 1 on one process"
            )


def on_cpu(t: Tensor) -> Tensor:
    """A tensor whole, on the CPU, in the plain memory layout that files have."""
    return whole(t.detach()).cpu().contiguous()


def learnt(net: nn.Module) -> dict[str, Tensor]:
    """What a checkpoint has of a network: all but frozen weights, which the recipe names."""
    frozen = {name for name, p in net.named_parameters() if not p.requires_grad}
    return {name: value for name, value in net.state_dict().items() if name not in frozen}


def pack(training: Training, fingerprint: str) -> Checkpoint:
    """The run as a checkpoint; fingerprint: of its data.  With sharded weights every process must call this."""
    averages = {f"{profile}/{k}": v for profile, values in training.averages.values.items() for k, v in values.items()}
    tensors = {
        "weights": {k: on_cpu(v) for k, v in learnt(training.net).items()},
        "ema": {k: on_cpu(v) for k, v in averages.items()},
        "optimiser": {k: on_cpu(v) for k, v in training.movers.moments(training.net)} if training.step else {},
    }
    facts = {
        "step": training.step,
        "cursor": list(training.cursor),
        "seconds": round(training.seconds, 3),
        "first": training.first,
        "planned": [list(one) for one in training.planned],
        "seed": training.recipe.seed,
        "recipe": training.recipe.name,
        "recipe_sha256": digest(training.recipe),
        "recipe_fields": identity(training.recipe),
        "data": fingerprint,
        "dtype": str(training.dtype).removeprefix("torch."),
        "device": training.device.type,
        "compiled": training.compiled,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    return Checkpoint(tensors, facts)


def check(recipe: Recipe, facts: Mapping[str, Any], fingerprint: str) -> None:
    """Whether a recipe can go on with a checkpoint of these facts.   fingerprint: of its data.

    Raises UsageError for another recipe, or one that ends before the checkpoint; InputError for other data.
    """
    old = facts["recipe_fields"]
    if facts["recipe_sha256"] != digest(same := replace(recipe, steps=old["steps"])):
        new = identity(same)
        differ = ", ".join(k for k in new if new[k] != old.get(k))
        raise UsageError(
            f"the checkpoint was made by another recipe (they differ in: {differ});"
            " resume with the same one, or start anew in another folder"
        )
    if recipe.steps != old["steps"] and recipe.steps <= facts["step"]:
        raise UsageError(
            f"the run has made {facts['step']} updates already, and {recipe.steps} are asked for in all; ask for more"
        )
    if facts["data"] != fingerprint:
        raise InputError(
            "the data is not what the checkpoint was trained on (names, sizes or number differ);"
            " give the same data, or start anew"
        )


@torch.no_grad()
def unpack(training: Training, checkpoint: Checkpoint, fingerprint: str) -> list[str]:
    """Sets a fresh run to a checkpoint, in place.

    A recipe of another length goes on with it: what was learnt stays, and the rate goes by the new length from there.
    Returns: warnings: what differs from the run that wrote it so that the bits may differ (length, device,
    threads, torch).
    Raises as ``check``.
    """
    facts = checkpoint.facts
    check(training.recipe, facts, fingerprint)
    for k, v in learnt(training.net).items():
        put(v, checkpoint.tensors["weights"][k])
    for profile, values in training.averages.values.items():
        for k, v in values.items():
            put(v, checkpoint.tensors["ema"][f"{profile}/{k}"])
    # Which format is fast is found out by trying, and need not come out the same in every process.
    training.dtype = getattr(torch, facts["dtype"])
    training.movers = movers(training.recipe.optimiser, training.net, training.device, training.dtype)
    if checkpoint.step:
        training.movers.restore(training.net, checkpoint.tensors["optimiser"], checkpoint.step)
    training.step, training.cursor = checkpoint.step, Cursor(*facts["cursor"])
    training.seconds, training.first = float(facts["seconds"]), facts.get("first", "")
    training.planned = tuple((int(step), int(steps)) for step, steps in facts.get("planned", ()))
    lengths = _planned_anew(training, int(facts["recipe_fields"]["steps"]))
    now = {
        "device": training.device.type,
        "compiled": training.compiled,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    return lengths + [
        f"{k} was {facts[k]} and is {v}: the result will not be equal to the bit"
        for k, v in now.items()
        if facts.get(k, v) != v
    ]


def _planned_anew(training: Training, before: int) -> list[str]:
    """Notes that a run goes on to another length than it had before, and says so."""
    steps = training.recipe.steps
    if steps == before:
        return []
    training.planned += ((training.step, before),)
    return [f"the run was planned over {before} updates and ends at {steps} now: the rate goes by that from here"]
