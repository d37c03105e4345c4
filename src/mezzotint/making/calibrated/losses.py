"""By which loss a solver is fitted: a name, or what suits the model's data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mezzotint.codecs.pixels import Pixels
from mezzotint.errors import UsageError
from mezzotint.fewstep.loss import Absolute, LogSum, Loss, Texture, Weighed
from mezzotint.making.job import Job

LOSSES: Mapping[str, Loss] = MappingProxyType(
    {"absolute": Absolute(), "log": LogSum(), "texture": Weighed(((1.0, LogSum()), (1.0, Texture())))}
)


def check_loss(name: str | None) -> str | None:
    """The same.  Raises UsageError for a name that is none."""
    if name is not None and name not in LOSSES:
        raise UsageError(f"loss is {name!r}; expected one of {', '.join(LOSSES)}")
    return name


def loss_for(job: Job, said: str | None) -> str:
    """The name that is said, else the one that suits: pictures by their texture too, anything else by its values alone,
    since no other was measured.

    Raises UsageError for the texture of what is no picture.
    """
    model = job.main.model
    name = said or ("texture" if isinstance(model.codec(), Pixels) else "absolute")
    if name == "texture" and len(model.spec.shape) != 3:
        raise UsageError(f"texture is of pictures, and the states of {job.model.name} are none; use --loss absolute")
    return name
