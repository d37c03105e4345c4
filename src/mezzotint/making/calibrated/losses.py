"""By which loss a solver is fitted: a name, or what suits the model's data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mezzotint.codecs.base import Codec
from mezzotint.codecs.pixels import Pixels
from mezzotint.errors import UsageError
from mezzotint.fewstep.loss import Absolute, LogSum, Loss, Texture, Weighed

LOSSES: Mapping[str, Loss] = MappingProxyType(
    {"absolute": Absolute(), "log": LogSum(), "texture": Weighed(((1.0, LogSum()), (1.0, Texture())))}
)


def check_loss(name: str | None) -> str | None:
    """The same.  Raises UsageError for a name that is none."""
    if name is not None and name not in LOSSES:
        raise UsageError(f"loss is {name!r}; expected one of {', '.join(LOSSES)}")
    return name


def loss_for(codec: Codec, said: str | None) -> str:
    """The name that is said, else the one that suits: pixels by their texture too, anything else by its values alone,
    since no other was measured.

    Raises UsageError for the texture of what is no picture.
    """
    name = said or ("texture" if isinstance(codec, Pixels) else "absolute")
    if name == "texture" and len(codec.shape) != 3:
        raise UsageError(f"texture is of pictures, and states of {codec.shape} are none; use --loss absolute")
    return name
