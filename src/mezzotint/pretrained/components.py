"""A diffusers folder on disk: its index and its components, their configurations and weights files.

Nothing here imports torch, and nothing in a folder is run.  Layout: https://huggingface.co/docs/diffusers
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.config import home
from mezzotint.errors import InputError, ModelError, StorageError
from mezzotint.files import canonical_json, pretty_json, sha256, sha256_file, write_atomic
from mezzotint.pretrained.folder import JSON_NAME, table
from mezzotint.pretrained.weights_file import header_of, tensors_in
from mezzotint.tensorfile import Entry, refuse_pickle

if TYPE_CHECKING:
    from torch import Tensor

INDEX, MODULAR = "model_index.json", "modular_model_index.json"
STEMS = ("diffusion_pytorch_model", "model")
USUAL = ("unet", "transformer", "prior", "decoder", "text_encoder", "vae", "movq")
"""Parts of which every model in diffusers' layout has some."""

PICKLES = (".bin", ".ckpt", ".pt", ".pth")


@dataclass(frozen=True)
class Inside:
    """Where a part lies that shares one file with others.

    kind: whose names its tensors have (``keymaps.tensors``).  prefix: before those names.  config: as JSON.
    """

    kind: str
    prefix: str
    config: str


@dataclass(frozen=True)
class Component:
    """One part of a folder: its class, as the index names it, and where it lies; of a single file, where inside."""

    name: str
    library: str
    class_name: str
    folder: Path
    inside: Inside | None = None

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """Its own JSON table.  Raises ModelError where there is none."""
        if self.inside is not None:
            found: Mapping[str, Any] = json.loads(self.inside.config)
            return found
        for name in ("config.json", "scheduler_config.json", "preprocessor_config.json"):
            if (self.folder / name).is_file():
                return table(self.folder / name)
        raise ModelError(f"{self.folder} has no config.json; the download is not whole, fetch the model again")

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """Its weights: one safetensors file, or the shards that its index lists.

        Where there are several variants the plain one is meant, else the only one.  Raises ModelError: none, a pickle
        alone, several variants and no plain one, a shard that is missing.
        """
        if self.inside is not None:
            return (self.folder,)
        found = sorted(p for p in self.folder.glob("*.safetensors") if p.name.startswith(STEMS))
        indices = sorted(p for p in self.folder.glob("*.safetensors.index*.json") if p.name.startswith(STEMS))
        plain = [p for p in found if p.name in {f"{stem}.safetensors" for stem in STEMS}]
        if plain:
            return (plain[0],)
        plain_index = [p for p in indices if p.name in {f"{stem}.safetensors.index.json" for stem in STEMS}]
        if plain_index or len(indices) == 1:
            return self._shards((plain_index or indices)[0])
        variants = [p for p in found if "-of-" not in p.name]
        if len(variants) == 1:
            return (variants[0],)
        raise self._no_weights([p.name for p in variants] or [p.name for p in indices])

    def _shards(self, index: Path) -> tuple[Path, ...]:
        listed = table(index).get("weight_map")
        if not isinstance(listed, dict) or not all(isinstance(v, str) and "/" not in v for v in listed.values()):
            raise ModelError(f"{index} lists no shards; fetch the model again")
        paths = tuple(self.folder / name for name in sorted(set(listed.values())))
        for path in paths:
            if not path.is_file():
                raise ModelError(f"{path} is missing, though {index.name} lists it; fetch the model again")
        return paths

    def _no_weights(self, variants: list[str]) -> ModelError:
        if variants:
            return ModelError(
                f"{self.folder} holds several variants ({', '.join(variants)}) and no plain one; keep one of them"
            )
        for path in sorted(p for p in self.folder.iterdir() if p.suffix in PICKLES) if self.folder.is_dir() else []:
            refuse_pickle(path, b"")
        return ModelError(f"{self.folder} holds no weights (*.safetensors); fetch the model again")

    @property
    def bytes(self) -> int:
        """Of its weights, in files."""
        return sum(e.end - e.begin for e in self._entries.values())

    @property
    def parameters(self) -> int:
        """Numbers in its weights, from the files' headers."""
        return sum(math.prod(e.shape) for e in self._entries.values())

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Of its weights, by the names that the files have."""
        return {name: e.shape for name, e in self._entries.items()}

    @property
    def _entries(self) -> dict[str, Entry]:
        prefix = "" if self.inside is None else self.inside.prefix
        return {k: e for path in self.files for k, e in header_of(path).entries.items() if k.startswith(prefix)}

    @cached_property
    def sha256(self) -> str:
        """Of its weights: of the file, or of the shards' hashes in the order of their names."""
        found = [known_sha256(path) for path in self.files]
        return found[0] if len(found) == 1 else sha256("".join(found).encode())

    def tensors(self) -> dict[str, Tensor]:
        """All of its weights.  Raises ModelError for a header that lies."""
        if self.inside is not None:
            from mezzotint.pretrained.single import tensors_of

            return tensors_of(self, tensors_in(self.folder))
        return {name: value for path in self.files for name, value in tensors_in(path).items()}


@dataclass(frozen=True)
class Components:
    """A folder and its parts by name; ``options`` is what the index says beside them."""

    folder: Path
    class_name: str
    parts: Mapping[str, Component]
    options: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The folder's, or the file's without its suffix; of a snapshot in the hub's cache the repository's."""
        place = self.folder.absolute()
        if place.parent.name == "snapshots" and place.parents[1].name.startswith("models--"):
            return place.parents[1].name.rpartition("--")[2]
        return place.stem if place.is_file() else self.folder.resolve().name

    def __getitem__(self, name: str) -> Component:
        """Raises ModelError for a part that the folder lacks."""
        if name not in self:
            raise ModelError(f"{self.folder} has no {name}; a {self.class_name} needs one, fetch the model again")
        return self.parts[name]

    @property
    def denoising(self) -> Component:
        """The part that denoises.  Raises ModelError where there is none."""
        return self["transformer" if "transformer" in self else "unet"]

    def __contains__(self, name: str) -> bool:
        return name in self.parts


def is_diffusers(folder: Path) -> bool:
    """Whether a folder has diffusers' layout."""
    return any((folder / name).is_file() for name in (INDEX, MODULAR))


def refuse_parts(folder: Path) -> None:
    """Raises InputError for parts in diffusers' layout, or for one of them, without the index that joins them."""
    if (folder / JSON_NAME).is_file():
        return
    if parts := [name for name in USUAL if (folder / name / "config.json").is_file()]:
        raise InputError(
            f"{folder} holds parts in diffusers' layout ({', '.join(parts)}) but no {INDEX}, which says what they make"
            " together; fetch the model again, with all its files"
        )
    if (folder / "config.json").is_file():
        raise InputError(f"{folder} is one part of a model; expected the folder around it, the one with {INDEX}")


def components(folder: Path) -> Components:
    """What a folder's index lists.  Raises InputError, ModelError naming what is wrong."""
    if not (folder / INDEX).is_file():
        from mezzotint.pretrained.modular import modular

        return modular(folder)
    found = table(folder / INDEX)
    name = found.get("_class_name")
    if not isinstance(name, str):
        raise ModelError(f"{folder / INDEX} names no pipeline (_class_name); fetch the model again")
    parts, options = {}, {}
    for key, value in found.items():
        if isinstance(value, list) and len(value) == 2:
            if all(isinstance(v, str) for v in value) and _is_name(key):
                parts[key] = Component(key, value[0], value[1], folder / key)
        elif not key.startswith("_"):
            options[key] = value
    return Components(folder, name, parts, options)


def _is_name(key: str) -> bool:
    return key.replace("_", "a").isalnum()


# -- hashes -----------------------------------------------------------------------------------------------------------


def known_sha256(path: Path, start: int = 0) -> str:
    """The SHA-256 of a checked weights file from a byte on; of a file that is the same as last time (name, size, time
    of change) it is remembered."""
    header_of(path)
    about = path.stat()
    key = [str(path.resolve()), about.st_size, about.st_mtime_ns, *([start] if start else [])]
    kept = home() / "hashes" / f"{sha256(canonical_json(key))[:32]}.json"
    try:
        found = json.loads(kept.read_text()) if kept.is_file() else {}
        if found.get("file") == key and len(found["sha256"]) == 64:
            return str(found["sha256"])
    except (OSError, ValueError, KeyError, AttributeError):
        pass
    digest = sha256_file(path, start)
    with suppress(StorageError):  # a home that cannot be written costs time, nothing else
        write_atomic(kept, pretty_json({"file": key, "sha256": digest}))
    return digest


def check_part(part: Component, library: str, *classes: str) -> Component:
    """The same; a pipeline's own classes are diffusers' too.  Raises ModelError where it is of another class."""
    own = part.library == library or (library == "diffusers" and part.library == "unclip")
    if not own or part.class_name not in classes:
        raise ModelError(
            f"{part.folder}: {part.name} is {part.library}'s {part.class_name}; expected {' or '.join(classes)}"
        )
    return part
