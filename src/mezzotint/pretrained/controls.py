"""ControlNets: a network beside a U-Net that is told a picture of edges, depth, poses, and steers by it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.errors import InputError, ModelError, UsageError
from mezzotint.files import canonical_json, sha256
from mezzotint.pictures.flat import covering, rgb
from mezzotint.pictures.png import Pixels
from mezzotint.pretrained.components import Component
from mezzotint.pretrained.folder import table
from mezzotint.pretrained.search import lookup
from mezzotint.pretrained.system import System
from mezzotint.tensorfile import read_header

if TYPE_CHECKING:
    import torch
    from torch import nn

    from mezzotint.pretrained.attached import Attached
    from mezzotint.pretrained.families.steered import Steering

MAX_WEIGHT = 10.0
CLASS = "ControlNetModel"
ALIKE = ("block_out_channels", "layers_per_block", "cross_attention_dim", "addition_embed_type")
"""What a ControlNet's configuration has in common with that of the U-Net it is for."""


@dataclass(frozen=True, eq=False)
class Control:
    """A ControlNet and what it is told.

    pixels: (H, W, 3), of any size.  weight: of what it adds.  begin, end: the shares of the steps between which it is
    asked: step i of N where begin <= i/N and (i+1)/N <= end.
    """

    part: Component
    pixels: Pixels
    weight: float
    begin: float
    end: float

    @property
    def said(self) -> Mapping[str, object]:
        """For receipts."""
        return {
            "kind": "control",
            "name": self.part.folder.resolve().name,
            "sha256": self.part.sha256,
            "config_sha256": sha256(canonical_json(self.part.config)),
            "weight": self.weight,
            "picture": sha256(self.pixels.tobytes()),
            "begin": self.begin,
            "end": self.end,
        }

    def held(self, itemsize: int) -> Mapping[str, int]:
        """Bytes of its weights."""
        return {f"control {self.part.folder.name}": self.part.parameters * itemsize}

    def picture(self, size: tuple[int, int], device: str) -> torch.Tensor:
        """(1, 3, H, W) in 0 … 1 for pictures of a size (width, height): scaled to cover it and cut to its centre."""
        import torch

        pixels = torch.from_numpy(covering(self.pixels, size).copy())
        return (pixels.permute(2, 0, 1)[None].float() / 255).to(device)

    def steps(self, count: int) -> tuple[int, int]:
        """[first, after the last) of the steps in which it is asked."""
        asked = [i for i in range(count) if self.begin <= i / count and (i + 1) / count <= self.end]
        return (asked[0], asked[-1] + 1) if asked else (0, 0)


@dataclass(frozen=True)
class Said:
    """A ControlNet in words."""

    folder: Path
    weight: float = 1.0
    begin: float = 0.0
    end: float = 1.0


def said_of(text: str) -> Said:
    """ "DIR", "DIR:WEIGHT" or "DIR:WEIGHT:BEGIN-END", such as "canny:0.8:0-0.5".  Raises UsageError."""
    if Path(text).exists():
        return Said(Path(text))
    head, colon, last = text.rpartition(":")
    shares = _pair(last)
    if colon and shares is not None:
        head, colon, last = head.rpartition(":")
    weight = _number(last)
    if not colon or not head or weight is None:
        return Said(Path(text))
    begin, end = shares or (0.0, 1.0)
    if not -MAX_WEIGHT <= weight <= MAX_WEIGHT:
        raise UsageError(f"a control's weight is {weight}; expected -{MAX_WEIGHT:g} to {MAX_WEIGHT:g}")
    if not 0 <= begin < end <= 1:
        raise UsageError(f"a control is asked from {begin:g} to {end:g} of the steps; expected 0 <= begin < end <= 1")
    return Said(Path(head), weight, begin, end)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _pair(text: str) -> tuple[float, float] | None:
    begin, end = (_number(part) for part in (text.partition("-")[0], text.partition("-")[2]))
    return None if begin is None or end is None else (begin, end)


def read_control(said: Said, picture: Path, system: System) -> Control:
    """A ControlNet for a system.

    Raises: UsageError (the base takes none), InputError (files), ModelError (another class, for another base).
    """
    found = system.components
    if found is None or found.denoising.class_name != "UNet2DConditionModel":
        raise UsageError(f"{system.name} takes no controls; expected a diffusers folder of Stable Diffusion 1, 2, XL")
    said = replace(said, folder=lookup("control", str(said.folder)))
    config = said.folder / "config.json"
    if not config.is_file():
        raise InputError(f"{said.folder} is no ControlNet (no config.json); expected a diffusers folder of one")
    name = table(config).get("_class_name")
    if name != CLASS:
        raise ModelError(f"{said.folder} is a {str(name)[:60]}; expected a {CLASS}")
    part = Component("control", "diffusers", CLASS, said.folder)
    for path in part.files:
        read_header(path)
    _check_base(part, found.denoising, system)
    return Control(part, rgb(picture), said.weight, said.begin, said.end)


def _check_base(part: Component, unet: Component, system: System) -> None:
    """Raises ModelError naming the first thing in which a ControlNet differs from what it is to steer."""
    mine, theirs = _whole_config(part), _whole_config(unet)
    for key in ALIKE:
        if _plain(mine.get(key)) != _plain(theirs.get(key)):
            raise ModelError(
                f"{part.folder} is for another base than {system.name}: its {key} is {mine.get(key)}, the base's"
                f" {theirs.get(key)}"
            )
    if mine["conditioning_channels"] != 3:
        raise ModelError(f"{part.folder} is told {mine['conditioning_channels']} channels; expected a picture's 3")
    channels = system.members[0].described.spec.shape[0]
    if mine["in_channels"] != channels:
        raise ModelError(
            f"{part.folder} is for states of {mine['in_channels']} channels; {system.name}'s have {channels}"
        )
    shrinks, factor = 2 ** (len(mine["conditioning_embedding_out_channels"]) - 1), _factor(system)
    if shrinks != factor:
        raise ModelError(f"{part.folder} makes its picture {shrinks} times smaller; {system.name}'s latent is {factor}")


def _whole_config(part: Component) -> dict[str, Any]:
    """What its class knows of a part: what its file does not say has a default."""
    from mezzotint.pretrained.component_network import library_network

    config: Any = library_network(part).config
    return dict(config)


def _factor(system: System) -> int:
    return int(system.members[0].described.spec.codec["factor"])


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | list) else value


def with_controls(system: System, controls: Sequence[str], pictures: Sequence[Path]) -> System:
    """A system with ControlNets, "DIR:WEIGHT:BEGIN-END" each, and the picture of each.  Raises as ``read_control``."""
    if len(controls) != len(pictures):
        raise UsageError(
            f"{len(controls)} controls and {len(pictures)} pictures for them; give --control-image once for each"
        )
    pairs = zip(map(said_of, controls), pictures, strict=True)
    made = tuple(read_control(said, picture, system) for said, picture in pairs)
    return replace(system, attached=(*system.attached, *made))


def steered(
    unet: nn.Module,
    attached: Sequence[Attached],
    size: tuple[int, int],
    indices: Sequence[float],
    device: str,
    dtype: torch.dtype,
) -> nn.Module:
    """A U-Net with the controls among what is attached, the same where there are none.

    size: (width, height) of the pictures.  indices: what the network is fed in each step.
    """
    from mezzotint.pretrained.families.steered import Steered

    controls = [one for one in attached if isinstance(one, Control)]
    made = [steering for one in controls if (steering := _steering(one, size, indices, device, dtype)) is not None]
    return Steered(unet, made) if made else unet


def _steering(
    one: Control, size: tuple[int, int], indices: Sequence[float], device: str, dtype: torch.dtype
) -> Steering | None:
    """None for a control that is asked in no step."""
    from mezzotint.pretrained.component_network import quick_network_of
    from mezzotint.pretrained.families.steered import Steering

    first, after = one.steps(len(indices)) if indices else (0, 0)
    if indices and first == after:
        return None
    # Halfway to the neighbours: what is fed is rounded to float32.
    upto = math.inf if first == 0 else (indices[first - 1] + indices[first]) / 2
    above = -math.inf if after == len(indices) else (indices[after - 1] + indices[after]) / 2
    network = quick_network_of(one.part, device, dtype)
    channels = int(one.part.config.get("in_channels", 4))
    return Steering(network, channels, one.picture(size, device), one.weight, above, upto)
