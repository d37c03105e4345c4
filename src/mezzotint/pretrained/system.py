"""A system: models that run one after the other as one, told what a text says.  A model alone is a system of one.

A system folder holds ``system.json``, ``CARD.md`` and a model folder for each stage; what they share (an autoencoder,
an embedding) lies beside them as a network folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.errors import InputError, ModelError, UsageError, unknown
from mezzotint.files import pretty_json, sha256, write_atomic
from mezzotint.pictures.factor import factor
from mezzotint.pretrained.components import Components, components, is_diffusers, refuse_parts
from mezzotint.pretrained.families.known import family_of
from mezzotint.pretrained.folder import CARD_NAME, Described, card_page, describe, table, verify
from mezzotint.pretrained.network import Part, describe_network, verify_network
from mezzotint.pretrained.original import original
from mezzotint.pretrained.spec import Card, Choice, Label, Text, card_of, made_of, text_of

if TYPE_CHECKING:
    from mezzotint.conditioning.text import TextEncoder
    from mezzotint.pretrained.adapters import Weighed
    from mezzotint.pretrained.attached import Attached
    from mezzotint.pretrained.embeddings import Learned

SYSTEM_JSON, SCHEMA = "system.json", "mezzotint/system/1"
LINKS = ("keep", "lowres", "vector")
MAX_STAGES = 8
SCALED = ("kl", "movq")
"""Codecs of latents that are ``factor`` times smaller than a picture of any size."""


@dataclass(frozen=True)
class StageSpec:
    """One stage as ``system.json`` has it.

    model: its folder's name.  link: how it is fed: ``{"name": "keep"}``, ``{"name": "lowres", "logsnr": 4.0}`` (the
    picture before, enlarged and noised), ``{"name": "vector"}`` (the embedding before).
    """

    model: str
    link: Choice


@dataclass(frozen=True)
class Member:
    """A stage: its model, and how it is fed.

    nets, codec: the names of the parts of a folder in diffusers' layout that are its denoiser and its codec, "" where
    that needs none.
    """

    described: Described
    link: Choice
    nets: tuple[str, ...] = ()
    codec: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of its networks."""
        return (*self.nets, self.codec) if self.codec else self.nets


@dataclass(frozen=True)
class System:
    """What runs under one name.

    main: the number of the stage that ``--steps`` and the like are for.  card: of the whole.
    components: of a folder in diffusers' layout, else None.   eye: the name of the part that reads pictures, or "".
    adapters: put on its networks.   embeddings: words that its text encoders were taught.   attached: beside its
    denoiser.   refiner: the system that takes over in the last stage (``pretrained.refined``).
    text_folder: where its text encoder lies, None for one of those that ship.
    ranker: what chooses among candidates (``nets.ranker``), None where there is none.
    """

    name: str
    folder: Path
    members: tuple[Member, ...]
    card: Card
    main: int = 0
    text: Text | None = None
    components: Components | None = None
    eye: str = ""
    adapters: tuple[Weighed, ...] = ()
    embeddings: tuple[Learned, ...] = ()
    attached: tuple[Attached, ...] = ()
    refiner: System | None = None
    text_folder: Path | None = None
    ranker: Part | None = None

    @property
    def labels(self) -> tuple[Label, ...]:
        """The classes that a prompt may name, of a class-conditional model."""
        return self.members[0].described.spec.labels

    @property
    def taught(self) -> tuple[str, ...]:
        """Names of what it was taught beside its own training: learned words, and what calls its adapters."""
        words = (word for one in self.embeddings for word in one.words)
        return (*words, *(name for one in self.adapters for name in one.adapter.triggers))

    @property
    def any_size(self) -> bool:
        """Whether its pictures may have other sizes than its own."""
        last = self.members[-1]
        free = self.components is not None and last.described.spec.codec["name"] in SCALED
        return free and last.link["name"] != "beside"

    @property
    def own(self) -> tuple[Member, ...]:
        """The stages of its own folder."""
        return self.members if self.refiner is None else self.members[: -len(self.refiner.members)]

    @property
    def readers(self) -> tuple[str, ...]:
        """Names of the parts that read text and pictures, of a folder in diffusers' layout."""
        if self.components is None:
            return ()
        return (*family_of(self.components).text_parts(self.components), *([self.eye] if self.eye else []))

    @property
    def weights_bytes(self) -> int:
        """Of all networks that a run needs; a text encoder that ships is left out."""
        if self.components is not None:
            needed = {*self.readers, *(name for m in self.own for name in m.parts)}
            more = 0 if self.refiner is None else self.refiner.weights_bytes
            return more + sum(self.components[name].bytes for name in needed)
        shared = {p.folder: p.weights_bytes for m in self.members if (p := codec_part(m.described)) is not None}
        ranker = 0 if self.ranker is None else self.ranker.weights_bytes
        return sum(m.described.weights_bytes for m in self.members) + sum(shared.values()) + ranker

    @property
    def weights_sha256(self) -> str:
        """Of the weights; of several files the hash of their hashes, in the order they run."""
        found = [m.described.weights_sha256 for m in self.members]
        parts = [p.weights_sha256 for m in self.members if (p := codec_part(m.described)) is not None]
        parts += [m.described.codec_sha256 for m in self.members if m.described.codec_sha256]
        return found[0] if len(found) == 1 and not parts else sha256("".join(found + parts).encode())

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of its pictures."""
        height, width = picture_shape(self.members[-1].described)[-2:]
        return width, height

    @cached_property
    def elsewhere(self) -> Mapping[str, Sequence[Mapping[str, str]]]:
        """Its parts that lie elsewhere than its folder or file, by the word that gives them; for receipts."""
        from mezzotint.pretrained.elsewhere import elsewhere

        found = self.components
        return {} if found is None else elsewhere(found, *self._needed(found))

    @cached_property
    def files(self) -> Mapping[str, str] | None:
        """Of a model in diffusers' layout, the hashes of its configurations and tokenizers by part; for receipts."""
        from mezzotint.pretrained.elsewhere import files_of

        found = self.components
        return None if found is None else files_of(found, *self._needed(found))

    def _needed(self, found: Components) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(networks, tokenizers) that a run needs."""
        networks = dict.fromkeys((*self.readers, *(name for member in self.own for name in member.parts)))
        return tuple(networks), tuple(family_of(found).text_parts(found).values())

    @cached_property
    def encoder(self) -> TextEncoder | None:
        """The text encoder, checked to be the one it was trained with.  Raises ModelError."""
        if self.text is None:
            return None
        from mezzotint.conditioning.text import TextEncoder, encoder

        found = encoder(self.text.encoder) if self.text_folder is None else TextEncoder(self.text_folder)
        found = replace(found, learned=self.embeddings)
        if found.sha256 != self.text.sha256:
            raise ModelError(
                f"{self.name} was trained with another {self.text.encoder} (sha256 {self.text.sha256[:12]}…), the one"
                f" installed is {found.sha256[:12]}…; install the mezzotint-models it came with"
            )
        return found


def codec_part(described: Described) -> Part | None:
    """The network of a model's codec, beside its own folder: the autoencoder of a latent, the embedder of a vector;
    None where it has none."""
    codec = described.spec.codec
    if codec.get("name") != "latent" and "folder" not in codec:
        return None
    name = codec.get("folder")
    if not isinstance(name, str) or not _is_name(name):
        raise ModelError(f"{described.folder}: codec {codec.get('name')} needs the folder of its network, got {name!r}")
    return describe_network(described.folder.resolve().parent / name)


def picture_shape(described: Described) -> tuple[int, ...]:
    """(C, H, W) of what a model's state decodes to."""
    part = codec_part(described)
    if described.spec.codec.get("name") in SCALED:
        return (3, *(n * int(described.spec.codec["factor"]) for n in described.spec.shape[1:]))
    if part is None or described.spec.codec.get("name") != "latent":
        return described.spec.shape
    if part.net.get("kind") != "autoencoder":
        raise ModelError(f"{part.folder} holds no autoencoder; fetch the model again")
    try:
        channels, larger = int(part.net["channels"]), factor(int(part.net["fold"]), part.net["widths"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{part.folder}: its network cannot be built ({error}); fetch it again") from error
    return (channels, *(n * larger for n in described.spec.shape[1:]))


def _is_name(text: str) -> bool:
    return bool(text) and text not in (".", "..") and not set(text) & set("/\\\0")


def describe_system(folder: Path, parts: Sequence[Path] = ()) -> System:
    """A system folder, or a model folder or a single checkpoint file as a system of one.

    parts: where the parts come from that a checkpoint file lacks.
    Raises InputError, ModelError naming what is wrong.
    """
    path = folder / SYSTEM_JSON
    if parts and not folder.is_file():
        raise UsageError(f"--parts is for a checkpoint in one file; {folder} is a folder, leave it out")
    if is_diffusers(folder) or folder.is_file():
        found_parts = components(folder) if folder.is_dir() else original(folder, parts)
        return family_of(found_parts).described(found_parts)
    if not path.is_file():
        refuse_parts(folder)
        described = describe(folder)
        alone = (Member(described, {"name": "keep"}),)
        return System(described.name, folder, alone, described.spec.card, text=described.spec.text)
    found = table(path)
    if found.get("schema") != SCHEMA:
        raise ModelError(f"{path} has schema {found.get('schema')!r}; this version reads {SCHEMA!r}")
    members = tuple(_member(folder, value, i) for i, value in enumerate(_stages(found.get("stages"), path)))
    main, text = found.get("main", 0), found.get("text")
    if type(main) is not int or not 0 <= main < len(members):
        raise ModelError(f"{path}: main is {main!r}; expected the number of a stage, 0 to {len(members) - 1}")
    card, ranker = card_of(found.get("card")), _ranker(folder, found.get("ranker"))
    return System(folder.resolve().name, folder, members, card, main, text_of(text), ranker=ranker)


def _ranker(folder: Path, name: Any) -> Part | None:
    if name is None:
        return None
    if not isinstance(name, str) or not _is_name(name):
        raise ModelError(f"{folder / SYSTEM_JSON}: ranker must be the name of a folder beside it, got {name!r}")
    part = describe_network(folder / name)
    if part.net.get("kind") != "ranker":
        raise ModelError(f"{part.folder} holds no ranker; fetch the model again")
    return part


def _stages(value: Any, path: Path) -> list[Any]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_STAGES:
        raise ModelError(f"{path}: stages must be a list of 1 to {MAX_STAGES}")
    return value


def _member(folder: Path, value: Any, i: int) -> Member:
    said: StageSpec = made_of(StageSpec, value, f"stages[{i}]")
    if not isinstance(said.model, str) or not _is_name(said.model):
        raise ModelError(f"stages[{i}]: model must be the name of a folder beside {SYSTEM_JSON}, got {said.model!r}")
    if not isinstance(said.link, dict) or said.link.get("name") not in LINKS:
        raise ModelError(f"stages[{i}]: {unknown('link', str(said.link), LINKS)}")
    if (i == 0) != (said.link["name"] == "keep"):
        raise ModelError(f"stages[{i}]: the first stage's link is keep, a later one's {' or '.join(LINKS[1:])}")
    try:
        return Member(describe(folder / said.model), said.link)
    except InputError as error:
        raise ModelError(f"{folder / SYSTEM_JSON}: stage {said.model}: {error}") from error


def verify_system(system: System) -> System:
    """The same, every weights file checked against its hash; of a diffusers folder, which records none, with the hashes
    of its files.  Raises InputError, ModelError."""
    if system.components is not None:
        return _hashed(system, system.components)
    for member in system.members:
        verify(member.described)
    for part in (*(codec_part(member.described) for member in system.members), system.ranker):
        if part is not None:
            verify_network(part)
    return system


def _hashed(system: System, found: Components) -> System:
    encoders = [found[name].sha256 for name in system.readers]
    text = None if system.text is None else replace(system.text, sha256=sha256("".join(encoders).encode()))
    return replace(system, members=tuple(_member_hashed(m, found) for m in system.members), text=text)


def _member_hashed(member: Member, found: Components) -> Member:
    """Of several networks the hash of their hashes."""
    nets = [found[name].sha256 for name in member.nets]
    weights = nets[0] if len(nets) == 1 else sha256("".join(nets).encode())
    codec = found[member.codec].sha256 if member.codec else ""
    return replace(member, described=replace(member.described, weights_sha256=weights, codec_sha256=codec))


def save_system(
    folder: Path, stages: tuple[StageSpec, ...], card: Card, main: int, text: Text | None, ranker: str = ""
) -> System:
    """Writes ``system.json`` and the card over model folders that are there.  Raises StorageError, ModelError.

    ranker: the name of its folder, "" is none.
    """
    document: Mapping[str, Any] = {
        "schema": SCHEMA,
        "stages": [asdict(stage) for stage in stages],
        "main": main,
        "text": None if text is None else asdict(text),
        "card": asdict(card),
        **({"ranker": ranker} if ranker else {}),
    }
    write_atomic(folder / CARD_NAME, card_page(folder.name, card, ()))
    write_atomic(folder / SYSTEM_JSON, pretty_json(document))
    return describe_system(folder)
