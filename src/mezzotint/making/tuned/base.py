"""The model that is tuned: one stage of a system, and the part of the system that judges it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mezzotint.errors import UsageError
from mezzotint.files import sha256
from mezzotint.making.job import Job
from mezzotint.making.prepare import prepare
from mezzotint.making.request import Request, Sampling
from mezzotint.making.sizes import parse_size, size_of
from mezzotint.nets.adapters.changes import Change
from mezzotint.nets.adapters.layouts import Coverage, Part
from mezzotint.pretrained.adapters import Adapter, Weighed
from mezzotint.pretrained.embeddings import Learned
from mezzotint.pretrained.model import AnyStage, Model, wearing
from mezzotint.pretrained.system import System

Worn = Weighed | Learned
"""What was learnt: an adapter that is put on, or a word that prompts may say."""


def _with(system: System, worn: Worn) -> System:
    if isinstance(worn, Learned):
        return replace(system, embeddings=(worn,))
    return replace(system, adapters=(worn,))


@dataclass(frozen=True, eq=False)
class Base:
    """model: as it was loaded.  until: the same up to the stage that is tuned, whose pictures are judged.

    size: "WxH" of the pictures that are learnt from and judged; None is the model's own.
    """

    model: Model
    until: Model
    device: str
    dtype: str
    size: str | None = None

    @property
    def system(self) -> System:
        return self.model.system

    @property
    def stage(self) -> AnyStage:
        """The one that is tuned."""
        main = self.model.main
        return main if self.size is None else main.at(parse_size(self.size))

    @property
    def numbers(self) -> int:
        """Of all networks of that stage."""
        return sum(p.numel() for net in self.stage.networks.values() for p in net.parameters())

    def job(self, prompts: Sequence[str], seed: int, worn: Worn | None) -> Job:
        """Drafts of prompts, one each, by the base or by what is tuned: hundreds are made, and all are held against
        drafts.  Raises as ``generate``."""
        model = self.until if worn is None else wearing(self.until, _with(self.until.system, worn))
        return prepare(
            Request(
                tuple(prompts),
                model=model,
                seed=seed,
                size=self.size,
                sampling=Sampling(
                    quality="draft", device=self.device, dtype=self.dtype, candidates=1, classifier_scale=0.0
                ),
            )
        )


def base(model: Model, device: str, dtype: str, size: str | None = None) -> Base:
    """A model to tune, and the shorter cascade in which it is judged.

    Raises UsageError for a size that it does not make, or that is not square, as what is learnt from is.
    """
    system = model.system
    width, height = size_of(system, size)
    if size is not None and width != height:
        raise UsageError(f"size {size} is not square; adapters are learnt from square pictures, such as 512x512")
    if system.any_size:
        return Base(model, model, device, dtype, size)
    if system.components is not None or system.main == len(system.members) - 1:
        return Base(model, model, device, dtype)
    kept = system.members[: system.main + 1]
    until = replace(system, members=kept)
    return Base(model, Model(until, model.stages[: len(kept)]), device, dtype)


def worn(name: str, changes: Mapping[str, Change], digest: str) -> Weighed:
    """What was learnt, as an adapter that was never a file.   digest: of what it was learnt from, and when."""
    return worn_parts(name, {"denoiser": changes}, digest)


def worn_parts(name: str, parts: Mapping[Part, Mapping[str, Change]], digest: str) -> Weighed:
    """The same of several networks."""
    layers = {part: len(changes) for part, changes in parts.items()}
    made = {part: dict(changes) for part, changes in parts.items()}
    return Weighed(Adapter(name, sha256(digest.encode()), made, Coverage(layers, alphas=sum(layers.values()))), 1.0)
