"""IP-Adapter: a picture as part of the prompt of Stable Diffusion 1, 2 and XL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.errors import InputError, ModelError, UsageError
from mezzotint.files import canonical_json, sha256
from mezzotint.pictures.flat import rgb
from mezzotint.pictures.png import Pixels
from mezzotint.pretrained.adapters import weighed
from mezzotint.pretrained.components import Component, known_sha256
from mezzotint.pretrained.families.clip_vision import CLASS, looked_at, seen, side_of
from mezzotint.pretrained.system import System
from mezzotint.tensorfile import read_header, read_tensors

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from mezzotint.conditioning.counted import Counted
    from mezzotint.diffusion.denoiser import Cond
    from mezzotint.pretrained.attached import Attached
    from mezzotint.pretrained.families.known import Reading
    from mezzotint.pretrained.families.projections import Kind

ENCODER = "image_encoder"
"""The folder beside a file in which its encoder lies."""


@dataclass(frozen=True, eq=False)
class PicturePrompt:
    """An IP-Adapter and its picture.

    pixels: (H, W, 3), of any size.  weight: of what it adds.  project, attend: the tensors of its file.
    """

    path: Path
    encoder: Component
    pixels: Pixels
    weight: float
    kind: Kind
    project: Mapping[str, Tensor]
    attend: Mapping[str, Tensor]

    @property
    def said(self) -> Mapping[str, object]:
        """For receipts."""
        return {
            "kind": "ip-adapter",
            "name": self.path.stem,
            "sha256": known_sha256(self.path),
            "weight": self.weight,
            "picture": sha256(self.pixels.tobytes()),
            "encoder_sha256": self.encoder.sha256,
            "config_sha256": sha256(canonical_json(self.encoder.config)),
        }

    def held(self, itemsize: int) -> Mapping[str, int]:
        """Bytes of its weights, and of its encoder's, float32."""
        own = sum(t.numel() for t in (*self.project.values(), *self.attend.values()))
        return {self.path.stem: own * itemsize, ENCODER: self.encoder.parameters * 4}

    @cached_property
    def network(self) -> nn.Module:
        """What makes tokens of what the encoder sees."""
        from mezzotint.pretrained.families.projections import projection

        return projection(self.project, self.kind, self.path)

    @cached_property
    def tokens(self) -> tuple[Tensor, Tensor]:
        """(1, n, D) of the picture, and of none: of a zero embedding, or for a resampler of a zero picture's states."""
        import torch

        x = looked_at(self.pixels, side_of(self.encoder))
        found = seen(self.encoder, x)
        if self.kind == "plain":
            both = torch.cat([found.embedding, torch.zeros_like(found.embedding)])
        else:
            both = torch.cat([found.states, seen(self.encoder, torch.zeros_like(x)).states])
        with torch.inference_mode():
            strong, weak = self.network(both).clone().split(1)
        return strong, weak


@dataclass(frozen=True)
class WithPictures:
    """What is made of a prompt, with pictures beside it."""

    reading: Reading
    pictures: tuple[PicturePrompt, ...]

    @property
    def width(self) -> int:
        return self.reading.width

    @property
    def read(self) -> tuple[str, str]:
        return self.reading.read

    @property
    def notes(self) -> tuple[str, ...]:
        return self.reading.notes

    @property
    def tokens(self) -> tuple[Counted, ...]:
        return self.reading.tokens

    def conds(self, dtype: torch.dtype) -> tuple[Cond, Cond]:
        """The prompt's, with ``image`` (1, n, D): the tokens of all pictures."""
        import torch

        strong, weak = self.reading.conds(dtype)
        pairs = [picture.tokens for picture in self.pictures]
        image, none = (torch.cat(some, 1) for some in zip(*pairs, strict=True))
        return {**strong, "image": image}, {**weak, "image": none}


def pictures_of(attached: Sequence[Attached]) -> tuple[PicturePrompt, ...]:
    """Those among what is attached."""
    return tuple(one for one in attached if isinstance(one, PicturePrompt))


def with_pictures(reading: Reading, attached: Sequence[Attached]) -> Reading:
    """What is made of a prompt, with the pictures among what is attached."""
    pictures = pictures_of(attached)
    return WithPictures(reading, pictures) if pictures else reading


def read_prompt(path: Path, weight: float, picture: Path, encoder: Path, system: System) -> PicturePrompt:
    """An IP-Adapter for a system.   encoder: the folder of CLIP's picture encoder.

    Raises: UsageError (the base takes none), InputError (files), ModelError (another kind, base or encoder).
    """
    found = system.components
    if found is None or found.denoising.class_name != "UNet2DConditionModel":
        raise UsageError(
            f"{system.name} takes no picture prompts; expected Stable Diffusion 1, 2, XL (diffusers folder)"
        )
    part = _encoder(encoder)
    from mezzotint.pretrained.families.projections import kind_of, parts_of

    project, attend = parts_of(read_tensors(path), path)
    made = PicturePrompt(path, part, rgb(picture), weight, kind_of(project, path), project, attend)
    _check_base(made, found.denoising, system)
    return made


def _encoder(folder: Path) -> Component:
    """Raises InputError where there is none, ModelError for another class or a pickle."""
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder} is no picture encoder (no config.json); give its folder with --ip-encoder")
    part = Component(ENCODER, "transformers", CLASS, folder)
    classes = part.config.get("architectures") or [CLASS]
    if classes != [CLASS]:
        raise ModelError(f"{folder} is a {str(classes)[:60]}; expected a {CLASS}")
    side_of(part)
    for path in part.files:
        read_header(path)
    return part


def _check_base(one: PicturePrompt, unet: Component, system: System) -> None:
    """Raises ModelError where the file has no place in the U-Net, or is for another encoder."""
    from mezzotint.pretrained.component_network import empty_network
    from mezzotint.pretrained.families.pictured import cross_attentions

    layers = cross_attentions(empty_network(unet))
    wanted = {f"{2 * k + 1}.{name}_ip.weight": path for k, path in enumerate(layers) for name in ("to_k", "to_v")}
    if set(wanted) != set(one.attend):
        raise ModelError(
            f"{one.path} is for another base than {system.name}: it has {len(one.attend) // 2} layers of attention, the"
            f" base {len(layers)}"
        )
    for key, path in wanted.items():
        layer: Any = layers[path]
        shape, found = tuple(layer.to_k.weight.shape), tuple(one.attend[key].shape)
        if shape != found:
            raise ModelError(f"{one.path} is for another base than {system.name}: {path} is {shape}, its {key} {found}")
        if not bool(one.attend[key].isfinite().all()):
            raise ModelError(f"{one.path}: {key!r} holds values that are not finite; fetch it again")
    width, made = int(layer.to_k.weight.shape[1]), _widths(one)
    if made[1] != width:
        raise ModelError(f"{one.path}: its tokens are {made[1]} wide; {system.name} attends to {width}")
    sees = one.encoder.config.get("projection_dim" if one.kind == "plain" else "hidden_size")
    if made[0] != sees:
        raise ModelError(
            f"{one.path} is for another encoder: it takes {made[0]} numbers, {one.encoder.folder} gives {sees}"
        )


def _widths(one: PicturePrompt) -> tuple[int, int]:
    """What the projection takes and gives.  Raises ModelError where its tensors do not go together."""
    network: Any = one.network
    if one.kind == "plain":
        return network.image_embeds.in_features, network.norm.normalized_shape[0]
    return network.proj_in.in_features, network.proj_out.out_features


def with_picture_prompts(
    system: System, files: Sequence[str], pictures: Sequence[Path], encoder: Path | None = None
) -> System:
    """A system with IP-Adapters, "FILE" or "FILE:WEIGHT" each, and the picture of each.

    encoder: the folder of their picture encoder; None is ``image_encoder`` beside each file.   Raises as
    ``read_prompt``.
    """
    if len(files) != len(pictures):
        raise UsageError(
            f"{len(files)} IP-Adapters and {len(pictures)} pictures for them; give --ip-image once for each"
        )
    pairs = [(*weighed(text, "an IP-Adapter"), picture) for text, picture in zip(files, pictures, strict=True)]
    made = tuple(
        read_prompt(path, weight, picture, encoder or path.parent / ENCODER, system) for path, weight, picture in pairs
    )
    return replace(system, attached=(*system.attached, *made))


def looked(unet: nn.Module, attached: Sequence[Attached], device: str, dtype: torch.dtype) -> nn.Module:
    """A U-Net that attends to the pictures among what is attached, the same where there are none."""
    from mezzotint.pretrained.families.pictured import Looks, cross_attentions, looking

    pictures = pictures_of(attached)
    if not pictures:
        return unet
    looks = {
        path: [
            Looks(
                one.attend[f"{2 * k + 1}.to_k_ip.weight"].to(device, dtype),
                one.attend[f"{2 * k + 1}.to_v_ip.weight"].to(device, dtype),
                one.tokens[0].shape[1],
                one.weight,
            )
            for one in pictures
        ]
        for k, path in enumerate(cross_attentions(unet))
    }
    return looking(unet, looks)
