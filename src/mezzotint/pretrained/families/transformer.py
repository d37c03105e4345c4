"""What the families of flow transformers share: the stage and its schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mezzotint.errors import ModelError
from mezzotint.pretrained.components import Components, check_part
from mezzotint.pretrained.families.unet import Preset, codec_of, sampling_of, whole
from mezzotint.pretrained.folder import Described
from mezzotint.pretrained.spec import Card, Spec, Text
from mezzotint.pretrained.system import Member, System

if TYPE_CHECKING:
    from torch import nn

    from mezzotint.pretrained.foreign import ForeignStage

FLOWS = ("FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler")
PATCH = 2
"""Latent pixels of a token along an axis."""


def spec_of(found: Components, class_name: str, channels: int, side: int, preset: Preset, card: Card) -> Spec:
    """The one stage of a folder with ``transformer``, ``vae`` and a flow scheduler.

    channels, side: of the latent.   Raises ModelError where the parts do not fit.
    """
    check_part(found["transformer"], "diffusers", class_name)
    vae = check_part(found["vae"], "diffusers", "AutoencoderKL")
    scheduler = check_part(found["scheduler"], "diffusers", *FLOWS)
    config = {"_class_name": scheduler.class_name, **scheduler.config}
    if whole(vae, "latent_channels", 4) != channels:
        raise ModelError(
            f"{found.folder}: its autoencoder has {vae.config.get('latent_channels')} latent channels, its transformer"
            f" takes {channels}; they are not of one model"
        )
    net: dict[str, Any] = {"kind": "diffusers", "class": class_name, "patch": PATCH}
    return Spec(
        net=net,
        parametrisation={"name": "counted_flow"},
        schedule={"name": "flow"},
        codec=codec_of(vae),
        shape=(channels, side, side),
        sampling=sampling_of(config, preset),
        card=card,
    )


def system_of(found: Components, spec: Spec, tokens: int) -> System:
    """A system of one stage.  Hashes are not known yet: ``verify_system`` fills them in."""
    described = Described("transformer", found.folder, spec, "", found["transformer"].bytes)
    members = (Member(described, {"name": "keep"}, ("transformer",), "vae"),)
    name = found.name
    return System(name, found.folder, members, spec.card, 0, Text("t5", "", tokens), found)


def stage_of(system: System, takes: tuple[str, ...], wrap: Callable[[nn.Module], nn.Module]) -> ForeignStage:
    """The stage with its networks at hand."""
    from mezzotint.pretrained.foreign import ForeignStage, alone

    return ForeignStage.of(system, 0, alone(wrap), takes)
