"""What the families with diffusers' U-Net share: the stage, its schedule and its way to be called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mezzotint.diffusion.aliases import from_diffusers
from mezzotint.errors import ModelError, unknown
from mezzotint.pretrained.components import Component, Components, check_part
from mezzotint.pretrained.folder import Described
from mezzotint.pretrained.spec import Card, Choice, Sampling, Spec, Text
from mezzotint.pretrained.system import Member, System

if TYPE_CHECKING:
    from torch import nn

    from mezzotint.pretrained.foreign import ForeignStage

PREDICTS = {"epsilon": "eps", "v_prediction": "v", "sample": "x0"}
SEES = {"mask": ("mask", "masked"), "lowres": ("lowres", "lowres_level")}
"""How a network sees a picture -> the names of what it is told."""

BETAS = ("linear", "scaled_linear", "squaredcos_cap_v2")


@dataclass(frozen=True)
class Preset:
    """How a family is sampled unless told otherwise: steps and guidance."""

    steps: int
    scale: float


LCM, FEW = Preset(steps=4, scale=8.0), Preset(steps=4, scale=1.0)
"""Of latent consistency models that are told their scale, as their cards have it; of other few-step models."""

EULERS = ("EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler")


def preset_of(unet: Component, scheduler: Mapping[str, Any], otherwise: Preset) -> Preset:
    """How a checkpoint is sampled unless told otherwise, by its configuration.

    Distilled to few steps are those that are told their scale or have the scheduler of consistency models (Luo et al.,
    2023), and those that predict epsilon with an Euler scheduler of "trailing" spacing and no zero-terminal SNR: the
    form in which Turbo (Sauer et al., 2023) and Lightning (Lin et al., 2024) come.
    """
    if unet.config.get("time_cond_proj_dim"):
        return LCM
    name, told = scheduler["_class_name"], scheduler.get
    euler = name in EULERS and told("timestep_spacing") == "trailing" and told("prediction_type") == "epsilon"
    if name == "LCMScheduler" or (euler and not told("rescale_betas_zero_snr")):
        return FEW
    return otherwise


def schedule_choice(config: Mapping[str, Any]) -> Choice:
    """The noise table that a scheduler's configuration states.  Raises ModelError."""
    name = config.get("beta_schedule", "linear")
    if name not in BETAS:
        raise ModelError(f"scheduler_config.json: {unknown('beta_schedule', str(name), BETAS)}")
    said: dict[str, Any] = {"name": "betas", "shape": name, "n": config.get("num_train_timesteps", 1000)}
    if config.get("trained_betas"):
        said["values"] = list(config["trained_betas"])
    else:
        said |= {"start": config.get("beta_start", 1e-4), "end": config.get("beta_end", 0.02)}
    if config.get("rescale_betas_zero_snr"):
        said["zero_terminal_snr"] = True
    return said


def sampling_of(config: Mapping[str, Any], preset: Preset) -> dict[str, Sampling]:
    """The model's own scheduler as the standard preset.  Raises UsageError for one that has no counterpart."""
    chosen = from_diffusers(config)
    return {"standard": Sampling(chosen.solver_name, {}, preset.steps, preset.scale, dict(config))}


def whole(part: Component, key: str, otherwise: int) -> int:
    """A size in a part's configuration.  Raises ModelError where it is none."""
    value = part.config.get(key, otherwise)
    if type(value) is not int or not 1 <= value <= 16_384:
        raise ModelError(f"{part.folder}: {key} is {value!r}; expected a whole number from 1")
    return value


def codec_of(vae: Component) -> Choice:
    """The codec of an ``AutoencoderKL``."""
    return {
        "name": "kl",
        "factor": 2 ** (len(vae.config.get("block_out_channels", (1, 1, 1, 1))) - 1),
        "scaling": float(vae.config.get("scaling_factor") or 1.0),
        "shift": float(vae.config.get("shift_factor") or 0.0),
    }


def spec_of(found: Components, preset: Preset, card: Card) -> Spec:
    """The one stage of a folder with ``unet``, ``vae`` and ``scheduler``.  Raises ModelError where they do not fit."""
    unet = check_part(found["unet"], "diffusers", "UNet2DConditionModel")
    channels = whole(found["vae"], "latent_channels", 4)
    spec = noise_spec(found, unet, preset_of(unet, scheduler_of(found), preset), card)
    return replace(spec, net={**spec.net, **_told(found, unet, channels)})


def scheduler_of(found: Components) -> Mapping[str, Any]:
    """The configuration of a folder's scheduler, its class included."""
    return {"_class_name": found["scheduler"].class_name, **found["scheduler"].config}


def noise_spec(found: Components, net: Component, preset: Preset, card: Card) -> Spec:
    """The stage of a network with a table of noise, in the latent of ``vae``.  Raises ModelError."""
    vae = check_part(found["vae"], "diffusers", "AutoencoderKL")
    config = scheduler_of(found)
    channels, side = whole(vae, "latent_channels", 4), whole(net, "sample_size", 64)
    predicts = config.get("prediction_type", "epsilon")
    if predicts not in PREDICTS:
        raise ModelError(f"{found.folder}: {unknown('prediction_type', str(predicts), PREDICTS)}")
    return Spec(
        net={"kind": "diffusers", "class": net.class_name},
        parametrisation={"name": PREDICTS[predicts]},
        schedule=schedule_choice(config),
        codec=codec_of(vae),
        shape=(channels, side, side),
        sampling=sampling_of(config, preset),
        card=card,
    )


def _told(found: Components, unet: Component, channels: int) -> dict[str, Any]:
    """What a U-Net is told beside the text, by its sizes.  Raises ModelError where it is not of this autoencoder."""
    taken = whole(unet, "in_channels", 4)
    told = {channels: {}, 2 * channels + 1: {"sees": "mask"}}
    if "low_res_scheduler" in found:
        told = {channels + 3: {"sees": "lowres", **_lowres(found)}}
    if taken not in told:
        expected = ", or ".join(f"{n} with a mask" if n == 2 * channels + 1 else str(n) for n in told)
        raise ModelError(
            f"{found.folder}: its autoencoder has {channels} latent channels, its U-Net takes {taken}; expected"
            f" {expected}; they are not of one model"
        )
    return told[taken] | ({"guidance": "distilled"} if unet.config.get("time_cond_proj_dim") else {})


def _lowres(found: Components) -> dict[str, Any]:
    """How an upscaler is told a small picture: the table of its noise, and the largest index."""
    most = found.options.get("max_noise_level", 350)
    if type(most) is not int or not 0 <= most < 1000:
        raise ModelError(f"{found.folder}: max_noise_level is {most!r}; expected a whole number below 1000")
    return {"lowres": schedule_choice(found["low_res_scheduler"].config), "max_noise_level": most}


def system_of(found: Components, spec: Spec, tokens: int) -> System:
    """A system of one stage.  Hashes are not known yet: ``verify_system`` fills them in."""
    name = found.name
    described = Described("unet", found.folder, spec, "", found["unet"].bytes)
    text = Text("clip", "", tokens)
    members = (Member(described, {"name": "keep"}, ("unet",), "vae"),)
    return System(name, found.folder, members, spec.card, 0, text, found)


def stage_of(system: System, takes: tuple[str, ...]) -> ForeignStage:
    """The stage with its networks at hand.  takes: what every network of the family is told."""
    from mezzotint.pretrained.families.unet_network import Called
    from mezzotint.pretrained.foreign import ForeignStage, alone
    from mezzotint.pretrained.picture_prompts import pictures_of

    net = system.members[0].described.spec.net
    told = takes + SEES.get(str(net.get("sees")), ()) + (("guidance",) if net.get("guidance") == "distilled" else ())

    told += ("image",) if pictures_of(system.attached) else ()

    def called(network: nn.Module) -> nn.Module:
        return Called(network, told)

    return ForeignStage.of(system, 0, alone(called), told)
