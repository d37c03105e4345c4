"""Which parts of a diffusers folder our own few lines build, by their configuration; others have the library's class.

Importing diffusers and transformers for one class takes seconds: they import each other and most of torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mezzotint.pretrained.components import Component

if TYPE_CHECKING:
    from torch import nn

MAX_SIZE, MAX_DEPTH = 1 << 20, 64

UNET_FREE = (
    "sample_size", "in_channels", "out_channels", "flip_sin_to_cos", "freq_shift", "down_block_types",
    "up_block_types", "block_out_channels", "layers_per_block", "dropout", "norm_num_groups", "norm_eps",
    "cross_attention_dim", "transformer_layers_per_block", "attention_head_dim", "use_linear_projection",
    "addition_embed_type", "addition_time_embed_dim", "num_class_embeds", "upcast_attention", "time_cond_proj_dim",
    "projection_class_embeddings_input_dim", "addition_embed_type_num_heads",
)  # fmt: skip
UNET_FIXED: Mapping[str, tuple[Any, ...]] = {
    "center_input_sample": (False,), "mid_block_type": ("UNetMidBlock2DCrossAttn",), "only_cross_attention": (False,),
    "downsample_padding": (1,), "mid_block_scale_factor": (1,), "act_fn": ("silu",), "dual_cross_attention": (False,),
    "resnet_time_scale_shift": ("default",), "resnet_skip_time_act": (False,), "resnet_out_scale_factor": (1.0,),
    "time_embedding_type": ("positional",), "conv_in_kernel": (3,), "conv_out_kernel": (3,),
    "attention_type": ("default",), "class_embeddings_concat": (False,),
    "mid_block_only_cross_attention": (None, False),
}  # fmt: skip
KL_FREE = (
    "in_channels", "out_channels", "down_block_types", "up_block_types", "block_out_channels", "layers_per_block",
    "latent_channels", "norm_num_groups", "sample_size", "scaling_factor", "shift_factor", "latents_mean",
    "latents_std", "force_upcast", "use_quant_conv", "use_post_quant_conv", "mid_block_add_attention",
)  # fmt: skip
KL_FIXED: Mapping[str, tuple[Any, ...]] = {"act_fn": ("silu",)}
CLIP_FREE = (
    "vocab_size", "max_position_embeddings", "hidden_size", "intermediate_size", "num_attention_heads",
    "num_hidden_layers", "hidden_act", "layer_norm_eps", "eos_token_id", "bos_token_id", "pad_token_id",
    "projection_dim", "attention_dropout", "dropout", "initializer_factor", "initializer_range", "architectures",
    "model_type", "torch_dtype", "dtype", "transformers_version",
)  # fmt: skip


class BeyondError(Exception):
    """A configuration that says something which these few lines do not know."""


def own_network(part: Component) -> nn.Module | None:
    """A part's network without memory for its weights; None where the library's class has to build it."""
    from mezzotint.nets.empty import empty

    make = MAKERS.get((part.library, part.class_name))
    try:
        return None if make is None else empty(lambda: make(part.config))
    except (BeyondError, ValueError):  # the library's class says what is wrong
        return None


def _only(config: Mapping[str, Any], free: Sequence[str], fixed: Mapping[str, tuple[Any, ...]]) -> None:
    """Raises BeyondError where a key is neither free nor has one of the values that are known."""
    for key, value in config.items():
        known = key in free or key.startswith("_") or value in fixed.get(key, (None,))
        if not known:
            raise BeyondError(key)


def _size(config: Mapping[str, Any], key: str, otherwise: int, most: int = MAX_SIZE) -> int:
    """A size; ``otherwise`` where none is said."""
    value = config.get(key)
    value = otherwise if value is None else value
    if type(value) is not int or not 0 <= value <= most:
        raise BeyondError(key)
    return value


def _sizes(config: Mapping[str, Any], key: str, otherwise: int, many: int, most: int = MAX_SIZE) -> tuple[int, ...]:
    """One size for each stage, or the same for all."""
    value = config.get(key, otherwise)
    values = value if isinstance(value, list) else [value] * many
    if len(values) != many or not all(type(v) is int and 1 <= v <= most for v in values):
        raise BeyondError(key)
    return tuple(values)


def _widths(config: Mapping[str, Any], groups: int) -> tuple[int, ...]:
    widths = config.get("block_out_channels")
    if not isinstance(widths, list) or not 1 <= len(widths) <= 16:
        raise BeyondError("block_out_channels")
    found = _sizes(config, "block_out_channels", 0, len(widths))
    if groups < 1 or any(width % groups for width in found):
        raise BeyondError("norm_num_groups")
    return found


def _kinds(config: Mapping[str, Any], key: str, many: int, names: Mapping[str, bool]) -> tuple[bool, ...]:
    """Of each stage, what the name of its kind stands for."""
    kinds = config.get(key)
    if not isinstance(kinds, list) or len(kinds) != many or not all(isinstance(k, str) and k in names for k in kinds):
        raise BeyondError(key)
    return tuple(names[kind] for kind in kinds)


def _number(config: Mapping[str, Any], key: str, otherwise: float) -> float:
    value = config.get(key, otherwise)
    if type(value) not in (int, float):
        raise BeyondError(key)
    return float(value)


def _said(config: Mapping[str, Any], key: str, otherwise: bool) -> bool:
    value = config.get(key, otherwise)
    if type(value) is not bool:
        raise BeyondError(key)
    return value


def _unet(config: Mapping[str, Any]) -> nn.Module:
    from mezzotint.nets.published.unet import ConditionedUNet, UNetConfig

    _only(config, UNET_FREE, UNET_FIXED)
    groups = _size(config, "norm_num_groups", 0)
    widths = _widths(config, groups)
    heads = _sizes(config, "attention_head_dim", 8, len(widths))
    added = config.get("addition_embed_type")
    if added not in (None, "text_time") or any(w % h for w, h in zip(widths, heads, strict=True)):
        raise BeyondError("addition_embed_type or attention_head_dim")
    made = UNetConfig(
        seen=_size(config, "in_channels", 4), made=_size(config, "out_channels", 4), widths=widths,
        depth=_size(config, "layers_per_block", 2, MAX_DEPTH),
        attends=_kinds(
            config, "down_block_types", len(widths), {"DownBlock2D": False, "CrossAttnDownBlock2D": True}
        ),
        attends_up=_kinds(config, "up_block_types", len(widths), {"UpBlock2D": False, "CrossAttnUpBlock2D": True}),
        heads=heads, blocks=_sizes(config, "transformer_layers_per_block", 1, len(widths), MAX_DEPTH),
        context=_size(config, "cross_attention_dim", 1280), groups=groups, eps=_number(config, "norm_eps", 1e-5),
        linear=_said(config, "use_linear_projection", False), flipped=_said(config, "flip_sin_to_cos", True),
        shift=_number(config, "freq_shift", 0), classes=_size(config, "num_class_embeds", 0),
        scale=_size(config, "time_cond_proj_dim", 0),
        size_width=_size(config, "addition_time_embed_dim", 0) if added else 0,
        added=_size(config, "projection_class_embeddings_input_dim", 0) if added else 0,
    )  # fmt: skip
    return ConditionedUNet(made)


def _kl(config: Mapping[str, Any]) -> nn.Module:
    from mezzotint.nets.published.kl import KLAutoencoder, KLConfig

    _only(config, KL_FREE, KL_FIXED)
    groups = _size(config, "norm_num_groups", 32)
    widths = _widths(config, groups)
    _kinds(config, "down_block_types", len(widths), {"DownEncoderBlock2D": True})
    _kinds(config, "up_block_types", len(widths), {"UpDecoderBlock2D": True})
    made = KLConfig(
        seen=_size(config, "in_channels", 3), made=_size(config, "out_channels", 3),
        latent=_size(config, "latent_channels", 4), widths=widths,
        depth=_size(config, "layers_per_block", 1, MAX_DEPTH), groups=groups,
        attends=_said(config, "mid_block_add_attention", True), quant=_said(config, "use_quant_conv", True),
        post_quant=_said(config, "use_post_quant_conv", True),
    )  # fmt: skip
    return KLAutoencoder(made)


def _clip_config(config: Mapping[str, Any]) -> Any:
    from mezzotint.nets.published.clip import ACTIVATIONS, CLIPConfig

    _only(config, CLIP_FREE, {})
    width, heads = _size(config, "hidden_size", 512), _size(config, "num_attention_heads", 8)
    activation = config.get("hidden_act", "quick_gelu")
    if not heads or width % heads or str(activation) not in ACTIVATIONS:
        raise BeyondError("num_attention_heads or hidden_act")
    return CLIPConfig(
        words=_size(config, "vocab_size", 49408), positions=_size(config, "max_position_embeddings", 77), width=width,
        inner=_size(config, "intermediate_size", 2048), heads=heads,
        depth=_size(config, "num_hidden_layers", 12, MAX_DEPTH), activation=activation,
        eps=_number(config, "layer_norm_eps", 1e-5), end=_size(config, "eos_token_id", 49407),
        projected=_size(config, "projection_dim", 512),
    )  # fmt: skip


def _clip(config: Mapping[str, Any]) -> nn.Module:
    from mezzotint.nets.published.clip import CLIPText

    return CLIPText(_clip_config(config))


def _clip_projected(config: Mapping[str, Any]) -> nn.Module:
    from mezzotint.nets.published.clip import CLIPTextProjected

    return CLIPTextProjected(_clip_config(config))


MAKERS: Mapping[tuple[str, str], Callable[[Mapping[str, Any]], nn.Module]] = {
    ("diffusers", "UNet2DConditionModel"): _unet,
    ("diffusers", "AutoencoderKL"): _kl,
    ("transformers", "CLIPTextModel"): _clip,
    ("transformers", "CLIPTextModelWithProjection"): _clip_projected,
}
