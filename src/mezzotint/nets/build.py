"""Networks from data and back: build, JSON, size, cost, and the frozen form for inference."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond
from mezzotint.errors import ModelError
from mezzotint.nets.autoencoder import Autoencoder
from mezzotint.nets.config import (
    AutoencoderConfig,
    DiTConfig,
    EmbedderConfig,
    JudgeConfig,
    RankerConfig,
    TextConfig,
    UNetConfig,
    UpsamplerConfig,
)
from mezzotint.nets.dit import DiT
from mezzotint.nets.embedder import Embedder
from mezzotint.nets.judge import Judge
from mezzotint.nets.magnitude import FixedConv, MPConv
from mezzotint.nets.ranker import Ranker
from mezzotint.nets.unet import UNet
from mezzotint.nets.upsampler import Upsampler

NetConfig = DiTConfig | UNetConfig | UpsamplerConfig
AnyConfig = NetConfig | AutoencoderConfig | EmbedderConfig | JudgeConfig | RankerConfig
_C = TypeVar("_C", bound=AnyConfig | TextConfig)
_KINDS: dict[str, type[AnyConfig]] = {
    "dit": DiTConfig,
    "unet": UNetConfig,
    "upsampler": UpsamplerConfig,
    "autoencoder": AutoencoderConfig,
    "embedder": EmbedderConfig,
    "judge": JudgeConfig,
    "ranker": RankerConfig,
}
_NESTED: dict[str, type[NetConfig | TextConfig]] = {"text": TextConfig, "middle": DiTConfig, "inner": UNetConfig}


def build(config: AnyConfig) -> nn.Module:
    """The network of ``config``, float32 on the CPU, weights drawn from torch's global generator (seed it first)."""
    makers: dict[type, Callable[[Any], nn.Module]] = {
        DiTConfig: DiT,
        UNetConfig: UNet,
        UpsamplerConfig: Upsampler,
        AutoencoderConfig: Autoencoder,
        EmbedderConfig: Embedder,
        JudgeConfig: Judge,
        RankerConfig: Ranker,
    }
    return makers[type(config)](config)


def config_to_dict(config: AnyConfig) -> dict[str, Any]:
    """JSON-safe; ``kind`` says which network."""
    kind = next(name for name, cls in _KINDS.items() if isinstance(config, cls))
    return {"kind": kind, **_plain(dataclasses.asdict(config))}


def config_from_dict(data: Mapping[str, Any]) -> AnyConfig:
    """The inverse of :func:`config_to_dict`; an unknown kind or key raises ModelError."""
    rest = dict(data)
    cls = _KINDS.get(str(rest.pop("kind", None)))
    if cls is None:
        raise ModelError(f"network config: kind must be one of {', '.join(_KINDS)}, got {data.get('kind')!r}")
    return _from_dict(cls, rest)


def parameter_count(net: nn.Module) -> int:
    """Numbers a trainer would learn."""
    return sum(p.numel() for p in net.parameters())


def freeze(net: nn.Module, dtype: torch.dtype) -> nn.Module:
    """A copy for inference: eval mode, no gradients, weights in ``dtype`` with all weight normalisation done once.

    The answers are those of ``net`` in eval mode cast to ``dtype``; ``net`` is left alone.
    """
    frozen = copy.deepcopy(net).eval().requires_grad_(False)
    for parent in list(frozen.modules()):
        for name, child in parent.named_children():
            if isinstance(child, MPConv):
                setattr(parent, name, FixedConv(child, dtype))
    return frozen.to(dtype)


def frames_first(net: nn.Module) -> FramesFirst:
    """``net`` for a state (B, F, C, H, W), the order of a video and of its per-frame levels."""
    return FramesFirst(net)


class FramesFirst(nn.Module):
    """Swaps the first two axes of the state on the way in and out of a 3-D network."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor, c_noise: Tensor, cond: Cond) -> Tensor:
        y: Tensor = self.net(x.transpose(1, 2), c_noise, cond)
        return y.transpose(1, 2)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def _from_dict(cls: type[_C], data: Mapping[str, Any]) -> _C:
    known = {f.name for f in dataclasses.fields(cls)}
    unknown = sorted(set(data) - known)
    if unknown:
        raise ModelError(f"{cls.__name__}: unknown key {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    return cls(**{name: _value(name, value) for name, value in data.items()})


def _value(name: str, value: Any) -> Any:
    if name in _NESTED and value is not None:
        return _from_dict(_NESTED[name], value)
    return tuple(value) if isinstance(value, list) else value
