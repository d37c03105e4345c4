"""A job of an exported model from the words of ``generate``: everything decided and checked, nothing computed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mezzotint import __version__
from mezzotint.conditioning.prompts import Prompts
from mezzotint.diffusion.philox import seeds_from
from mezzotint.errors import UsageError
from mezzotint.exported.folder import Exported, chosen, read
from mezzotint.exported.plan import Way
from mezzotint.exported.runtime import processor
from mezzotint.governance.receipt import Made, StageMade
from mezzotint.making.checked import checked_request
from mezzotint.making.counts import check_count, is_small, rows_for
from mezzotint.making.heeded import Heeded
from mezzotint.making.job import GENERATE, Wanted, batches_of, prompts_of
from mezzotint.making.licensed import licensed_request
from mezzotint.making.marked import marking_of
from mezzotint.making.planned import check_scale
from mezzotint.making.prepare import check_whole
from mezzotint.making.prompt import told
from mezzotint.making.request import Request
from mezzotint.making.sizes import size_of
from mezzotint.pretrained.system import System, codec_part

if TYPE_CHECKING:
    from mezzotint.governance.provenance.mark.marking import Marking

TAKEN = (
    "prompt",
    "negative_prompt",
    "model",
    "n",
    "seed",
    "size",
    "batch",
    "strict",
    "use",
    "licence_mode",
    "sampling",
)
"""Words of a request that mean something here."""


@dataclass(frozen=True)
class ExportedJob:
    """As ``making.job.Job``.   ways: how each stage is sampled.  scale: guidance of the main one.  heeded, mark: as
    there."""

    exported: Exported
    pictures: tuple[Wanted, ...]
    said: Prompts
    ways: tuple[Way, ...]
    scale: float
    quality: str
    size: tuple[int, int]
    threads: int
    rows: int
    memory: None = None
    heeded: Heeded = field(default_factory=Heeded)
    mark: Marking | None = None

    @property
    def model(self) -> System:
        return self.exported.system

    @property
    def prompts(self) -> tuple[str, ...]:
        return prompts_of(self.pictures)

    @property
    def notes(self) -> tuple[str, ...]:
        told = (note for picture in self.pictures for note in picture.told.notes)
        return tuple(dict.fromkeys((*self.heeded.licence.notes, *told)))

    @property
    def batches(self) -> list[tuple[Wanted, ...]]:
        return batches_of(self.pictures, self.rows)

    @property
    def total(self) -> int:
        """Network calls of the whole job, guidance aside."""
        return sum(len(way.program.calls) for way in self.ways) * len(self.batches)

    @property
    def calls(self) -> int:
        """Network calls a picture; guidance makes two of one."""
        return sum(
            len(way.program.calls) * (1 if self.scale_of(k) in (0.0, 1.0) else 2) for k, way in enumerate(self.ways)
        )

    def scale_of(self, k: int) -> float:
        """Guidance of stage k."""
        return self.scale if k == self.model.main else self.ways[k].scale

    def made(self, picture: Wanted) -> Made:
        """What determines a picture; known before it is made."""
        import numpy as np

        runtime, system = self.exported.runtime, self.model
        export = {"sha256": self.exported.sha256, "to": self.exported.to, "weights": self.exported.weights}
        alike = self.quality == "standard" or len(self.ways) == 1
        return Made(
            model=system.name,
            stages=tuple(self._stage_made(k) for k in range(len(self.ways))),
            main=system.main,
            task={**picture.task, **({} if alike else {"quality": self.quality}), "export": export},
            adapters=(),
            embeddings=(),
            attached=(),
            prompt=picture.prompt,
            negative_prompt=self.said.negative_prompt,
            apart=self.said.apart,
            read=picture.told.read,
            tokens=tuple(one.said for one in picture.told.tokens),
            encoder_sha256="" if system.text is None else system.text.sha256,
            seed=picture.seed,
            size=self.size,
            dtype="float32",
            device="cpu",
            processor=processor(),
            threads=self.threads,
            versions={"mezzotint": __version__, runtime.package: runtime.version, "numpy": np.__version__},
            mark=None if self.mark is None else self.mark.said,
        )

    def _stage_made(self, k: int) -> StageMade:
        member, way = self.model.members[k], self.ways[k]
        part = codec_part(member.described)
        return StageMade(
            model=self.exported.parts[k].name,
            weights_sha256=member.described.weights_sha256,
            codec_sha256="" if part is None else part.weights_sha256,
            config_sha256=self.exported.parts[k].config_sha256,
            link=member.link,
            solver=way.solver,
            grid=way.grid,
            levels_sha256=way.levels_sha256,
            steps=way.steps,
            scale=self.scale_of(k),
            batch=(self.rows, *member.described.spec.shape),
        )


def prepare(asked: Request) -> ExportedJob:
    """The job of a request whose model is an exported folder.

    Raises: UsageError (words, a way to sample that it does not hold, a runtime that is not installed), ModelError (a
    file of it was changed).
    """
    _check_words(asked)
    exported = read(Path(str(asked.model)))
    system, prompts, said = exported.system, asked.prompts, asked.how.said
    heeded = Heeded(licensed_request(asked, system), checked_request(asked))
    _ = exported.runtime.version
    n = check_count("the number of pictures", check_count("n", asked.n) * len(prompts))
    rows, size = rows_for(n, asked.batch), size_of(system, asked.size)
    ways = tuple(
        chosen(ways, system.name, asked.sampling.quality, *_words(asked, k == system.main))
        for k, ways in enumerate(exported.ways)
    )
    scale = ways[system.main].scale if asked.sampling.scale is None else float(asked.sampling.scale)
    check_scale(system, scale, said)
    readings = [told(system, replace(said, prompt=text), size) for text in prompts]
    if asked.strict:
        check_whole(readings)
    each = [(text, one) for text, one in zip(prompts, readings, strict=True) for _ in range(asked.n)]
    seeds = seeds_from(asked.seed, n)
    return ExportedJob(
        exported=exported,
        pictures=tuple(Wanted(s, text, one, GENERATE, name=text) for s, (text, one) in zip(seeds, each, strict=True)),
        said=said,
        ways=ways,
        scale=scale,
        quality=asked.sampling.quality,
        size=size,
        threads=_threads(asked, system, rows),
        rows=rows,
        heeded=heeded,
        mark=marking_of(asked.sampling.mark),
    )


def _words(asked: Request, main: bool) -> tuple[str | None, int | None, str | None]:
    """(solver, steps, grid): for the main stage."""
    return (asked.sampling.solver, asked.sampling.steps, asked.sampling.grid) if main else (None, None, None)


def _threads(asked: Request, system: System, rows: int) -> int:
    small = is_small([member.described.spec.shape for member in system.members], rows)
    return asked.sampling.threads or (1 if small else len(os.sched_getaffinity(0)))


def refuse(words: Sequence[str]) -> None:
    """Raises UsageError where there are any."""
    if words:
        said = ", ".join(f"--{word.replace('_', '-')}" for word in words)
        raise UsageError(f"an exported model takes no {said}; leave it out, or use the model it was exported from")


def _check_words(asked: Request) -> None:
    """Raises UsageError for words that an exported model does not take."""
    refuse([f.name for f in fields(asked) if f.name not in TAKEN and getattr(asked, f.name) != f.default])
    refuse(["candidates"] if asked.sampling.candidates not in (None, 1) else [])
    refuse(["classifier_scale"] if asked.sampling.classifier_scale not in (None, 0) else [])
    for word, value, fixed in (("device", asked.sampling.device, "cpu"), ("dtype", asked.sampling.dtype, "float32")):
        if value not in ("auto", fixed):
            raise UsageError(f"an exported model runs on the cpu in float32, not with {word} {value}; leave it out")
