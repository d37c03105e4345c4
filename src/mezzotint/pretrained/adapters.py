"""LoRA files on a family's networks: what fits where, and what was said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from mezzotint.errors import ModelError, UsageError
from mezzotint.pretrained.adapter_files import Files, adapter_paths, files_of, sha256_of
from mezzotint.pretrained.components import Component
from mezzotint.pretrained.families.known import family_of
from mezzotint.pretrained.few import Few, few_in
from mezzotint.pretrained.folder import Described
from mezzotint.pretrained.lora_file import base_said
from mezzotint.pretrained.passport import Passport, base_of, passport_in
from mezzotint.pretrained.search import lookup
from mezzotint.pretrained.system import System
from mezzotint.pretrained.whole_adapter import check_whole, lack_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mezzotint.nets.adapters.layouts import Bases, Changes, Coverage, Part, Pieces

MAX_WEIGHT = 10.0
Adaptable = Component | Described
"""What an adapter may change: a part of a folder in diffusers' layout, or the network of a model folder of ours."""


@dataclass(frozen=True, eq=False)
class Adapter:
    """A LoRA file that fits a system.  parts: additions by network and layer.  few: of one that makes few calls of it,
    how it is sampled then (``pretrained.few``), else None.  triggers: words that call what it was taught."""

    name: str
    sha256: str
    parts: Mapping[Part, Changes]
    coverage: Coverage
    few: Few | None = None
    triggers: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Opened:
    """An adapter, and what its files say.   bases: the names that were known.  passport: None where it has none."""

    adapter: Adapter
    files: Files
    tensors: Mapping[str, Tensor]
    bases: Bases
    passport: Passport | None


@dataclass(frozen=True, eq=False)
class Weighed:
    """An adapter and how strongly it is put on, 1 is as trained."""

    adapter: Adapter
    weight: float

    @property
    def said(self) -> Mapping[str, object]:
        """For receipts."""
        return {"name": self.adapter.name, "sha256": self.adapter.sha256, "weight": self.weight}


def layers_of(part: Adaptable) -> Mapping[str, nn.Module]:
    """The layers of a network that can be adapted, by path; without memory for its weights."""
    return _layers_of_ours(part) if isinstance(part, Described) else _layers_of(part)


@lru_cache(maxsize=32)
def _layers_of(part: Component) -> Mapping[str, nn.Module]:
    from mezzotint.pretrained.component_network import empty_network

    return _adaptable(empty_network(part))


def _layers_of_ours(part: Described) -> Mapping[str, nn.Module]:
    import torch

    from mezzotint.nets.build import build, config_from_dict

    with torch.device("meta"):
        return _adaptable(build(config_from_dict(part.spec.net)))


def _adaptable(network: nn.Module) -> Mapping[str, nn.Module]:
    from mezzotint.nets.adapters.lora import adaptable

    return {name: m for name, m in network.named_modules() if adaptable(m)}


def names_of(part: Adaptable) -> Mapping[str, str]:
    """Every name that files may give a layer of a component -> its path: its own, and a U-Net's in the original layout,
    by which kohya's files for SDXL go."""
    paths = {path: path for path in layers_of(part)}
    if isinstance(part, Described):
        return paths
    usual = type(part.config.get("layers_per_block")) is int and "down_block_types" in part.config
    if part.class_name != "UNet2DConditionModel" or not usual:
        return paths
    from mezzotint.pretrained.keymaps.names import both_ways, renamed
    from mezzotint.pretrained.keymaps.unet import modules_of

    _, by_ours = both_ways(modules_of(part.config))
    older = {path: renamed(f"{path}.weight", by_ours, back=True) for path in paths}
    return {**{name.removesuffix(".weight"): path for path, name in older.items() if name}, **paths}


def pieces_of(part: Adaptable) -> Mapping[str, Pieces]:
    """The same, with the names that stand for several layers at once: FLUX's and SD3's in the original layout."""
    from mezzotint.pretrained.keymaps import fused

    plain: dict[str, Pieces] = {name: ((path, ()),) for name, path in names_of(part).items()}
    if isinstance(part, Described):
        return plain
    sizes = {path: len(layer.get_parameter("weight")) for path, layer in layers_of(part).items()}
    return {**fused.pieces_of(part.class_name, sizes), **plain}


def parts_to_adapt(system: System) -> dict[Part, Adaptable]:
    """The networks of a system that an adapter may change: of a model of ours the main stage's.

    Raises UsageError where there are none: networks that keep the magnitude of what passes have no plain layers.
    """
    found = system.components
    if found is None:
        main = system.members[system.main].described
        if not layers_of(main):
            raise UsageError(f"{system.name} takes no LoRA files: its network has no layers that they go on")
        return {"denoiser": main}
    parts: dict[Part, Adaptable] = {"denoiser": found.denoising}
    for name in family_of(found).text_parts(found):
        parts[name] = found[name]
    return parts


def read_adapter(path: Path, system: System, *, partial: bool = False) -> Adapter:
    """A LoRA file, or a folder that PEFT or diffusers wrote, for a system.

    partial: whether keys without a place are passed over, and what its header says that it lacks; ``Coverage`` has it.
    Raises: ModelError (no LoRA; for another base; keys without a place, counted; tensors that its header has another
    hash of, or without those of the method that its passport has), InputError, UsageError.
    """
    return opened_adapter(path, system, partial=partial).adapter


def opened_adapter(path: Path, system: System, *, partial: bool = False) -> Opened:
    """The same with all that its files say.   Raises as ``read_adapter``."""
    from mezzotint.nets.adapters.layouts import placed

    parts = parts_to_adapt(system)
    files = files_of(path, tuple(parts))
    tensors, said = _keys_of(files.tensors(), parts, path)
    passport = passport_in(files.metadata, str(path))
    bases = {name: pieces_of(part) for name, part in parts.items() if name in said}
    made, coverage = placed(tensors, bases, files.alphas)
    name = base_said(files.first) if passport is None else passport.base.name
    other = f"than {system.name}, it is for {name}" if name else f"than {system.name}"
    for part, changes in made.items():
        _check_fits(changes, layers_of(parts[part]), f"{path} is for another base {other}")
    advice = (
        "generate alone takes what fits, with --allow-partial" if coverage.layers else "expected a LoRA for this base"
    )
    if not coverage.layers or (coverage.unknown and not partial):
        raise ModelError(f"{path} does not fit {other.removeprefix('than ')} ({coverage}); {advice}")
    lack = lack_of(files, made, passport, path)
    if not partial:
        check_whole(lack)
    if passport is not None and passport.rank_at_noise is not None:
        made["denoiser"] = _falling(made.get("denoiser", {}), passport.rank_at_noise, path)
    base = "" if passport is None else _other_base(passport, system)
    coverage = replace(coverage, base=base, lacks="" if lack is None else lack.what)
    named = path.name if path.is_dir() else path.stem
    few = None if passport is None else few_in(passport.settings, str(path))
    triggers = () if passport is None else passport.triggers
    adapter = Adapter(named, files.sha256, made, coverage, few, triggers)
    return Opened(adapter, files, tensors, bases, passport)


def _keys_of(
    tensors: Mapping[str, Tensor], parts: Mapping[Part, Adaptable], path: Path
) -> tuple[Mapping[str, Tensor], set[Part]]:
    """The tensors under the names that these networks have, and which networks they are for.   Raises ModelError for
    none."""
    from mezzotint.nets.adapters.layouts import read_key

    named = {_second(key): value for key, value in tensors.items()} if _is_flux(parts["denoiser"]) else tensors
    said = {one.part for key in named if (one := read_key(key))}
    if not said:
        raise ModelError(
            f"{path} is no LoRA but whole weights of something ({len(tensors)} tensors); expected a LoRA file"
        )
    return named, said


def _check_fits(changes: Changes, layers: Mapping[str, nn.Module], otherwise: str) -> None:
    """Raises ModelError, beginning with ``otherwise``, for a change that does not fit its layer."""
    from mezzotint.nets.adapters.lora import fits

    for where, change in changes.items():
        if wrong := fits(layers[where], change):
            raise ModelError(f"{otherwise}: its {where} {wrong}")


def _falling(changes: Changes, least: int, path: Path) -> Changes:
    """Changes whose rank falls with noise, as a passport says it.  Raises ModelError for those that have no rank."""
    from mezzotint.nets.adapters.falling import Falling
    from mezzotint.nets.adapters.lora import LowRank

    for where, change in changes.items():
        if not isinstance(change, LowRank) or change.bias is not None or least > change.rank:
            raise ModelError(f"{path}: its passport has a rank of {least} at full noise; its {where} has none such")
    return {where: Falling(change, least) for where, change in changes.items() if isinstance(change, LowRank)}


def _other_base(passport: Passport, system: System) -> str:
    """Where an adapter was learnt on other weights, that."""
    here, there = base_of(system), passport.base
    if here.sha256 == there.sha256:
        return ""
    return f"learnt on {there.name}, whose weights ({there.sha256[:12]}…) are not those of {here.name}"


def _is_flux(part: Adaptable) -> bool:
    return isinstance(part, Component) and part.class_name.startswith("Flux")


def _second(key: str) -> str:
    """A key of T5's, by the number that FLUX has it under."""
    return key.replace("lora_te3_", "lora_te2_", 1).replace("text_encoders.t5xxl.transformer.", "text_encoder_2.", 1)


def weighed(text: str, what: str = "a LoRA") -> tuple[Path, float]:
    """ "FILE" or "FILE:0.8" -> the file and its weight.  Raises UsageError that says what it is."""
    head, colon, tail = text.rpartition(":")
    try:
        path, weight = (Path(head), float(tail)) if colon and head else (Path(text), 1.0)
    except ValueError:
        path, weight = Path(text), 1.0
    if not -MAX_WEIGHT <= weight <= MAX_WEIGHT:
        raise UsageError(f"{what}'s weight is {weight}; expected -{MAX_WEIGHT:g} to {MAX_WEIGHT:g}")
    return path, weight


def looked_up(text: str) -> tuple[Path, ...]:
    """The files that "FILE" or "FILE:weight" names, all of a folder's.  Raises UsageError: a weight out of range,
    several of the name."""
    path = lookup("lora", str(weighed(text)[0]))
    return adapter_paths(path) or (path,)


def named_sha256(text: str) -> str:
    """Of what "FILE" or "FILE:weight" names, as ``Adapter`` has it.   Raises as ``looked_up``; InputError."""
    return sha256_of(looked_up(text))


def with_adapters(system: System, files: Sequence[str], *, partial: bool = False) -> System:
    """A system with LoRA files put on, "FILE" or "FILE:weight" each.  Raises as ``read_adapter``."""
    pairs = [(lookup("lora", str(path)), weight) for path, weight in map(weighed, files)]
    found = tuple(Weighed(read_adapter(path, system, partial=partial), weight) for path, weight in pairs)
    return replace(system, adapters=(*system.adapters, *found))


def put_on(network: nn.Module, part: str, adapters: Sequence[Weighed]) -> nn.Module:
    """A part's network with what adapters add to it; the base is shared and stays as it is.  Where they ``fall``, it is
    asked at a level (``nets.adapters.falling``)."""
    from mezzotint.nets.adapters.changes import Change
    from mezzotint.nets.adapters.falling import adapted_at

    stacks: dict[str, list[tuple[Change, float]]] = {}
    for one in adapters:
        for path, change in one.adapter.parts.get(part, {}).items():
            stacks.setdefault(path, []).append((change, one.weight))
    return adapted_at(network, stacks) if stacks else network


def fall(adapters: Sequence[Weighed]) -> bool:
    """Whether some adapter makes a denoiser another one at each level."""
    from mezzotint.nets.adapters.falling import Falling

    changes = (one.adapter.parts.get("denoiser", {}).values() for one in adapters)
    return any(isinstance(change, Falling) for those in changes for change in those)
