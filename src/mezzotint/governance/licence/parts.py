"""The components of a system and of what is put on it, each with its licence as far as that is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mezzotint.errors import MezzotintError
from mezzotint.files import sha256_file
from mezzotint.governance.licence.components import Component
from mezzotint.governance.licence.evidence import Evidence, beside, weighed, within
from mezzotint.governance.licence.library import Library
from mezzotint.governance.licence.model_record import Known
from mezzotint.pretrained.adapter_files import adapter_paths
from mezzotint.pretrained.components import Component as Part
from mezzotint.pretrained.folder import JSON_NAME, describe
from mezzotint.pretrained.network import NETWORK_JSON, describe_network
from mezzotint.pretrained.passport import Passport, passport_in
from mezzotint.pretrained.spec import Card
from mezzotint.pretrained.system import System, codec_part
from mezzotint.pretrained.weights_file import header_of

LICENCE_KEYS = ("modelspec.license", "license", "licence")
"""Where the header of a weights file may name one."""

UNSAID = Card("", "", "")
"""Of weights that have no card."""

OWN = ("own", "our own", "ours", "my own", "mine")
"""What whoever tuned an adapter says of photographs of their own."""


@dataclass(frozen=True)
class Shelf:
    """What is on record.   hashed: whether files in other layouts are hashed, as there may be records of them."""

    library: Library
    known: Known
    hashed: bool = False


def components_of(system: System, shelf: Shelf, role: str = "denoiser") -> tuple[Component, ...]:
    """Of a model of ours, or of a folder or file in another layout.   role: of its denoiser.   Raises InputError."""
    own = _foreign(system, shelf, role) if system.components is not None else _ours(system, shelf, role)
    refiner = () if system.refiner is None else components_of(system.refiner, shelf, "refiner")
    return tuple(dict.fromkeys((*own, *_unnamed(system), *refiner)))


def _unnamed(system: System) -> Iterator[Component]:
    """Adapters that a loaded system wears already: where they came from is not known here."""
    yield from (Component("adapter", one.adapter.name, sha256=one.adapter.sha256) for one in system.adapters)


def _ours(system: System, shelf: Shelf, role: str) -> Iterator[Component]:
    for member in system.members:
        own, part = member.described, codec_part(member.described)
        card = replace(own.spec.card, licence=system.card.licence)
        yield from _known(own.weights_sha256, role, own.name, card, shelf)
        if part is not None:
            card = replace(part.card, licence=system.card.licence)
            yield from _known(part.weights_sha256, "autoencoder", part.folder.name, card, shelf)
    if system.ranker is not None:
        card = replace(system.ranker.card, licence=system.card.licence)
        yield from _known(system.ranker.weights_sha256, "ranker", system.ranker.folder.name, card, shelf)
    if system.text is not None:
        yield from _known(system.text.sha256, "text_encoder", system.text.encoder, UNSAID, shelf)


def _known(digest: str, role: str, name: str, card: Card, shelf: Shelf) -> tuple[Component, ...]:
    """What is on record of weights; else what their card claims, of them and of the data they were learnt from."""
    found = shelf.known.get(digest)
    if found:
        return found
    said = card.data_licence
    data = learnt_from(said, f"data of {name}", shelf.library) if said else ()
    return (_made(role, name, weighed((), [card.licence], shelf.library), digest), *data)


def _made(role: str, name: str, evidence: Evidence, digest: str = "") -> Component:
    return Component(role, name, evidence.licences, evidence.kind, digest, evidence.tags)


def role_of(name: str, otherwise: str = "denoiser") -> str:
    """Of a part in diffusers' layout, by its name."""
    for word, role in (("text_encoder", "text_encoder"), ("image_encoder", "image_encoder"), ("movq", "autoencoder")):
        if word in name:
            return role
    if "vae" in name:
        return "autoencoder"
    starts = (("prior_", "prior"), ("then_", "upscaler"), ("last_", "upscaler"))
    return next((role for start, role in starts if name.startswith(start)), otherwise)


def _foreign(system: System, shelf: Shelf, role: str) -> Iterator[Component]:
    found = system.components
    assert found is not None
    needed = dict.fromkeys((*system.readers, *(name for member in system.own for name in member.parts)))
    for name in needed:
        part = found[name]
        digest = part.sha256 if shelf.hashed else ""
        evidence = _of_part(part, found.folder, shelf.library)
        yield from shelf.known.get(digest) or (_made(role_of(name, role), name, evidence, digest),)


def _of_part(part: Part, whole: Path, library: Library) -> Evidence:
    """By what is beside it and around it: up to the whole's folder where it lies inside, else one folder up."""
    inside = part.folder == whole or whole in part.folder.parents
    if part.folder.is_file() and not (inside and whole.is_dir()):
        return _of_file(part.folder, library)
    return within(whole if inside else part.folder.parent, part.folder, library)


def _of_file(path: Path, library: Library) -> Evidence:
    """Of one file: what its header claims.  A file that is no weights file claims nothing."""
    try:
        metadata = header_of(path).metadata
    except MezzotintError:
        return Evidence((), "none")
    return weighed((), [metadata[key] for key in LICENCE_KEYS if key in metadata], library)


def worn(role: str, path: Path, shelf: Shelf) -> tuple[Component, ...]:
    """What is put on a model: the file or folder of an adapter, a word, a control, an encoder.  Raises InputError,
    ModelError."""
    if role == "adapter":
        return _adapter(path, shelf)
    if path.is_dir():
        return (_made(role, path.name, beside(path, shelf.library)),)
    digest = sha256_file(path)
    return shelf.known.get(digest) or (_made(role, path.name, _of_file(path, shelf.library), digest),)


def _adapter(path: Path, shelf: Shelf) -> tuple[Component, ...]:
    file = next(iter(adapter_paths(path)), path)
    digest = sha256_file(file)
    if digest in shelf.known:
        return shelf.known[digest]
    metadata = header_of(file).metadata
    passport = passport_in(metadata, str(file))
    if passport is not None:
        return _tuned(path.name, digest, passport, shelf.library)
    evidence = beside(path, shelf.library) if path.is_dir() else _of_file(path, shelf.library)
    return (_made("adapter", path.name, evidence, digest),)


def _tuned(name: str, digest: str, passport: Passport, library: Library) -> tuple[Component, ...]:
    """An adapter that ``tune`` made: its own licence, and that of the photographs."""
    own = Component("adapter", name, evidence="own", sha256=digest)
    if passport.licence.strip():
        own = _made("adapter", name, declared(passport.licence, library), digest)
    return (own, *learnt_from(passport.photos.licence, f"photographs of {passport.title}", library))


def learnt_from(said: str, name: str, library: Library) -> tuple[Component, ...]:
    """What something was learnt from: nothing more where it is one's own, else by the licence declared."""
    if said.strip().casefold() in OWN:
        return ()
    return (_made("training_data", name, declared(said, library)),)


def declared(said: str, library: Library) -> Evidence:
    """Of a licence that is declared in words: sure where that is the very id of a record."""
    tag = said.strip()
    if not tag:
        return Evidence((), "none")
    found = library.get(tag)
    return Evidence((tag,), "declared", (tag,)) if found else weighed((), [tag], library)


def weights_in(path: Path, shelf: Shelf, role: str = "denoiser") -> tuple[Component, ...]:
    """Of the weights of one model or network folder of ours; of any other file or folder by what lies beside it.

    Raises InputError, ModelError.
    """
    if (path / JSON_NAME).is_file():
        said = describe(path)
        return _known(said.weights_sha256, role, path.name, said.spec.card, shelf)
    if (path / NETWORK_JSON).is_file():
        part = describe_network(path)
        return _known(part.weights_sha256, role, path.name, part.card, shelf)
    return worn(role, path, shelf)


def weights_of(sha256: str, name: str, shelf: Shelf) -> tuple[Component, ...]:
    """Of weights of which no more than the hash is known."""
    return _known(sha256, "denoiser", name, UNSAID, shelf)


def measured(folder: Path, shelf: Shelf) -> tuple[Component, ...]:
    """The components of a folder of weights that is no model of its own: an encoder, a measuring network."""
    files: Sequence[Path] = sorted(folder.glob("*.safetensors"))
    return tuple(part for file in files for part in _known(sha256_file(file), "measure", folder.name, UNSAID, shelf))
