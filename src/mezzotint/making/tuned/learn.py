"""Learning an adapter: the recipe, the run in its folder, and what it had learnt at several moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.codecs.base import Codec
from mezzotint.codecs.halves import Halves
from mezzotint.codecs.pixels import Pixels as PixelCodec
from mezzotint.errors import UsageError
from mezzotint.files import sha256
from mezzotint.making.tuned.base import Base
from mezzotint.making.tuned.product import Layers, Product, until
from mezzotint.making.tuned.told import Told, reader, spelled
from mezzotint.nets.adapters.begun import checked_rank
from mezzotint.nets.adapters.lora import Layer
from mezzotint.pretrained.device import device_for, dtype_for
from mezzotint.pretrained.embeddings import unwritten, widths
from mezzotint.pretrained.families.legible import legible
from mezzotint.pretrained.plan import preset
from mezzotint.pretrained.system import picture_shape
from mezzotint.pretrained.tunable import Tunable, paths, tunable
from mezzotint.pretrained.tunable_texts import Texts, tunable_texts
from mezzotint.training.checkpoint import Store
from mezzotint.training.data.source import Data
from mezzotint.training.posthoc import load_snapshots
from mezzotint.training.recipe import Recipe
from mezzotint.training.run import Outcome, Watch, fit
from mezzotint.training.state import check
from mezzotint.tuning.photos import Photo
from mezzotint.tuning.recipe import AVERAGE, Prepare, Word, as_it_is, tuning_recipe
from mezzotint.tuning.scenes import VARIANTS, Bytes, Scene, Sittings, Stored, stand_ins, unsaid, with_counts
from mezzotint.tuning.settings import Method, Settings, usual_rate
from mezzotint.tuning.task import Tuned
from mezzotint.tuning.words import Subject

ENCODED = 8
"""Scenes of each photograph where an autoencoder makes states of them, which takes its time."""

RANKED = ("lora", "rslora", "tlora", "dora", "pissa", "loha")
"""Methods whose rank is at most the layer's."""

STAND_INS = 8
"""Scenes of each photograph that stand in for the prior's pictures."""


@dataclass(frozen=True, eq=False)
class Kept:
    """How items hold scenes.   shape: of an item, what counts in its last channel.  codec: of the rest.
    shards: scenes of each photograph."""

    shape: tuple[int, int, int]
    codec: Codec
    stored: Stored
    shards: int


def kept(base: Base, device: str) -> Kept:
    """Pixels as they are; of any other codec the states, float16, encoded once."""
    codec = base.stage.codec(device)
    if isinstance(codec, PixelCodec):
        height, width = codec.size
        return Kept((codec.channels + 1, height, width), codec, with_counts, VARIANTS)
    halves = Halves(codec.shape)
    height, width = codec.shape[-2:]
    return Kept((halves.stored[0] + 1, height, width), halves, _Encoded(codec, halves, device), ENCODED)


class _Encoded:
    """Scenes -> states as bytes with what counts; each scene once."""

    def __init__(self, codec: Codec, halves: Halves, device: str) -> None:
        self._codec, self._halves, self._device = codec, halves, device
        self._known: dict[str, Bytes] = {}  # by digest: the scenes themselves would fill the memory

    def __call__(self, pixels: Bytes, counts: Bytes) -> Bytes:
        key = sha256([pixels.tobytes(), counts.tobytes()])
        if key not in self._known:
            self._known[key] = self._encoded(pixels, counts)
        return self._known[key]

    def _encoded(self, pixels: Bytes, counts: Bytes) -> Bytes:
        picture = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]
        state = self._codec.encode(picture.to(self._device)).cpu()
        small = F.interpolate(torch.from_numpy(counts.copy())[None, None].float(), state.shape[-2:], mode="area")
        made: Bytes = torch.cat([self._halves.decode(state), small.round().to(torch.uint8)], 1)[0].numpy()
        return made


@dataclass(frozen=True, eq=False)
class Lesson:
    """Everything decided before the first update."""

    recipe: Recipe
    data: Data
    device: str

    @property
    def parameters(self) -> int:
        """Numbers that are learnt."""
        net = self.recipe.build(self.recipe.net)
        return sum(p.numel() for p in net.parameters() if p.requires_grad)


def tunable_of(base: Base, method: Method) -> Tunable:
    """The network that is tuned, which takes what is asked for.

    Raises UsageError for a network that takes no adapters, for targets that it has not, a rank that it has not; for
    text encoders that nothing is learnt on, where it is to be.
    """
    if method.inverts:
        widths(base.system)
    if method.reads:
        legible(base.system)
    if method.text and base.system.components is None:
        raise UsageError(
            f"no adapters go on the text encoder of {base.system.name}, which is frozen; leave --text-encoder out, or"
            " learn a word with --method textual-inversion"
        )
    device = device_for(base.device)
    found = tunable(base.stage, device, dtype_for(base.dtype, device))
    for path in () if method.inverts else paths(found.base, method.targets):
        _check_rank(method, path, found.base.get_submodule(path))
    return found


def _check_rank(method: Method, path: str, layer: nn.Module) -> None:
    """Raises UsageError as its method would, but before pictures are made."""
    if method.name not in RANKED or not isinstance(layer, Layer):
        return
    try:
        checked_rank(method.rank, layer)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def lesson(
    base: Base,
    halves: Tunable,
    photos: Mapping[Subject, Sequence[Photo]],
    held: Mapping[Subject, Sequence[Photo]],
    prior: Sequence[Scene],
    said: Settings,
    prepare: Prepare = as_it_is,
) -> Lesson:
    """The recipe of an adapter, and its data.

    photos: to learn from.  held: to measure the validation loss on, by subject; of an empty list on scenes of
    ``photos`` that are not learnt from.  prior: pictures of what must stay; () takes the photographs for them, said to
    be any of their kind.  prepare: see ``tuning_recipe``.   Raises UsageError.
    """
    device = device_for(base.device)
    how = kept(base, device)
    size = square(base)
    kept_so = prior or stand_ins(photos, size, STAND_INS)
    learn = Sittings(photos, [*kept_so, *unsaid(kept_so)], said.kept_share, size, how.stored, said.seed, how.shards)
    measured = {subject: held[subject] or some for subject, some in photos.items()}
    measure = Sittings(measured, (), 0.0, size, how.stored, said.seed + 1, min(4, how.shards))
    scale = preset(base.stage.spec, "standard").scale
    read = reader(base.until.system, (size, size), base.stage.takes, scale)
    first = next(iter(photos))
    word = word_of(said.method, first)
    texts = texts_of(base, said.method, word, halves)
    told = Told(read, first.kind) if texts is None else spelled(texts.reads, read, first.kind)
    data = Data(learn, measure)
    rate = usual_rate(said.method, base.numbers) if said.rate is None else said.rate
    made = tuning_recipe(base.stage, halves, said, rate, how.codec, how.shape, told, data, texts, word, prepare)
    return Lesson(made, data, device)


def word_of(method: Method, subject: Subject) -> Word | None:
    """The word that is learnt of a subject, None where layers are."""
    return Word(subject.name.lower(), method.initial or subject.kind, method.vectors) if method.inverts else None


def texts_of(base: Base, method: Method, word: Word | None, halves: Tunable) -> Texts | None:
    """The text encoders that are learnt on, beside the network and as it is; None where none is."""
    if not method.reads:
        return None
    weight = next(halves.base.parameters())
    known = () if word is None else (unwritten(word.name, word.vectors, base.system),)
    return tunable_texts(base.system, known, str(weight.device), weight.dtype)


def square(base: Base) -> int:
    """Pixels: the side of the square pictures that a stage learns from."""
    codec, spec = base.stage.codec(), base.stage.spec
    if isinstance(codec, PixelCodec):
        return min(codec.size)
    if "factor" in spec.codec:  # of a size that may have been asked for
        return min(spec.shape[-2:]) * int(spec.codec["factor"])
    return min(picture_shape(base.stage.described)[-2:])


def learn(lesson: Lesson, folder: Path, start: Literal["new", "resume"], watch: Watch) -> Outcome:
    """Runs it in a folder; a killed run goes on to the same bits.  Raises as ``training.run.fit``."""
    return fit(lesson.recipe, folder, lesson.data, start=start, device=lesson.device, watch=watch)


def check_form(model: Base, halves: Tunable, photos: Mapping[Subject, Sequence[Photo]], said: Settings) -> None:
    """Raises UsageError where no file has a form for what would be learnt; better before pictures are made and hours of
    learning than after.

    Of rotations of layers that one of the base's is cut into there is none, for example.   photos: to learn from.
    """
    if said.method.inverts:  # words have one form
        return
    first = {subject: some[:1] for subject, some in photos.items()}
    plan = lesson(model, halves, first, dict.fromkeys(first, ()), (), said)
    net = plan.recipe.build(plan.recipe.net)
    assert isinstance(net, Tuned)
    begun = until(net, {name: p.detach() for name, p in net.named_parameters()}, "")
    assert isinstance(begun, Layers)
    try:
        begun.layout(model)
    except UsageError as error:
        why = str(error).partition(";")[0]
        raise UsageError(f"{why}, nor has any other layout: choose another --method, or other --targets") from error


def moments(lesson: Lesson, folder: Path) -> dict[int, Product]:
    """Step -> what was learnt until then, as its file will have it: of each moment that a run has kept, and of its end,
    which where it ended early its last checkpoint alone has."""
    net, word = lesson.recipe.build(lesson.recipe.net), lesson.recipe.net.word
    assert isinstance(net, Tuned)
    found = {one.step: one.weights for one in load_snapshots(folder / "snapshots")}
    found |= _end(Store(folder / "checkpoints"), found)
    return {step: until(net, found[step], "" if word is None else word.name) for step in sorted(found)}


def _end(kept: Store, found: Mapping[int, Mapping[str, Tensor]]) -> dict[int, Mapping[str, Tensor]]:
    """Step -> the average that is judged, of the last checkpoint, where ``found`` has none of it."""
    if all(int(place.name.removeprefix("step-")) in found for place in kept.all()[-1:]):
        return {}
    last, head = kept.last(), f"{AVERAGE.name}/"
    assert last is not None
    return {last.step: {k.removeprefix(head): w for k, w in last.tensors["ema"].items() if k.startswith(head)}}


def begun_before(lesson: Lesson, folder: Path) -> Mapping[str, Any] | None:
    """The facts of the checkpoint that a run goes on from, None where there is none yet.

    Raises UsageError, InputError for a run of other words or photographs, as ``training.state.check``.
    """
    last = Store(folder / "checkpoints").last(lambda _: None)  # ``fit`` says what is damaged
    if last is None:
        return None
    check(lesson.recipe, last.facts, lesson.data.train.fingerprint)
    return last.facts
