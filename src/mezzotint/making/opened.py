"""The system that words name: a model, what goes with it, and what is put on it and beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mezzotint.errors import UsageError
from mezzotint.files import user_path
from mezzotint.pretrained.adapters import with_adapters
from mezzotint.pretrained.controls import with_controls
from mezzotint.pretrained.embeddings import with_embeddings
from mezzotint.pretrained.joined import with_folders
from mezzotint.pretrained.picture_prompts import with_picture_prompts
from mezzotint.pretrained.store import find
from mezzotint.pretrained.system import System, describe_system, verify_system

if TYPE_CHECKING:
    from mezzotint.making.request import File, Request
    from mezzotint.pretrained.model import Model


def described(model: File, parts: Sequence[File] = ()) -> System:
    """A model's system, its files unread.   parts: where those come from that a checkpoint in one file lacks.

    Raises InputError, ModelError, UsageError."""
    return describe_system(find(str(model)), [user_path(part) for part in parts])


def opened(model: File | Model, parts: Sequence[File] = ()) -> System:
    """The same, its files checked; of what ``load`` gave they are already."""
    return verify_system(described(model, parts)) if isinstance(model, str | Path) else model.system


def system_of(asked: Request) -> System:
    """The system of a request, with all that is beside it.  Raises InputError, ModelError, UsageError."""
    system = opened(asked.model, asked.parts)
    prior = None if asked.prior is None else find(str(asked.prior))
    system = with_folders(system, prior, [find(str(folder)) for folder in asked.then])
    # In a cascade of ours adapters are for the main stage.
    ours = system.components is None
    _check_single(system, [*(() if ours else asked.lora), *asked.embedding, *asked.control, *asked.ip_adapter])
    if asked.lora:
        system = with_adapters(system, _texts(asked.lora), partial=asked.allow_partial)
    system = _refined(_attached(system, asked), asked.refiner, asked.refiner_at)
    return with_embeddings(system, _paths(asked.embedding)) if asked.embedding else system


def _check_single(system: System, files: Sequence[File]) -> None:
    """Raises UsageError where files are given that change one network, and several make the picture."""
    if files and len(system.members) > 1:
        raise UsageError(
            f"{system.name} runs in stages and takes no LoRA files, learned words, controls or pictures in the prompt"
        )


def _attached(system: System, asked: Request) -> System:
    """With controls and pictures in the prompt."""
    if asked.compiled and (asked.control or asked.ip_adapter):
        raise UsageError(
            "--compile does not go with controls or pictures in the prompt, which change the blocks; leave one out"
        )
    if asked.control or asked.control_image:
        system = with_controls(system, _texts(asked.control), _paths(asked.control_image))
    if asked.ip_adapter or asked.ip_image:
        encoder = None if asked.ip_encoder is None else Path(asked.ip_encoder)
        return with_picture_prompts(system, _texts(asked.ip_adapter), _paths(asked.ip_image), encoder)
    if asked.ip_encoder is not None:
        raise UsageError("--ip-encoder is for an IP-Adapter; give --ip-adapter and --ip-image")
    return system


def _refined(system: System, refiner: File | None, at: float | None) -> System:
    """With a refiner that takes over at a share of the noise's time."""
    if refiner is None:
        if at is not None:
            raise UsageError("refiner-at is for a refiner; give --refiner")
        return system
    from mezzotint.pretrained.refined import SHARE, with_refiner

    return with_refiner(system, opened(refiner), SHARE if at is None else at)


def _texts(files: Sequence[File]) -> list[str]:
    return [str(file) for file in files]


def _paths(files: Sequence[File]) -> list[Path]:
    return [Path(file) for file in files]
