"""Writing an adapter: contents and passport as a file of a layout."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from mezzotint.errors import UsageError, unknown
from mezzotint.files import make_folder, pretty_json, write_atomic
from mezzotint.nets.adapters.contents import Contents
from mezzotint.nets.adapters.layouts import Part
from mezzotint.pretrained.adapter_files import PEFT_CONFIG, PEFT_FILE
from mezzotint.pretrained.adapters import layers_of, parts_to_adapt
from mezzotint.pretrained.exchange.metadata import hashes, of_kohya, spec
from mezzotint.pretrained.exchange.names import LAYOUTS, Keyed, Layout, network_name
from mezzotint.pretrained.exchange.peft_config import config
from mezzotint.pretrained.exchange.written import keyed, tensors_of
from mezzotint.pretrained.lora_file import METADATA
from mezzotint.pretrained.passport import Passport
from mezzotint.pretrained.system import System
from mezzotint.tensorfile import data_sha256, write_tensors


@dataclass(frozen=True)
class Written:
    """A file of an adapter.   sha256: of it.  tensors: how many it holds."""

    path: Path
    sha256: str
    tensors: int


def layout_for(contents: Contents, system: System) -> Layout:
    """The first of diffusers', kohya's and PEFT's layouts that has a form for everything.

    Raises UsageError where none has.
    """
    for layout in ("diffusers", "kohya"):
        with suppress(UsageError):
            keyed(contents, system, layout)
            return layout
    keyed(contents, system, "peft")
    return "peft"


def write_adapter(
    out: Path,
    contents: Contents,
    system: System,
    layout: Layout,
    passport: Passport | None = None,
    more: Mapping[str, str] | None = None,
) -> tuple[Written, ...]:
    """Writes an adapter for a system; what is there already stays as it is.

    Args: out: the file; of "peft" a folder as PEFT writes it, of several networks one in it for each.
        more: of the header, under what is said anew.
    Returns: what was written.   Raises: UsageError (no form for it in the layout, ``out`` is there), StorageError.
    """
    if layout not in LAYOUTS:
        raise unknown("layout", layout, LAYOUTS)
    if out.exists():
        raise UsageError(f"{out} is there already; nothing is ever overwritten, choose another --out")
    made = keyed(contents, system, layout)
    header = {**(more or {}), **spec(system, layout, passport)}
    if layout == "peft":
        return _peft(out, made, system, header)
    if layout == "kohya":
        header |= of_kohya([one for layers in made.values() for one in layers.values()], system, passport)
    if layout == "diffusers":
        header[METADATA] = json.dumps(_packed(made, system), indent=2, sort_keys=True)
    tensors = {k: t for layers in made.values() for k, t in tensors_of(layers, layout).items()}
    return (_file(out, tensors, header, layout),)


def _file(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, str], layout: Layout) -> Written:
    make_folder(path.parent)
    whole = {"format": "pt", **header, **hashes(data_sha256(tensors), layout)}
    return Written(path, write_tensors(path, tensors, dict(sorted(whole.items()))), len(tensors))


def _configs(made: Mapping[Part, Keyed], system: System) -> dict[Part, dict[str, Any]]:
    parts = parts_to_adapt(system)
    return {part: config(layers, tuple(layers_of(parts[part]))) for part, layers in made.items()}


def _packed(made: Mapping[Part, Keyed], system: System) -> dict[str, Any]:
    """Configurations as diffusers has them in one header: every name behind its network's."""
    parts = parts_to_adapt(system)
    return {
        f"{network_name(part, parts[part])}.{key}": value
        for part, said in _configs(made, system).items()
        for key, value in said.items()
    }


def _peft(out: Path, made: Mapping[Part, Keyed], system: System, header: Mapping[str, str]) -> tuple[Written, ...]:
    parts, configs = parts_to_adapt(system), _configs(made, system)
    files = []
    for part, layers in made.items():
        name = network_name(part, parts[part])
        folder = out if len(made) == 1 and part == "denoiser" else out / name
        said = {**configs[part], "base_model_name_or_path": system.name, "inference_mode": True}
        files.append(_file(folder / PEFT_FILE, tensors_of(layers, "peft"), header, "peft"))
        write_atomic(folder / PEFT_CONFIG, pretty_json(said))
    return tuple(files)
