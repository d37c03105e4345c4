"""Jobs: everything about a run decided and checked, nothing computed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol

from mezzotint import __version__
from mezzotint.conditioning.prompts import Prompts
from mezzotint.governance.receipt import Made, StageMade
from mezzotint.making.canvas import Canvas
from mezzotint.making.edit import Edit
from mezzotint.making.heeded import Heeded
from mezzotint.pretrained.families.known import Reading
from mezzotint.pretrained.spec import Choice
from mezzotint.pretrained.system import codec_part

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from mezzotint.governance.provenance.mark.marking import Marking
    from mezzotint.pretrained.memory import Needed
    from mezzotint.pretrained.model import AnyStage, Model
    from mezzotint.pretrained.plan import Plan


@dataclass(frozen=True)
class Planned:
    """One stage of a job: its model, how it is sampled, and how it is fed (``pretrained.system``).

    part: which steps of the plan are run, where a base hands over to a refiner; None is all.
    """

    model: AnyStage
    plan: Plan
    link: Choice
    part: range | None = None

    @property
    def run(self) -> range:
        """The numbers of its steps."""
        return range(self.plan.steps) if self.part is None else self.part


GENERATE: Choice = {"name": "generate"}


@dataclass(frozen=True)
class Wanted:
    """One picture of a job.

    told: what the model is told of ``prompt``.  task: as in its receipt.  given: what the stages before the job's
    first would put out, without its batch axis, or the picture that an upscaler enlarges; else None.  name: for the
    file.
    """

    seed: int
    prompt: str
    told: Reading
    task: Choice = field(default_factory=lambda: GENERATE)
    given: Tensor | None = None
    name: str = ""


def prompts_of(pictures: Iterable[Wanted]) -> tuple[str, ...]:
    """Each once, in their order."""
    return tuple(dict.fromkeys(picture.prompt for picture in pictures))


def batches_of(pictures: Iterable[Wanted], rows: int) -> list[tuple[Wanted, ...]]:
    """The pictures of each batch; prompts of other widths do not share one."""
    alike = [tuple(group) for _, group in groupby(pictures, key=lambda p: p.told.width)]
    return [group[i : i + rows] for group in alike for i in range(0, len(group), rows)]


class Making(Protocol):
    """What a run's folder must know of a job: ``Job``, or one of an exported model."""

    @property
    def model(self) -> Named: ...
    @property
    def pictures(self) -> tuple[Wanted, ...]: ...
    @property
    def prompts(self) -> tuple[str, ...]: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def total(self) -> int: ...
    def made(self, picture: Wanted) -> Made: ...


class Named(Protocol):
    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class Job:
    """Everything decided, nothing computed: ``stream`` runs it.

    pictures: no two the same.  said: what they share of the texts.  stages: all of the system; those from ``first``
    on are run.  rows: of every batch, the last one padded, so that a picture's bits depend on its seed and on what it
    is told alone.   size: (width, height).  abreast: how many drafts of a batch are drawn at once, at most.
    edit: a picture that the main stage begins from.
    memory: what it is thought to take, None for small models.
    compiled: whether the networks' blocks are.
    canvas: how a picture is made that is larger than the network sees at once.
    quality: the presets of the stages that the words are not for.
    remarks: what people should know of how it is sampled.   heeded: what licences and the prompt gate said.
    mark: how pictures are marked; None is not at all.
    """

    model: Model
    pictures: tuple[Wanted, ...]
    said: Prompts
    stages: tuple[Planned, ...]
    device: str
    dtype: torch.dtype
    threads: int
    rows: int
    size: tuple[int, int]
    abreast: int = 1
    first: int = 0
    edit: Edit | None = None
    memory: Needed | None = None
    compiled: bool = False
    canvas: Canvas | None = None
    quality: str = "standard"
    remarks: tuple[str, ...] = ()
    heeded: Heeded = field(default_factory=Heeded)
    mark: Marking | None = None

    @property
    def running(self) -> tuple[Planned, ...]:
        """The stages that are run."""
        return self.stages[self.first :]

    @property
    def main(self) -> Planned:
        """The stage that the words were for."""
        return self.stages[self.model.system.main]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of its pictures."""
        return tuple(picture.seed for picture in self.pictures)

    @property
    def prompts(self) -> tuple[str, ...]:
        """Each once, in their order."""
        return prompts_of(self.pictures)

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know of solver, LoRA files and prompts, each said once."""
        worn = (f"{one.adapter.name}: {one.adapter.coverage}" for one in self.model.system.adapters)
        told = (note for picture in self.pictures for note in picture.told.notes)
        return tuple(dict.fromkeys((*self.heeded.licence.notes, *self.remarks, *worn, *told)))

    @property
    def batches(self) -> list[tuple[Wanted, ...]]:
        """The pictures of each batch; prompts of other widths do not share one."""
        return batches_of(self.pictures, self.rows)

    @property
    def total(self) -> int:
        """Steps of the whole job."""
        skipped = 0 if self.edit is None else self.edit.first(self.main.plan.steps)
        draft = self.main.plan.draft
        drafts = 0 if draft is None else -(-self.main.plan.candidates // self.abreast) * (draft.steps - skipped)
        return (sum(len(stage.run) for stage in self.running) - skipped + drafts) * len(self.batches)

    def made(self, picture: Wanted) -> Made:
        """What determines a picture; known before it is made."""
        import numpy as np
        import torch

        from mezzotint.pretrained.device import processor

        system = self.model.system
        # Compiled code rounds otherwise: it is one more program that determines the picture.
        compiler = {"inductor": torch.__version__} if self.compiled else {}
        return Made(
            model=system.name,
            stages=tuple(self._stage_made(stage, picture) for stage in self.running),
            main=system.main - self.first,
            task=self._task(picture),
            adapters=tuple(one.said for one in system.adapters),
            embeddings=tuple(one.said for one in system.embeddings),
            attached=tuple(one.said for one in system.attached),
            prompt=picture.prompt,
            negative_prompt=self.said.negative_prompt,
            apart=self.said.apart,
            read=picture.told.read,
            tokens=tuple(one.said for one in picture.told.tokens),
            encoder_sha256="" if system.text is None else system.text.sha256,
            seed=picture.seed,
            size=self.size,
            dtype=str(self.dtype).removeprefix("torch."),
            device=self.device,
            processor=processor(self.device),
            threads=self.threads,
            versions={"mezzotint": __version__, "torch": torch.__version__, "numpy": np.__version__, **compiler},
            files=system.files,
            mark=None if self.mark is None else self.mark.said,
        )

    def _task(self, picture: Wanted) -> Choice:
        """With the quality where stages that the words are not for go by it, parts that lie elsewhere, and whether any
        LoRA is put on in part."""
        system = self.model.system
        alike = self.quality == "standard" or len(self.stages) == 1
        partial = any(one.adapter.coverage.partial for one in system.adapters)
        return {
            **picture.task,
            **({} if alike else {"quality": self.quality}),
            **system.elsewhere,
            **({"allow_partial": True} if partial else {}),
        }

    def _stage_made(self, stage: Planned, picture: Wanted) -> StageMade:
        from mezzotint.pretrained.plan import levels_hash

        candidates, classifier = self.ranked(stage)
        if (candidates or classifier) and not _names_product(picture):
            candidates, classifier = None, None
        described, part = stage.model.described, codec_part(stage.model.described)
        return StageMade(
            model=stage.model.name,
            weights_sha256=described.weights_sha256,
            codec_sha256=described.codec_sha256 if part is None else part.weights_sha256,
            config_sha256=stage.model.config_sha256,
            link=stage.link,
            solver=stage.plan.solver_choice,
            grid=stage.plan.grid_choice,
            levels_sha256=levels_hash(stage.plan.levels),
            steps=len(stage.run),
            scale=stage.plan.scale,
            batch=(self.rows, *stage.model.spec.shape),
            guidance_interval=_bounds(stage.plan.interval),
            guidance=None if stage.plan.guidance is None else stage.plan.guidance.said,
            cache=stage.plan.cache,
            candidates=candidates,
            classifier=classifier,
        )

    def ranked(self, stage: Planned) -> tuple[Choice | None, Choice | None]:
        """What the ranker does for a stage's pictures that name a product: among which drafts it chooses, and how far
        it guides."""
        return self._candidates(stage), self._classifier(stage)

    def _candidates(self, stage: Planned) -> Choice | None:
        ranker, draft = self.model.system.ranker, stage.plan.draft
        if ranker is None or draft is None:
            return None
        drawn = {"solver": dict(draft.solver_choice), "steps": draft.steps, "scale": draft.scale}
        by = {} if draft.guidance is None else {"guidance": draft.guidance.said}
        return {"of": stage.plan.candidates, "ranker_sha256": ranker.weights_sha256, **drawn, **by}

    def _classifier(self, stage: Planned) -> Choice | None:
        ranker, scale = self.model.system.ranker, stage.plan.classifier_scale
        return None if ranker is None or scale == 0 else {"scale": scale, "ranker_sha256": ranker.weights_sha256}


def _names_product(picture: Wanted) -> bool:
    """Of others nothing is chosen and nothing guided, whatever stands beside them in the job."""
    from mezzotint.products.asked import asked

    return asked(picture.told.read[0]).kind is not None


def _bounds(interval: tuple[float, float] | None) -> tuple[float, float | None] | None:
    """An interval as JSON can hold it: None for no bound above."""
    if interval is None:
        return None
    return interval[0], None if math.isinf(interval[1]) else interval[1]


def described(job: Making) -> Mapping[str, Any]:
    """What a job will do, as JSON."""
    made = job.made(job.pictures[0])
    return {
        "model": made.model,
        "prompts": list(job.prompts),
        "negative_prompt": made.negative_prompt,
        "apart": dict(made.apart),
        "notes": list(job.notes),
        "n": len(job.pictures),
        "seed": job.pictures[0].seed,
        "size": list(made.size),
        "stages": [
            {
                "model": stage.model,
                "solver": dict(stage.solver),
                "grid": dict(stage.grid),
                "steps": stage.steps,
                "scale": stage.scale,
                **({} if stage.guidance_interval is None else {"guidance_interval": list(stage.guidance_interval)}),
                **({} if stage.guidance is None else {"guidance": dict(stage.guidance)}),
                **({} if stage.cache is None else {"cache": stage.cache}),
                **({} if stage.candidates is None else {"candidates": dict(stage.candidates)}),
                **({} if stage.classifier is None else {"classifier": dict(stage.classifier)}),
                "batch": list(stage.batch),
            }
            for stage in made.stages
        ],
        "device": made.device,
        "dtype": made.dtype,
    }
