"""A worse version of a model, for the model to be guided away from: Karras et al., 2024, Guiding a Diffusion Model with
a Bad Version of Itself."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mezzotint.errors import ModelError, UsageError
from mezzotint.files import sha256_file
from mezzotint.pretrained.folder import check_weights
from mezzotint.pretrained.model import AnyStage, Model, load
from mezzotint.pretrained.stage_model import StageModel
from mezzotint.pretrained.system import System
from mezzotint.tensorfile import read_tensors


@dataclass(frozen=True, eq=False)
class Weak:
    """stage: what the worse model answers with.   calls: of either network together, for each of the solver's."""

    stage: AnyStage
    calls: int = field(default=2, init=False)

    @property
    def said(self) -> dict[str, Any]:
        """For receipts."""
        described = self.stage.described
        said = {"model": described.name, "weights_sha256": described.weights_sha256}
        return {"name": "auto", **said, "config_sha256": self.stage.config_sha256}


def weak_of(path: Path, model: Model) -> Weak:
    """The worse version in a model's folder, or in a file of weights that a training run keeps (``snapshots``).

    Raises UsageError for a model that makes other pictures, or is told other things; InputError, ModelError.
    """
    if path.is_file() and isinstance(model.main, StageModel):
        return Weak(_snapshot(path, model.main))
    other = load(path)
    if _kind(other.system) != _kind(model.system) or type(other.main) is not type(model.main):
        raise UsageError(
            f"{other.name} makes other pictures than {model.name}, or is told other things; expected a worse version of"
            " the same model: less trained, or smaller"
        )
    return Weak(other.main)


def _kind(system: System) -> tuple[object, ...]:
    """What two versions of a model share."""
    spec, text = system.members[system.main].described.spec, system.text
    said = None if text is None else (text.encoder, text.sha256, text.tokens)
    return spec.shape, dict(spec.codec), [label.name for label in spec.labels], said


def _snapshot(path: Path, stage: StageModel) -> StageModel:
    """The same stage with the weights of a file; it may leave out what is not learnt."""
    weights = {**stage.network.state_dict(), **(found := read_tensors(path))}
    if not found:
        raise ModelError(f"{path} holds no weights; expected those of the same network at an earlier time")
    check_weights(stage.network, weights, path)
    network = copy.deepcopy(stage.network)
    network.load_state_dict(weights)
    digest = sha256_file(path)
    described = replace(stage.described, name=path.stem, weights_sha256=digest, weights_bytes=path.stat().st_size)
    return StageModel(described, network)
