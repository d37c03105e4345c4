"""A fit on disk: the whole of its state, so that one that goes on ends with the same bits."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from torch import Tensor

from mezzotint.fewstep.adam import Moving
from mezzotint.training.checkpoint import Checkpoint, Store

NONE: Mapping[str, Tensor] = MappingProxyType({})
OWN = ("first", "second")


def save(store: Store, now: Moving, more: Mapping[str, Tensor] = NONE) -> None:
    """Writes a checkpoint.   more: what else the next step depends on, on the CPU.  Raises StorageError."""
    tensors = {
        "weights": {"theta": now.theta},
        "ema": {"theta": now.average},
        "optimiser": {"first": now.first, "second": now.second, **more},
    }
    store.save(Checkpoint(tensors, {"step": now.step}))


def resumed(store: Store) -> tuple[Moving, Mapping[str, Tensor]] | None:
    """What was saved last; None where nothing was."""
    found = store.last()
    if found is None:
        return None
    kept, average = found.tensors["optimiser"], found.tensors["ema"]["theta"]
    now = Moving(found.tensors["weights"]["theta"], kept["first"], kept["second"], average, found.step)
    return now, {name: value for name, value in kept.items() if name not in OWN}
