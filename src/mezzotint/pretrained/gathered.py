"""Parts of a checkpoint that its file lacks: where they may come from, and which one fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mezzotint.errors import InputError, MezzotintError, ModelError, UsageError
from mezzotint.pretrained.components import Component, components, is_diffusers
from mezzotint.pretrained.folder import table
from mezzotint.pretrained.search import comfy_root, model_path, tokenizer_places, weights_in
from mezzotint.pretrained.single import Single, single

TOKENIZER_FILES = ("tokenizer.json", "spiece.model")
T5_TOKENIZERS = ("T5Tokenizer", "T5TokenizerFast")
PARTS_FOLDERS = ("text_encoders", "clip", "vae")


@dataclass(frozen=True)
class Wanted:
    """A part that a family needs.

    name: its own.  what: for people.  prefixes: under which it lies in a whole checkpoint.  marker: a tensor of
    its.  made: (file, prefix) -> the part.  fits: whether a part is the one.  other: the same in another layout.
    """

    name: str
    what: str
    prefixes: tuple[str, ...]
    marker: str
    made: Callable[[Single, str], Component]
    fits: Callable[[Component], bool]
    other: Wanted | None = None

    def or_else(self, marker: str, made: Callable[[Single, str], Component]) -> Wanted:
        """The same, also where it has another layout."""
        return replace(self, other=replace(self, marker=marker, made=made))

    def inside(self, file: Single, *, bare: bool = True) -> Component | None:
        """The part of a file, None where it has none that fits.  bare: whether the file may be that part alone."""
        for prefix in (*self.prefixes, *([""] if bare else [])):
            if prefix + self.marker in file.shapes:
                part = self.made(file, prefix)
                return part if self.fits(part) else None
        return None if self.other is None else self.other.inside(file, bare=bare)


Offer = Single | Component
"""What a source has: a weights file, or a part of a folder in diffusers' layout."""


def gathered(file: Single, wanted: Sequence[Wanted], given: Sequence[Path]) -> dict[str, Component]:
    """Every part that is wanted: of the file itself, else of what is given, else of what is around it.

    Raises: ModelError naming the parts that are nowhere and how to give them; UsageError where several fit.
    """
    found: dict[str, Component] = {}
    missing: list[Wanted] = []
    for one in wanted:
        part = one.inside(file, bare=False) or _around(file, one, given)
        if part is None:
            missing.append(one)
        else:
            found[one.name] = part
    if missing:
        lacks = ", ".join(f"no {one.what}" for one in missing)
        raise ModelError(
            f"{file.path} holds {lacks}; give them with --parts: a folder in diffusers' layout, a file, or ComfyUI's"
            " folder of models"
        )
    return found


def _around(file: Single, wanted: Wanted, given: Sequence[Path]) -> Component | None:
    for place in given:
        if part := _one(wanted, _offers(place), place):
            return part
    for place in _places(file.path):
        if part := _one(wanted, _near(place), place):
            return part
    return None


def given_part(wanted: Wanted, given: Sequence[Path]) -> Component | None:
    """A part that may be left out, of what is given alone."""
    return next((part for place in given if (part := _one(wanted, _offers(place), place))), None)


def _places(path: Path) -> Iterator[Path]:
    """Folders around a file where its other parts may lie."""
    root = comfy_root(path)
    yield from (*([root] if root else []), path.parent, *model_path())


def _one(wanted: Wanted, offers: Iterator[Offer], place: Path) -> Component | None:
    """The one part among offers that fits.  Raises UsageError where there are several."""
    found: list[Component] = []
    for offer in offers:
        part = wanted.inside(offer) if isinstance(offer, Single) else offer
        if part is not None and wanted.fits(part):
            found.append(replace(part, name=wanted.name))
    if len(found) > 1:
        names = ", ".join(sorted(str(part.folder) for part in found))
        raise UsageError(f"{place} has several that could be the {wanted.what}: {names}; give one with --parts FILE")
    return found[0] if found else None


def _offers(place: Path) -> Iterator[Offer]:
    """Of something that was given.  Raises InputError, ModelError."""
    if place.is_file():
        yield single(place)
    elif is_diffusers(place):
        yield from components(place).parts.values()
    elif (place / "config.json").is_file():
        yield _alone(place)
    elif place.is_dir():
        yield from _near(place)
    else:
        raise InputError(f"no file or folder {place}; expected parts of a model")


def _alone(folder: Path) -> Component:
    """A folder that holds one part."""
    config = table(folder / "config.json")
    named, classes = config.get("_class_name"), config.get("architectures")
    if isinstance(named, str):
        return Component(folder.name, "diffusers", named, folder)
    if isinstance(classes, list) and classes and isinstance(classes[0], str):
        return Component(folder.name, "transformers", classes[0], folder)
    raise ModelError(f"{folder / 'config.json'} names no class; expected a part in diffusers' layout")


def _near(place: Path) -> Iterator[Offer]:
    """Files that are one part alone: in a folder, and where ComfyUI keeps them.  What cannot be read is passed over."""
    for folder in (place, *(place / name for name in PARTS_FOLDERS)):
        for path in weights_in(folder):
            try:
                file = single(path)
            except MezzotintError:
                continue
            if not file.has("model.diffusion_model."):
                yield file


def t5_tokenizer(name: str, file: Single, given: Sequence[Path]) -> Component:
    """A T5 tokenizer, which no weights file holds and which is the same for all: the first there is.

    Raises ModelError saying what to give.
    """
    for place in (*given, *_places(file.path), *tokenizer_places()):
        if part := _tokenizer_in(place):
            return replace(part, name=name)
    raise ModelError(
        f"{file.path} needs T5's tokenizer, which no weights file holds; give a folder that has it (tokenizer.json or"
        " spiece.model, such as tokenizer_2 of FLUX.1 in diffusers' layout) with --parts"
    )


def _tokenizer_in(place: Path) -> Component | None:
    if not place.is_dir():
        return None
    if is_diffusers(place):
        parts = components(place).parts.values()
        return next((p for p in parts if p.class_name in T5_TOKENIZERS and _has_files(p.folder)), None)
    beside = place.parent / "comfy/text_encoders/t5_tokenizer"
    folders = (place, *(place / name for name in ("t5_tokenizer", "text_encoders/t5_tokenizer")), beside)
    found = next((folder for folder in folders if _has_files(folder) and _is_t5(folder)), None)
    return None if found is None else Component("tokenizer", "transformers", T5_TOKENIZERS[1], found)


def _has_files(folder: Path) -> bool:
    return any((folder / name).is_file() for name in TOKENIZER_FILES)


def _is_t5(folder: Path) -> bool:
    if not (folder / "tokenizer_config.json").is_file():
        return (folder / "spiece.model").is_file()
    return table(folder / "tokenizer_config.json").get("tokenizer_class") in T5_TOKENIZERS
