"""What was distilled as it is kept: a model folder that runs like any other, or an adapter whose passport says how."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mezzotint import __version__
from mezzotint.fewstep.asked import asked_at, few_spec
from mezzotint.fewstep.student import AVERAGE, averaged
from mezzotint.making.distilled.lesson import Lesson
from mezzotint.making.distilled.settings import Settings
from mezzotint.making.job import Job
from mezzotint.making.tuned.base import worn
from mezzotint.making.tuned.product import KEPT
from mezzotint.nets.adapters.contents import contents_of
from mezzotint.nets.adapters.trained import Learnt, learnt
from mezzotint.pretrained.adapter_files import PEFT_CONFIG
from mezzotint.pretrained.exchange.save import layout_for, write_adapter
from mezzotint.pretrained.few import KEY, Few, said_of
from mezzotint.pretrained.folder import JSON_NAME, save_model
from mezzotint.pretrained.model import AnyStage, wearing
from mezzotint.pretrained.passport import Passport, Photos, base_of
from mezzotint.pretrained.spec import Distilled
from mezzotint.pretrained.stage_model import StageModel
from mezzotint.training.run import Outcome

MODEL, ADAPTER = "model", "adapter.safetensors"


@dataclass(frozen=True, eq=False)
class Kept:
    """What was learnt.   stage: that runs it, as it is kept.  weights: the whole network's, or ``layers`` of an
    adapter."""

    stage: AnyStage
    weights: Mapping[str, Tensor]
    layers: Mapping[str, Learnt]


def kept(job: Job, lesson: Lesson, outcome: Outcome) -> Kept:
    """The average of a run's weights, as it will be written."""
    run = outcome.training
    average = {k: v.detach().cpu() for k, v in run.averages.values[AVERAGE.name].items()}
    stage = job.main.model
    if lesson.halves is None:
        assert isinstance(stage, StageModel)
        network = averaged(stage.network, average)
        return Kept(replace(stage, network=network), network.state_dict(), {})
    layers = learnt(run.net, average, KEPT)
    system = job.model.system
    put = worn("few calls", {path: one.change for path, one in layers.items()}, run.recipe.net.base)
    made = wearing(job.model, replace(system, adapters=(*system.adapters, put)))
    return Kept(made.stages[system.main], {}, layers)


def distilled_of(job: Job, lesson: Lesson, said: Settings) -> Distilled:
    """What the model or the adapter says of itself."""
    stage = job.main.model
    return Distilled(
        said.by, job.model.name, stage.described.weights_sha256, said.calls, job.main.plan.scale,
        asked_at(lesson.levels),
    )  # fmt: skip


def finished(path: Path) -> bool:
    """Whether a model or an adapter is there, and not only what a killed process left of it: of a folder the file that
    is written last."""
    return path.is_file() or (path / JSON_NAME).is_file() or any(path.rglob(PEFT_CONFIG))


def write(job: Job, lesson: Lesson, said: Settings, found: Kept, folder: Path, document: Mapping[str, Any]) -> Path:
    """Writes it.   Returns: the model's folder, or the adapter's file.   Raises StorageError."""
    few = Few(distilled_of(job, lesson, said), lesson.sampling)
    if lesson.halves is None:
        return _model(job, few, found, folder / MODEL, document)
    contents = contents_of(found.layers)
    system = job.model.system
    known = _passport(job, lesson, said, few, document)
    if (folder / ADAPTER).is_dir():  # half written by a killed process, and nothing is written over
        shutil.rmtree(folder / ADAPTER)
    write_adapter(folder / ADAPTER, contents, system, layout_for(contents, system), known)
    return folder / ADAPTER


def _model(job: Job, few: Few, found: Kept, folder: Path, document: Mapping[str, Any]) -> Path:
    spec, one = found.stage.spec, few.distilled
    card = replace(
        spec.card,
        title=f"{spec.card.title}, {one.calls} calls",
        summary=f"{spec.card.summary} Distilled to {one.calls} calls by {one.by}.",
        compute=f"{spec.card.compute} Then {document['updates']:,} updates of distillation on {torch.__version__}.",
        metrics={},
    )
    save_model(folder, found.weights, replace(few_spec(spec, few.sampling, one), card=card))
    return folder


def _passport(job: Job, lesson: Lesson, said: Settings, few: Few, document: Mapping[str, Any]) -> Passport:
    one = few.distilled
    return Passport(
        title=f"{one.base}: {one.calls} calls",
        base=base_of(job.model.system),
        method="lora",
        rank=said.rank,
        alpha=float(said.rank),
        triggers=(),
        kind="",
        photos=Photos(0, sha256_of(lesson), ""),
        evaluation=dict(document["held_out"]),
        settings={**{k: v for k, v in asdict(said).items() if v is not None}, KEY: said_of(few)},
        command=command(job, said),
        versions={"mezzotint": __version__, "torch": torch.__version__},
        seed=said.seed,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        licence=job.model.system.card.licence,
    )


def sha256_of(lesson: Lesson) -> str:
    """Of what it was learnt from."""
    return lesson.data.train.fingerprint


def command(job: Job, said: Settings) -> str:
    """The command that makes it again, but for the folder of the data."""
    words = ["mezzotint", "distill", job.model.name, "--calls", str(said.calls), "--by", said.by, "--as", said.form]
    for name in ("updates", "batch", "rows", "teacher", "rank", "seed"):
        words += [f"--{name}", str(getattr(said, name))]
    return shlex.join([*words, "--scale", f"{job.main.plan.scale:g}"])
