"""What the families of several stages share: their specs, what a CLIP text encoder tells them, a system of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mezzotint.conditioning.counted import Counted, counted
from mezzotint.errors import ModelError, unknown
from mezzotint.pretrained.components import Component, Components
from mezzotint.pretrained.families.clip import Tower, notes_of
from mezzotint.pretrained.families.unet import PREDICTS, Preset, sampling_of, schedule_choice
from mezzotint.pretrained.folder import Described
from mezzotint.pretrained.spec import Card, Choice, Spec
from mezzotint.pretrained.system import Member

if TYPE_CHECKING:
    from torch import Tensor, dtype

    from mezzotint.diffusion.denoiser import Cond

KEEP: Choice = {"name": "keep"}
UNCLIP: Mapping[str, Any] = {"beta_schedule": "squaredcos_cap_v2"}
"""What UnCLIPScheduler takes where its configuration says nothing."""


def config_of(scheduler: Component) -> dict[str, Any]:
    """A scheduler's configuration, its class included."""
    own = UNCLIP if scheduler.class_name == "UnCLIPScheduler" else {}
    return {**own, "_class_name": scheduler.class_name, **scheduler.config}


CLIPPING = ("DDPMScheduler", "DDIMScheduler", "UnCLIPScheduler")
"""Schedulers that keep estimates in bounds unless their configuration says otherwise."""


def bounds_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """How far estimates may go, as ``Thresholded`` takes it: (percentile, low, high); {} where they are free.

    diffusers' thresholding is Saharia et al., 2022, Imagen, sec. 2.3; its ``clip_sample`` a fixed bound.
    """
    try:
        if config.get("thresholding"):
            high = max(1.0, float(config.get("sample_max_value", 1.0)))
            return {"bounds": (float(config.get("dynamic_thresholding_ratio", 0.995)), 1.0, high)}
        bound = float(config.get("clip_sample_range", 1.0))
    except (TypeError, ValueError) as error:
        raise ModelError(f"scheduler_config.json: a bound of estimates is no number ({error})") from error
    clips = config.get("clip_sample", config.get("_class_name") in CLIPPING)
    return {"bounds": (1.0, bound, bound)} if clips else {}


def variance_of(net: Component, config: Mapping[str, Any], channels: int) -> dict[str, Any]:
    """Whether its variance is learned, of a state of so many channels.

    Raises ModelError where the scheduler says so and the network has none.
    """
    if config.get("variance_type") not in ("learned", "learned_range"):
        return {}
    pair(net, "out_channels", [2 * channels])
    return {"variance": "learned"}


def stage_spec(
    net: Component, scheduler: Component, preset: Preset, codec: Choice, shape: tuple[int, ...], card: Card
) -> Spec:
    """One stage of a network with a table of noise.  Raises ModelError for an unknown prediction or table."""
    config = config_of(scheduler)
    predicts = config.get("prediction_type", "epsilon")
    if predicts not in PREDICTS:
        raise ModelError(f"{scheduler.folder}: {unknown('prediction_type', str(predicts), PREDICTS)}")
    return Spec(
        net={"kind": "diffusers", "class": net.class_name, **bounds_of(config), **variance_of(net, config, shape[0])},
        parametrisation={"name": PREDICTS[predicts]},
        schedule=schedule_choice(config),
        codec=codec,
        shape=shape,
        sampling=sampling_of(config, preset),
        card=card,
    )


def member(found: Components, spec: Spec, nets: Sequence[str], link: Choice = KEEP, codec: str = "") -> Member:
    """A stage of these parts.  Hashes are not known yet: ``verify_system`` fills them in."""
    described = Described(nets[0], found.folder, spec, "", sum(found[name].bytes for name in nets))
    return Member(described, link, tuple(nets), codec)


def pair(part: Component, key: str, expected: Sequence[int]) -> None:
    """Raises ModelError where a size in a part's configuration is not one that another part makes."""
    if part.config.get(key) not in expected:
        many = " or ".join(map(str, expected))
        raise ModelError(f"{part.folder}: {key} is {part.config.get(key)!r}; expected {many}; fetch the model again")


@dataclass(frozen=True)
class ClipReading:
    """A prompt as CLIP reads it: states, pooled state, and where there are tokens."""

    clip: Tower
    read: tuple[str, str]
    width: int = 1

    @cached_property
    def tokens(self) -> tuple[Counted, ...]:
        return counted([self.clip], [self.read])

    @cached_property
    def notes(self) -> tuple[str, ...]:
        return notes_of([self.clip], [self.read])

    def conds(self, dtype: dtype) -> tuple[Cond, Cond]:
        text, pooled = self.clip.states(self.read, dtype)
        mask = self.clip.mask(self.read)
        return _told(text[:1], pooled[:1], mask[:1]), _told(text[1:], pooled[1:], mask[1:])


def _told(text: Tensor, pooled: Tensor, mask: Tensor) -> dict[str, Tensor]:
    return {"text": text, "pooled": pooled, "text_mask": mask}
