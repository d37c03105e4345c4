"""Receipts: the private record of one picture, with everything that determines it.

``made`` is that, and nothing else; its hash is the asset's id, known before the picture is.  What came out, and when,
is beside it.
The schema is versioned: ``schemas/receipt-2.json``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mezzotint.errors import InputError, StorageError
from mezzotint.files import canonical_json, pretty_json, read_bytes, sha256, write_atomic

SCHEMA = "mezzotint/receipt/2"
MAX_BYTES = 1 << 20
ASSETS = "assets"
"""Where a catalog has its pictures, in a folder for each product."""
RECEIPTS = "receipts"
ASSET_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class StageMade:
    """What determines one stage of a picture.

    model, weights_sha256: which weights, those of its codec's network included where it has one (codec_sha256, else
    "").
    config_sha256: of what ``model.json`` says, less card and defaults.  link: how it was fed.
    solver, grid: {"name", **options}.  levels_sha256: of the grid's numbers, ``levels_hash``.
    scale: guidance, 1 is off.  batch: the shape that the network computed, (rows, *state); other rows do not matter.
    guidance_interval: low < sigma/alpha <= high where guidance was on, no bound above where high is None; None is
    everywhere, and is left out of JSON, so that ids are those of receipts without it.
    guidance: by what it was guided: distilled, with the file's sha256; auto, with the worse model's name and hashes.
    None is the usual way, and is left out likewise.   cache: the threshold of first-block caching, left out likewise.
    candidates: ``of`` how many trajectories this one was chosen, and the ranker's sha256; left out likewise.
    classifier: the scale of its guidance, and the ranker's sha256; left out likewise.
    """

    model: str
    weights_sha256: str
    codec_sha256: str
    config_sha256: str
    link: Mapping[str, Any]
    solver: Mapping[str, Any]
    grid: Mapping[str, Any]
    levels_sha256: str
    steps: int
    scale: float
    batch: tuple[int, ...]
    guidance_interval: tuple[float, float | None] | None = None
    guidance: Mapping[str, Any] | None = None
    cache: float | None = None
    candidates: Mapping[str, Any] | None = None
    classifier: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Made:
    """What determines a picture.

    model: its name.  stages: in the order they ran; main: the number of the one that the words were for.
    task: its name, and what it was given beside words: SHA-256 of pictures and of parts that came from elsewhere than
    the model's own file or folder, numbers, and words that change the picture where they are not as usual.
    adapters: put on the model: name, sha256 and weight each.  embeddings: words that its text encoders were taught:
    name and sha256 each.  attached: controls and pictures in the prompt: kind, name, hashes and weight each.
    tokens: how much of either each text encoder read: encoder, text, used, dropped, lost.
    prompt, negative_prompt: as given.  apart: what single text encoders read in their place, by name.  read: the
    English that the text encoder was given for either, encoder_sha256: its weights; "" for a model without text.
    size: (width, height).  device: its kind.  processor: the instruction set or accelerator that rounds.  threads: of
    the processor.   versions: of mezzotint, torch, numpy.
    files: of a model in diffusers' layout, by part: SHA-256 of its configuration, of a tokenizer's files.
    mark: version and key of the invisible mark that is put in where there is room; None is none.
    Both are left out of JSON where they are None, as in older receipts.
    """

    model: str
    stages: tuple[StageMade, ...]
    main: int
    task: Mapping[str, Any]
    adapters: tuple[Mapping[str, Any], ...]
    embeddings: tuple[Mapping[str, Any], ...]
    attached: tuple[Mapping[str, Any], ...]
    prompt: str
    negative_prompt: str
    apart: Mapping[str, str]
    read: tuple[str, str]
    tokens: tuple[Mapping[str, Any], ...]
    encoder_sha256: str
    seed: int
    size: tuple[int, int]
    dtype: str
    device: str
    processor: str
    threads: int
    versions: Mapping[str, str]
    files: Mapping[str, str] | None = None
    mark: Mapping[str, Any] | None = None

    @property
    def stage(self) -> StageMade:
        """The main one."""
        return self.stages[self.main]

    @property
    def asset_id(self) -> str:
        """The first 32 hexadecimal digits of the SHA-256 of the canonical JSON."""
        return sha256(canonical_json(_plain(self)))[:32]


def _plain(made: Made) -> dict[str, Any]:
    """Its table; what a stage has by default and older receipts have no word for is left out."""
    table = asdict(made)
    for name in ("files", "mark"):
        if table[name] is None:
            del table[name]
    for stage in table["stages"]:
        for name in ("guidance_interval", "guidance", "cache", "candidates", "classifier"):
            if stage[name] is None:
                del stage[name]
    return table


def _stage_of(table: Mapping[str, Any]) -> StageMade:
    """The inverse of it for one stage."""
    interval = table.get("guidance_interval")
    bounds = None if interval is None else (interval[0], interval[1])
    return StageMade(**{**table, "batch": tuple(table["batch"]), "guidance_interval": bounds})


@dataclass(frozen=True)
class Around:
    """What stood around the making and is not part of the asset's id.

    code_sha256: of the package's own source files.  licence: the decision on the declared use: decision, enforced, use,
    inputs_sha256, rules_version; None where no use was declared.  rooms: the hash of each room of the package, by its
    name; None in receipts that were written before there was that word.
    """

    code_sha256: str
    licence: Mapping[str, Any] | None = None
    rooms: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Receipt:
    """One picture's record.  pixels_sha256: of its decoded 8-bit pixels, rows from the top, channels interleaved.

    created: UTC, ISO 8601.  batch_seconds: wall time of the whole batch that the picture was in.
    around: None in receipts that were written before there was that word.  prompt_check: the prompt gate's verdict on
    its texts, with versions and hashes; None where no gate was asked, and left out of JSON, as in older receipts.
    mark: what became of the invisible mark: state embedded | no-room, the name it holds, decibels; left out likewise.
    cost: this picture's share of what was used: network calls, seconds, energy (an estimate), money; left out likewise.
    output_check: the output gate's on its pixels, likewise.   first_step: how far its prompt moved the first step, or
    why nobody can say (``making.first_step``), likewise; None of models that no text is told to.
    """

    made: Made
    pixels_sha256: str
    created: str
    batch_seconds: float
    around: Around | None = None
    prompt_check: Mapping[str, Any] | None = None
    mark: Mapping[str, Any] | None = None
    cost: Mapping[str, Any] | None = None
    output_check: Mapping[str, Any] | None = None
    first_step: Mapping[str, Any] | None = None


def to_dict(receipt: Receipt) -> dict[str, Any]:
    """The JSON value, as the schema has it."""
    made = json.loads(canonical_json(_plain(receipt.made)))
    times = {"created": receipt.created, "batch_seconds": round(receipt.batch_seconds, 4)}
    return {
        "schema": SCHEMA,
        "asset_id": receipt.made.asset_id,
        "made": made,
        "pixels_sha256": receipt.pixels_sha256,
        **({} if receipt.around is None else {"around": _said(receipt.around)}),
        "times": times,
        **({} if receipt.prompt_check is None else {"prompt_check": dict(receipt.prompt_check)}),
        **({} if receipt.mark is None else {"mark": dict(receipt.mark)}),
        **({} if receipt.cost is None else {"cost": dict(receipt.cost)}),
        **({} if receipt.output_check is None else {"output_check": dict(receipt.output_check)}),
        **({} if receipt.first_step is None else {"first_step": dict(receipt.first_step)}),
    }


def _said(around: Around) -> dict[str, Any]:
    licence = {} if around.licence is None else {"licence": dict(around.licence)}
    rooms = {} if around.rooms is None else {"rooms": dict(around.rooms)}
    return {"code_sha256": around.code_sha256, **licence, **rooms}


def from_dict(value: Any, where: str) -> Receipt:
    """The receipt of a JSON value.  Raises InputError: damaged, of another schema, or its id is not its hash."""
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        schema = value.get("schema") if isinstance(value, dict) else None
        raise InputError(f"{where} is not a receipt of schema {SCHEMA!r}, but {schema!r}")
    try:
        made = _made_of(value["made"])
        around = Around(**value["around"]) if "around" in value else None
        names = ("prompt_check", "output_check", "mark", "cost", "first_step")
        times, said = value["times"], {name: value.get(name) for name in names}
        receipt = Receipt(made, value["pixels_sha256"], times["created"], times["batch_seconds"], around, **said)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise InputError(f"{where} is a damaged receipt ({error}); use an intact copy") from error
    if made.asset_id != value.get("asset_id"):
        raise InputError(f"{where} was changed: its asset id is not the hash of its contents; use an intact copy")
    return receipt


def _made_of(value: Any) -> Made:
    """Raises KeyError, TypeError, ValueError."""
    table = dict(value)
    stages = tuple(_stage_of(stage) for stage in table["stages"])
    pairs = {"size": tuple(table["size"]), "read": tuple(table["read"]), "stages": stages}
    pairs |= {"adapters": tuple(table["adapters"]), "tokens": tuple(table["tokens"])}
    pairs |= {name: tuple(table[name]) for name in ("embeddings", "attached")}
    return Made(**{**table, **pairs})


def made_text(made: Made) -> str:
    """What determines a picture as text, for its file."""
    return canonical_json(_plain(made)).decode()


def made_from_text(text: str, asset_id: str, where: str) -> Made:
    """The same back.  Raises InputError: damaged, or it is not what the asset's id is of."""
    try:
        made = _made_of(json.loads(text))
    except (KeyError, IndexError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{where} says in a damaged way how it was made ({error}); use its receipt") from error
    if made.asset_id != asset_id:
        raise InputError(f"{where} was changed: its asset id is not the hash of how it was made; use its receipt")
    return made


def write_receipt(folder: Path, receipt: Receipt) -> Path:
    """Writes ``<asset-id>.json``; one that is there already is left, since it says the same.   Raises StorageError."""
    if folder.is_symlink():
        raise StorageError(f"{folder} is a link, which leads out of the run's folder; remove it, or choose another")
    path = folder / f"{receipt.made.asset_id}.json"
    return path if path.exists() else write_atomic(path, pretty_json(to_dict(receipt)))


def beside(picture: Path, asset_id: str) -> Path | None:
    """A picture's receipt, in ``receipts`` next to it, or next to the ``assets`` that it lies in; None where none is.

    An id comes from a file that anybody may have written: it is a hash or nothing is looked for, and no link is
    followed.
    """
    if not ASSET_ID.fullmatch(asset_id):
        return None
    own, above = picture.parent, picture.absolute().parent.parent
    for folder in (own / RECEIPTS, *([above.parent / RECEIPTS] if above.name == ASSETS else [])):
        path = folder / f"{asset_id}.json"
        if not folder.is_symlink() and not path.is_symlink() and path.is_file():
            return path
    return None


def read_receipt(path: Path) -> Receipt:
    """A receipt, checked.  Raises InputError."""
    try:
        return from_dict(json.loads(read_bytes(path, MAX_BYTES)), str(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON ({error}); expected a receipt") from error
