"""What a model folder says about itself, as frozen values: ``model.json`` <-> ``Spec``.  Nothing in it is run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from mezzotint.conditioning.labels import Labels
from mezzotint.errors import ModelError, unknown

MAX_SIZE = 16_384
MAX_VALUES = 1 << 28
SCHEMA = "mezzotint/model/1"
QUALITIES = ("draft", "standard", "best")

Choice = Mapping[str, Any]
"""A name out of a closed set and its options: ``{"name": "karras", "rho": 7}``."""


@dataclass(frozen=True)
class Card:
    """What a person should know before using a model.

    licence: of the weights, an SPDX identifier.  data: what it was trained on, with licences.
    data_licence: of that data, as whoever trained it declared: an id of ``licence --records``, or ``our own``.
    metrics: name -> value, named for the network that measures.  compute: what training took.
    """

    title: str
    summary: str
    licence: str
    data: str = ""
    data_licence: str = ""
    limits: str = ""
    compute: str = ""
    seed: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Label:
    """One class of a class-conditional model: its name, and other words that people use for it."""

    name: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Text:
    """How a model of text reads its prompt.

    encoder: a text encoder that ships, and the SHA-256 of its weights.  tokens: it was trained with so many.
    words: those of the captions it was trained on, to say which of a prompt it has never seen; () is not known.
    phrases: the name of the table that other languages are read by, or "".
    """

    encoder: str
    sha256: str
    tokens: int
    words: tuple[str, ...] = ()
    phrases: str = ""


@dataclass(frozen=True)
class Sampling:
    """How a model is sampled unless told otherwise.

    solver: a name of the alias table.  grid: a Choice, or {} for the solver's own.  scale: guidance, 1 is off.
    scheduler: a ``scheduler_config.json`` of diffusers that solver and grid are read from, where it is not empty.
    candidates: how many drafts of a picture are drawn, of which the best is made, where something can choose.
    classifier_scale: how far what can choose moves every estimate to what is named; 0 is off.
    """

    solver: str
    grid: Choice
    steps: int
    scale: float = 1.0
    scheduler: Mapping[str, Any] = field(default_factory=dict)
    candidates: int = 1
    classifier_scale: float = 0.0


METHODS = ("consistency", "trajectory")
"""By what a model is distilled to few calls."""


@dataclass(frozen=True)
class Distilled:
    """What a model was distilled of, and for which calls.

    by: one of ``METHODS``.  base, base_sha256: its name and its weights' hash.  calls: of the denoiser, at the levels
    sigma/(alpha+sigma) of ``u``.  scale: guidance that is in the weights, 1 is none.
    """

    by: str
    base: str
    base_sha256: str
    calls: int
    scale: float
    u: tuple[float, ...]


@dataclass(frozen=True)
class Spec:
    """A model folder's ``model.json``.

    net: a network's configuration as ``nets.build.config_to_dict`` spells it.
    shape: of one sample's state, (C, H, W).  sampling: quality -> Sampling; ``standard`` must be there.
    labels, text: what a prompt may be: classes, or text, or, for an unconditional model, neither.
    distilled: of a model that was distilled to few calls, else None.
    """

    net: Mapping[str, Any]
    parametrisation: Choice
    schedule: Choice
    codec: Choice
    shape: tuple[int, ...]
    sampling: Mapping[str, Sampling]
    card: Card
    labels: tuple[Label, ...] = ()
    text: Text | None = None
    distilled: Distilled | None = None


def labels_of(labels: tuple[Label, ...]) -> Labels | None:
    """The prompts of a model of these classes, None for one of no classes.  Raises ModelError where they clash."""
    names = tuple(label.name for label in labels)
    return Labels(names, {label.name: label.synonyms for label in labels}) if names else None


def to_dict(spec: Spec) -> dict[str, Any]:
    """The JSON value of a Spec, less schema and weights; a model that is not distilled says nothing of it."""
    table = asdict(spec)
    if spec.distilled is None:
        del table["distilled"]
    return table


def _take(cls: type, value: Any, where: str) -> dict[str, Any]:
    """A JSON table whose keys are those of a dataclass.  Raises ModelError naming what is missing or unknown."""
    if not isinstance(value, dict):
        raise ModelError(f"{where}: expected a table, got {type(value).__name__}; the file is damaged")
    names = [f.name for f in fields(cls)]
    extra = sorted(set(value) - set(names))
    if extra:
        raise ModelError(f"{where}: unknown key {extra[0]!r}; expected {', '.join(names)}")
    return value


def made_of(cls: type, value: Any, where: str) -> Any:
    """A dataclass of a JSON table of its fields, unchecked within.  Raises ModelError naming what is missing or
    unknown.
    """
    try:
        return cls(**_take(cls, value, where))
    except TypeError as error:
        raise ModelError(
            f"{where}: {str(error).partition(') ')[2] or error}; the file is damaged or too old"
        ) from error


def _choice(value: Any, where: str) -> Choice:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise ModelError(f"{where}: expected a table with a name, got {value!r}")
    return value


def _sampling(table: Any) -> dict[str, Sampling]:
    if not isinstance(table, dict) or "standard" not in table:
        raise ModelError("sampling: expected a table of qualities with 'standard' among them")
    for quality in table:
        if quality not in QUALITIES:
            raise ModelError(f"sampling: {unknown('quality', quality, QUALITIES)}")
    return {quality: sampling_of(value, f"sampling.{quality}") for quality, value in table.items()}


def sampling_of(value: Any, where: str) -> Sampling:
    """The Sampling of a JSON value.  Raises ModelError."""
    sampling: Sampling = made_of(Sampling, value, where)
    _choice(sampling.grid, f"{where}.grid")
    if (
        not isinstance(sampling.solver, str)
        or not _is_size(sampling.steps)
        or not _is_size(sampling.candidates)
        or not isinstance(sampling.scale, int | float)
        or not _is_scale(sampling.classifier_scale)
        or sampling.scheduler
    ):
        raise ModelError(
            f"{where}: expected a solver's name, steps and candidates from 1 to {MAX_SIZE}, a number as scale, one from"
            " 0 as classifier_scale, no scheduler"
        )
    return sampling


def _is_scale(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < math.inf


def _is_size(value: Any) -> bool:
    return type(value) is int and 1 <= value <= MAX_SIZE


def _shape(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= 5 or not all(map(_is_size, value)):
        raise ModelError(f"shape: expected 1 to 5 sizes from 1 to {MAX_SIZE}, got {value!r}")
    if math.prod(value) > MAX_VALUES:
        raise ModelError(f"shape: {value!r} has more than {MAX_VALUES} values")
    return tuple(value)


def _net(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ModelError("net: expected a table")
    for name, size in value.items():
        if isinstance(size, int) and abs(size) > MAX_SIZE:
            raise ModelError(f"net: {name} is {size}; at most {MAX_SIZE} is taken")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise ModelError(f"{where}: expected a list, got {type(value).__name__}; the file is damaged")
    return list(value)


def card_of(value: Any) -> Card:
    """The Card of a JSON value.  Raises ModelError."""
    card: Card = made_of(Card, value, "card")
    texts = (card.title, card.summary, card.licence, card.data, card.data_licence, card.limits, card.compute)
    if not all(isinstance(text, str) for text in texts) or not isinstance(card.metrics, dict):
        raise ModelError("card: expected texts, and metrics as a table")
    return card


def _label(value: Any) -> Label:
    label = made_of(Label, value, "labels")
    if not all(isinstance(word, str) for word in (label.name, *_list(label.synonyms, "labels.synonyms"))):
        raise ModelError("labels: names and synonyms must be texts")
    return Label(label.name, tuple(label.synonyms))


def from_dict(value: Any) -> Spec:
    """The Spec of a JSON value.  Raises ModelError that names what is wrong."""
    spec: Spec = made_of(Spec, value, "model.json")
    return Spec(
        net=_net(spec.net),
        parametrisation=_choice(spec.parametrisation, "parametrisation"),
        schedule=_choice(spec.schedule, "schedule"),
        codec=_choice(spec.codec, "codec"),
        shape=_shape(spec.shape),
        sampling=_sampling(spec.sampling),
        card=card_of(spec.card),
        labels=tuple(map(_label, _list(spec.labels, "labels"))),
        text=text_of(spec.text),
        distilled=distilled_of(spec.distilled),
    )


def distilled_of(value: Any) -> Distilled | None:
    """The Distilled of a JSON value, None of null.  Raises ModelError."""
    if value is None:
        return None
    said: Distilled = made_of(Distilled, value, "distilled")
    u = _list(said.u, "distilled.u")
    if not all(isinstance(text, str) for text in (said.by, said.base, said.base_sha256)) or said.by not in METHODS:
        raise ModelError(f"distilled: expected by, one of {', '.join(METHODS)}, and texts for base and base_sha256")
    if not _is_size(said.calls) or not all(type(x) in (int, float) and 0 < x <= 1 for x in u) or len(u) != said.calls:
        raise ModelError("distilled: expected calls, and as many levels u above 0 and at most 1")
    if type(said.scale) not in (int, float) or not math.isfinite(said.scale):
        raise ModelError(f"distilled: scale is {said.scale!r}; expected a finite number")
    return Distilled(said.by, said.base, said.base_sha256, said.calls, float(said.scale), tuple(map(float, u)))


def text_of(value: Any) -> Text | None:
    """The Text of a JSON value, None of null.  Raises ModelError."""
    if value is None:
        return None
    said: Text = made_of(Text, value, "text")
    words = _list(said.words, "text.words")
    if not all(isinstance(t, str) for t in (said.encoder, said.sha256, said.phrases, *words)):
        raise ModelError("text: encoder, sha256, phrases and words must be texts")
    if type(said.tokens) is not int or not 2 <= said.tokens <= 512:
        raise ModelError(f"text: tokens is {said.tokens!r}; expected 2 to 512")
    return Text(said.encoder, said.sha256, said.tokens, tuple(words), said.phrases)
