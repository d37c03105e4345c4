"""The loop without torch: a plan's sums in numpy, a runtime's answers, the same noise and the same receipts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mezzotint.costs.meter import cost_of, started
from mezzotint.costs.prices import declared
from mezzotint.diffusion.philox import normals
from mezzotint.errors import NonFiniteError
from mezzotint.exported.folder import Lowres, Part
from mezzotint.exported.job import ExportedJob
from mezzotint.exported.plan import Call, State, walk
from mezzotint.exported.runtime import Array, Session
from mezzotint.making.again import retried
from mezzotint.making.image import Image, image_of
from mezzotint.making.job import Wanted
from mezzotint.making.leaving import Leaving, ungated
from mezzotint.making.prompt import Classes, Texts
from mezzotint.making.released import Withheld, output_gate

Told = Mapping[str, Array]
"""What a network is told, (B, *) each."""

NOTHING: NDArray[np.uint8] = np.zeros((0, 0, 0, 0), np.uint8)
"""The pictures before a first stage."""


@dataclass(frozen=True)
class Done:
    """One call of a network.   done, total: of the whole job."""

    done: int
    total: int


@dataclass(frozen=True)
class Guided:
    """A stage's denoiser: its network, its parametrisation's coefficients by the call, guidance.

    null: of one row.   The rules are those of ``diffusion.guidance.Guided``, asked together.
    """

    session: Session
    takes: tuple[str, ...]
    cond: Told
    null: Told
    scale: float

    def __call__(self, y: State, call: Call) -> State:
        """The answer x0 (B, *) to y (B, *)."""
        rows = len(y)
        null = {name: np.repeat(self.null[name], rows, 0) for name in self.null}
        if self.scale == 1 or not null:
            return self._answer(y, call, self.cond)
        if self.scale == 0:
            return self._answer(y, call, {**self.cond, **null})
        both = {name: np.concatenate((value, null.get(name, value))) for name, value in self.cond.items()}
        strong, weak = np.split(self._answer(np.concatenate((y, y)), call, both), 2)
        made: State = weak + np.float32(self.scale) * (strong - weak)
        return made

    def _answer(self, y: State, call: Call, told: Told) -> State:
        c_noise = np.full(len(y), call.noise, np.float32)
        feeds = {"x": y * np.float32(call.inp), "c_noise": c_noise, **{name: told[name] for name in self.takes}}
        answer: State = self.session(feeds)
        made: State = np.float32(call.skip) * y + np.float32(call.out) * answer
        return made


@dataclass
class Sessions:
    """The graphs of a job's folder, each made ready when it is first asked."""

    job: ExportedJob
    _ready: dict[str, Session] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Session:
        if name not in self._ready:
            self._ready[name] = self.once(name)
        return self._ready[name]

    def once(self, name: str) -> Session:
        """One that is not kept."""
        return self.job.exported.runtime.session(self.job.exported.folder / name, self.job.threads)


def conds(job: ExportedJob, sessions: Sessions) -> dict[str, tuple[Told, Told]]:
    """(cond, null) of each prompt, one row each.  The text encoder is put away when it has read all of them."""
    texts = sessions.once(job.exported.text) if job.exported.text else None
    return {picture.prompt: _conds(job, picture, texts) for picture in {p.prompt: p for p in job.pictures}.values()}


def _conds(job: ExportedJob, picture: Wanted, texts: Session | None) -> tuple[Told, Told]:
    told = picture.told
    if isinstance(told, Classes):
        cond, null = (np.array([label], np.int64) for label in (told.label, told.negative))
        return {"label": cond}, {"label": null}
    if not isinstance(told, Texts):
        return {}, {}
    encoder, said = job.model.encoder, job.model.text
    assert encoder is not None and said is not None and texts is not None
    ids, mask = encoder.padded(told.read, said.tokens, said.tokens)
    both = {"text": texts({"ids": ids, "mask": mask}), "text_mask": mask}
    return {name: value[:1] for name, value in both.items()}, {name: value[1:] for name, value in both.items()}


def drawn(seeds: Sequence[int], stage: int, draw: int, shape: Sequence[int]) -> State:
    """The noise of one draw, (B, *), as ``diffusion.noise.Noise`` has it."""
    (made,) = normals(seeds, stage, (draw,), shape)
    return made.astype(np.float32)


def pixels(x: State) -> NDArray[np.uint8]:
    """(B, C, H, W) in -1 … 1 -> uint8, as ``codecs.pixels.Pixels`` decodes it.  Raises NonFiniteError."""
    if not np.isfinite(x).all():
        raise NonFiniteError(
            "a state to decode is not finite; the exported weights are at fault, try --weights float32"
        )
    made: NDArray[np.uint8] = np.rint((x + 1) * np.float32(127.5)).clip(0, 255).astype(np.uint8)
    return made


def _lowres(said: Lowres, sessions: Sessions, k: int, seeds: Sequence[int], previous: Array) -> Told:
    """What a stage is told of the pictures before it (B, C, h, w) uint8."""
    small = sessions[said.enlarge]({"small": previous})
    eps = drawn(seeds, k, said.draw, small.shape)
    lowres = np.float32(said.alpha) * small + np.float32(said.sigma) * eps
    return {"lowres": lowres, "lowres_logsnr": np.full(len(small), said.logsnr, np.float32)}


def _decoded(part: Part, sessions: Sessions, x: State) -> NDArray[np.uint8]:
    return pixels(sessions[part.decode]({"state": x}) if part.decode else x)


def stream(job: ExportedJob) -> Iterator[Done | Image | Withheld]:
    """Runs a job, batch by batch: every call as it is done, then the batch's pictures in the order of their seeds,
    those that the output gate lets pass.   Raises as ``making.run.stream``.
    """
    way = Leaving(job.mark, None, output_gate())
    yield from retried(job, lambda one: way.each(sampled(one)))


def unreleased(job: ExportedJob) -> Iterator[Done | Image]:
    """The same without the gate: for what compares pictures and gives none out."""
    way: Leaving[Image] = Leaving(job.mark, None, ungated)
    return way.each(sampled(job))


def sampled(job: ExportedJob) -> Iterator[Done | Image]:
    """The calls of a job, and its pictures as they are decoded: what they still have to pass is ``Leaving``."""
    sessions = Sessions(job)
    read = conds(job, sessions)
    done, prices, each = 0, declared(), job.calls
    for pictures in job.batches:
        began, previous = started(), NOTHING
        padded = pictures + pictures[-1:] * (job.rows - len(pictures))
        for k, part in enumerate(job.exported.parts):
            states = _stage(job, k, sessions, read, padded, previous)
            x = next(states)
            while (after := next(states, None)) is not None:  # there when one more call is done
                x, done = after, done + 1
                yield Done(done, job.total)
            previous = _decoded(part, sessions, x)
        used = began.used(each * len(pictures), "cpu")
        cost = cost_of(used.share(len(pictures)), prices)
        first = None if job.model.text is None else {"silent": "exported"}
        rows_first = np.ascontiguousarray(previous.transpose(0, 2, 3, 1))
        for i, picture in enumerate(pictures):
            yield image_of(job.made(picture), rows_first[i], used.seconds, job.heeded, cost, first)


def _stage(
    job: ExportedJob,
    k: int,
    sessions: Sessions,
    read: Mapping[str, tuple[Told, Told]],
    pictures: Sequence[Wanted],
    previous: Array,
) -> Iterator[State]:
    """The states of one stage's trajectory; the last is its end."""
    part, seeds = job.exported.parts[k], tuple(p.seed for p in pictures)
    rows = [read[p.prompt][0] for p in pictures]
    cond: dict[str, Array] = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    if part.lowres is not None:
        cond |= _lowres(part.lowres, sessions, k, seeds, previous)
    null = {name: value for name, value in read[pictures[0].prompt][1].items() if name in part.takes}
    fed = {name: cond[name] for name in part.takes}
    answer = Guided(sessions[part.network], part.takes, fed, null, job.scale_of(k))
    shape = (len(seeds), *job.model.members[k].described.spec.shape)
    return walk(job.ways[k].program, answer, lambda draw: drawn(seeds, k, draw, shape))
