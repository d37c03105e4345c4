"""One run on several processes (torchrun): which rows are mine, and the few sums that processes must agree on.

A run on n processes computes the same global batch as a run on one, in another order of summation; a recipe whose
rows depend on each other (``task.Coupling``) is refused there.  Checkpoints hold whole tensors, so a run may go on with
another number of processes or another strategy.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from mezzotint.errors import unknown

STRATEGIES = ("ddp", "fsdp")


@dataclass(frozen=True)
class Ranks:
    """This process among those of a run.

    rank: 0 … world - 1.   world: number of processes; 1 needs no process group.
    strategy: "ddp" copies the network to every process, "fsdp" shards it (FSDP2).
    """

    rank: int = 0
    world: int = 1
    strategy: str = "ddp"

    @property
    def first(self) -> bool:
        """Whether this process writes files and messages."""
        return self.rank == 0

    def mean(self, values: Tensor) -> Tensor:
        """The mean over processes, equal on all of them to the bit."""
        if self.world > 1:
            dist.all_reduce(values)
            values = values / self.world
        return values

    def any(self, flag: bool) -> bool:
        """Whether the flag is set on some process; every process must ask."""
        if self.world == 1:
            return flag
        return bool(self.mean(torch.tensor(float(flag), device=self._device())) > 0)

    def gather(self, value: list[Any]) -> list[Any]:
        """The lists of all processes, joined in their order."""
        if self.world == 1:
            return value
        parts: list[Any] = [None] * self.world
        dist.all_gather_object(parts, value)
        return [v for part in parts for v in part]

    def wait(self) -> None:
        """Returns when every process has come here."""
        if self.world > 1:
            dist.barrier()

    def _device(self) -> torch.device:
        on_gpu = self.world > 1 and dist.get_backend() == "nccl"
        return torch.device("cuda", torch.cuda.current_device()) if on_gpu else torch.device("cpu")


SINGLE = Ranks()


@contextmanager
def joined(device: torch.device, strategy: str = "ddp") -> Iterator[Ranks]:
    """The process group that torchrun's environment describes, within a ``with``; without one, ``SINGLE``.

    Raises UsageError for an unknown strategy.
    """
    if strategy not in STRATEGIES:
        raise unknown("strategy", strategy, STRATEGIES)
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield SINGLE
        return
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size(), strategy)
    finally:
        dist.destroy_process_group()


def shared(net: nn.Module, ranks: Ranks) -> nn.Module:
    """The network as the loop calls it: itself, in a DDP shell, or sharded in place (each block of each list, then the
    rest)."""
    if ranks.world == 1:
        return net
    if ranks.strategy == "ddp":
        return nn.parallel.DistributedDataParallel(net)
    from torch.distributed.fsdp import fully_shard

    for module in list(net.modules()):
        if isinstance(module, nn.ModuleList):
            for block in module:
                fully_shard(block)
    fully_shard(net)
    return net


@contextmanager
def _unsynced(network: Any) -> Iterator[None]:
    network.set_requires_gradient_sync(False)
    try:
        yield
    finally:
        network.set_requires_gradient_sync(True)


def syncing(network: nn.Module, ranks: Ranks, last: bool) -> AbstractContextManager[None]:
    """Gradients are exchanged once a step, with the last micro-batch."""
    if ranks.world == 1 or last:
        return nullcontext()
    if isinstance(network, nn.parallel.DistributedDataParallel):
        return network.no_sync()
    return _unsynced(network)


def _plain(tensor: Tensor) -> bool:
    """Whether a tensor is certainly not sharded; asked first, since importing the sharded kind takes seconds."""
    return type(tensor) in (Tensor, nn.Parameter)


def local(tensor: Tensor) -> Tensor:
    """The part of a tensor that lives in this process: a sharded tensor's shard, any other tensor itself."""
    if _plain(tensor):
        return tensor
    from torch.distributed.tensor import DTensor

    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def whole(tensor: Tensor) -> Tensor:
    """A tensor gathered where it is sharded; every process must call this."""
    if _plain(tensor):
        return tensor
    from torch.distributed.tensor import DTensor

    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def put(target: Tensor, source: Tensor) -> None:
    """Copies a whole tensor into one that may be sharded."""
    if not _plain(target):
        from torch.distributed.tensor import DTensor, distribute_tensor

        if isinstance(target, DTensor):
            source = distribute_tensor(source.to(target.device), target.device_mesh, target.placements)
    target.copy_(source)
