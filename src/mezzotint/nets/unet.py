"""A magnitude-preserving U-Net for 1-D, 2-D and 3-D states: no normalisation layers, no biases.

Karras et al., 2024, Analyzing and Improving the Training Dynamics of Diffusion Models, figure 7 (configuration G),
https://arxiv.org/abs/2312.02696.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond
from mezzotint.nets.attention import attend, mask_bias, merge_heads, split_heads
from mezzotint.nets.cond import (
    check_label,
    check_names,
    check_noise,
    check_state,
    check_text,
    check_vector,
    cond_names,
)
from mezzotint.nets.config import UNetConfig
from mezzotint.nets.dit import DiT
from mezzotint.nets.embed import NOISE_WAVES, frequencies, waves
from mezzotint.nets.magnitude import SILU, MPConv, dense, mp_cat, mp_silu, mp_sum, pixel_norm, project_, sum_weights
from mezzotint.nets.norm import unit
from mezzotint.nets.precision import compute_dtype
from mezzotint.nets.recalled import Split

Side = Literal["encoder", "decoder"]
Resample = Literal["keep", "down", "up"]


@dataclass(frozen=True)
class Step:
    """One block of the plan: what it takes in, gives out, and whether a skip is concatenated before it."""

    side: Side
    fan_in: int
    out: int
    level: int
    resample: Resample = "keep"
    attention: bool = False
    merge: bool = False


def plan(config: UNetConfig) -> tuple[Step, ...]:
    """The blocks in order: down through the levels, back up with one more block a level, each taking its skip."""
    channels, top = config.channels, len(config.channels) - 1
    steps, skips, now = list[Step](), [channels[0]], channels[0]
    for level, out in enumerate(channels):
        if level:
            steps.append(Step("encoder", now, now, level, "down"))
            skips.append(now)
        for _ in range(config.blocks):
            steps.append(Step("encoder", now, out, level, attention=level in config.attention))
            skips.append(now := out)
    for level, out in reversed(list(enumerate(channels))):
        if level == top:
            steps.append(Step("decoder", now, now, level, attention=level in config.attention))
            steps.append(Step("decoder", now, now, level))
        else:
            steps.append(Step("decoder", now, now, level, "up"))
        for _ in range(config.blocks + 1):
            steps.append(
                Step("decoder", now + skips.pop(), out, level, attention=level in config.attention, merge=True)
            )
            now = out
    return tuple(steps)


class SelfAttention(nn.Module):
    """Cosine attention over all pixels, eq. 43: queries, keys and values at unit magnitude a head."""

    def __init__(self, channels: int, head_dim: int, add: float) -> None:
        super().__init__()
        self.heads = channels // head_dim
        self.qkv = MPConv(channels, 3 * channels)
        self.out = MPConv(channels, channels, scale=add)

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.flatten(2).transpose(1, 2)
        qkv = split_heads(self.qkv(tokens), 3, self.heads)
        root = math.sqrt(qkv.shape[-1])
        q, k, v = unit(qkv, root)
        y: Tensor = self.out(merge_heads(attend(q / root, k, v, None)))
        return y.transpose(1, 2).reshape(x.shape)


class CrossAttention(nn.Module):
    """Cosine attention of pixels to text tokens (the first is the null token, always visible)."""

    def __init__(self, channels: int, head_dim: int, text: int, add: float) -> None:
        super().__init__()
        self.heads = channels // head_dim
        self.q = MPConv(channels, channels)
        self.kv = MPConv(text, 2 * channels)
        self.out = MPConv(channels, channels, scale=add)

    def forward(self, x: Tensor, kv: Tensor, bias: Tensor) -> Tensor:
        (q,) = split_heads(self.q(x.flatten(2).transpose(1, 2)), 1, self.heads)
        k, v = split_heads(kv, 2, self.heads)
        k, v = (unit(m, math.sqrt(m.shape[-1])) for m in (k, v))
        y: Tensor = self.out(merge_heads(attend(unit(q, 1.0), k, v, bias)))
        return y.transpose(1, 2).reshape(x.shape)


class Block(nn.Module):
    """One residual block, with attention where the plan says so; see figure 7 of the paper.

    The constants of mp_silu and mp_sum live in the convolutions' weights, which are smaller than pictures.
    """

    def __init__(self, config: UNetConfig, step: Step) -> None:
        super().__init__()
        self.step, self.strides, self.dropout = step, config.strides, config.dropout
        self.keep, add = sum_weights(config.balance)
        kernel, wide, out = (3,) * config.dims, max(config.channels), step.out
        self.skip = MPConv(step.fan_in, out, (1,) * config.dims) if step.fan_in != out else None
        self.first = MPConv(out if step.side == "encoder" else step.fan_in, out, kernel, scale=1 / SILU)
        self.modulation = MPConv(wide, out, gain="learned")
        self.second = MPConv(out, out, kernel, scale=add / SILU)
        self.attention = SelfAttention(out, config.head_dim, add) if step.attention else None
        crossed = step.attention and config.text is not None
        self.cross = CrossAttention(out, config.head_dim, wide, add) if crossed else None

    def forward(self, x: Tensor, emb: Tensor, texts: Iterator[tuple[Tensor, Tensor]]) -> Tensor:
        x = resampled(x, self.step.resample, self.strides)
        if self.step.side == "encoder":
            x = pixel_norm(x if self.skip is None else self.skip(x))
        y = self.first(F.silu(x))
        y = F.silu(y * across(self.modulation(emb) + 1, y))
        y = self.second(F.dropout(y, self.dropout, self.training) if self.dropout else y)
        if self.step.side == "decoder" and self.skip is not None:
            x = self.skip(x)
        x = torch.add(y, x, alpha=self.keep)
        if self.attention is not None:
            x = torch.add(self.attention(x), x, alpha=self.keep)
        if self.cross is not None:
            x = torch.add(self.cross(x, *next(texts)), x, alpha=self.keep)
        return x


class UNet(nn.Module):
    """The network: (x (B, C, *spatial), c_noise, cond) -> (B, C_out, *spatial), dtype of x.

    The last gain starts at zero: the untrained network answers 0.  Call :func:`mezzotint.nets.project_` after each
    optimizer step, and :func:`mezzotint.nets.freeze` before serving.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        wide, kernel = max(config.channels), (3,) * config.dims
        self.noise = MPConv(2 * NOISE_WAVES, wide)
        self.label = None if config.num_classes is None else MPConv(config.num_classes + 1, wide)
        self.vector = None if config.vector is None else MPConv(config.vector, wide)
        self.middle = None if config.middle is None else DiT(config.middle)
        self.text = None if config.text is None else MPConv(config.text.dim, wide)
        self.null = None if config.text is None else nn.Parameter(torch.randn(1, 1, wide))
        cells = config.fold**config.dims
        self.first = MPConv(config.in_channels * cells + 1, config.channels[0], kernel)
        self.blocks = nn.ModuleList(Block(config, step) for step in plan(config))
        self.out = MPConv(config.channels[0], config.out_channels * cells, kernel, gain="learned")
        project_(self)

    def forward(self, x: Tensor, c_noise: Tensor, cond: Cond) -> Tensor:
        """x: (B, C, *spatial).  c_noise: (), (B,), or (B, F) where the first of three spatial axes is F frames.

        cond: "label" (B,); "vector" (B, V) of unit mean square; "text" (B, L, D) or "text_kv", with "text_mask" (B, L);
        exactly those the config names. Raises UsageError for a wrong cond or c_noise, ModelError for a state that does
        not fit.
        """
        return self.split(x, c_noise, cond).answer

    def split(self, x: Tensor, c_noise: Tensor, cond: Cond) -> Split:
        """The same in parts: up to and with the first block, all others but the last, the last with the last map.

        So a middle that is taken from before is DeepCache's: what lies deeper than the finest resolution's ends.
        """
        config = self.config
        check_state(x, config.dims, config.in_channels, config.factor)
        check_names(cond, self.cond_names)
        if config.text is not None:
            check_text(cond, x.shape[0], config.text.dim)
        dtype = compute_dtype(self.first.weight)
        emb = self._embed(check_noise(c_noise, x), cond, dtype)
        texts = list(self._texts(cond, dtype))
        cells = x if config.fold == 1 else F.pixel_unshuffle(x, config.fold)
        y = dense(torch.cat([cells, torch.ones_like(cells[:, :1])], 1).to(dtype), config.dims)
        first = self.first(y)
        encoder, decoder = self._side("encoder"), self._side("decoder")
        own = 0 if encoder[0].cross is None else 1

        def middle(y: Tensor) -> Tensor:
            skips, told = [y], iter(texts[own:])
            for block in encoder[1:]:
                y = block(y, emb, told)
                skips.append(y)
            if self.middle is not None:
                y = y + self.middle(y, c_noise, {name: cond[name] for name in cond if name.startswith("text")})
            for block in decoder[:-1]:
                y = block(mp_cat(y, skips.pop()) if block.step.merge else y, emb, told)
            return y

        def last(y: Tensor) -> Tensor:
            answer: Tensor = self.out(decoder[-1](mp_cat(y, first), emb, iter(texts[-1:]))).to(x.dtype)
            return answer if config.fold == 1 else F.pixel_shuffle(answer, config.fold)

        return Split(first, encoder[0](first, emb, iter(texts)), middle, last)

    @property
    def cond_names(self) -> tuple[str, ...]:
        """The names ``cond`` must hold."""
        text = () if self.middle is None else self.middle.cond_names
        return (*cond_names(self.config), *text)

    def _side(self, side: Side) -> list[Block]:
        """The blocks of the encoder or of the decoder, in order."""
        return [b for b in self.blocks if isinstance(b, Block) and b.step.side == side]

    def text_kv(self, cond: Cond) -> Cond:
        """``cond`` with "text" replaced by "text_kv" (B, 1 + L, channels), the keys and values of every cross-attention
        side by side, as every evaluation would make them; the answers are bit-equal."""
        check_names(cond, self.cond_names)
        if "text" not in cond:
            return cond
        if self.middle is not None:
            named = self.middle.text_kv({name: cond[name] for name in cond if name.startswith("text")})
            return {name: value for name, value in cond.items() if not name.startswith("text")} | dict(named)
        if self.config.text is None:
            return cond
        check_text(cond, cond["text"].shape[0], self.config.text.dim)
        rest = {name: value for name, value in cond.items() if name != "text"}
        return rest | {"text_kv": self._text_states(cond, compute_dtype(self.first.weight))}

    def _text_states(self, cond: Cond, dtype: torch.dtype) -> Tensor:
        if "text_kv" in cond:
            return cond["text_kv"].to(dtype)
        assert self.text is not None and self.null is not None and self.config.text is not None
        text, mask = cond["text"], cond["text_mask"]
        # Zeroing what is masked keeps even a NaN there from leaking through 0 * NaN.
        tokens = self.text(torch.where(mask[..., None], text, text.new_zeros(())).to(dtype))
        tokens = torch.cat([self.null.to(dtype).expand(tokens.shape[0], 1, -1), tokens], 1)
        tokens = unit(tokens, math.sqrt(tokens.shape[-1]))
        return torch.cat([cross.kv(tokens) for cross in self._crossings()], -1)

    def _crossings(self) -> list[CrossAttention]:
        return [b.cross for b in self.blocks if isinstance(b, Block) and b.cross is not None]

    def _texts(self, cond: Cond, dtype: torch.dtype) -> Iterator[tuple[Tensor, Tensor]]:
        """(keys and values, bias) of each cross-attention in turn."""
        if self.config.text is None:
            return
        bias = mask_bias(cond["text_mask"], 1, 0, dtype)
        widths = [2 * step.out for step in plan(self.config) if step.attention]
        for kv in torch.split(self._text_states(cond, dtype), widths, -1):
            yield kv.contiguous(), bias

    def _embed(self, c: Tensor, cond: Cond, dtype: torch.dtype) -> Tensor:
        """mp_silu(mp_sum(noise, label)) for each row and frame: (B, 1 or F, wide)."""
        emb: Tensor = self.noise(waves(c, frequencies(NOISE_WAVES, *self.config.noise_range, c.device)).to(dtype))
        if self.label is not None:
            count = self.config.num_classes + 1 if self.config.num_classes is not None else 0
            hot = F.one_hot(check_label(cond["label"], c.shape[0], count - 1), count).to(dtype)
            emb = mp_sum(emb, self.label(hot * math.sqrt(count))[:, None], 0.5)
        if self.vector is not None and self.config.vector is not None:
            vector = check_vector(cond["vector"], c.shape[0], self.config.vector)
            emb = mp_sum(emb, self.vector(vector.to(dtype))[:, None], 0.5)
        return mp_silu(emb)


def resampled(x: Tensor, how: Resample, strides: tuple[int, ...]) -> Tensor:
    """x at half size (mean of the cells), at double size (nearest), or as it is."""
    if how == "keep":
        return x
    if how == "down":
        for axis, stride in enumerate(strides, 2):
            x = x if stride == 1 else halved(x, axis)
        return x
    return F.interpolate(x, scale_factor=[float(s) for s in strides], mode="nearest")


def halved(x: Tensor, axis: int) -> Tensor:
    """Mean of neighbours along one axis; two strided reads serve every number of axes, dtype and memory format."""
    pairs = x.reshape(*x.shape[:axis], -1, 2, *x.shape[axis + 1 :])
    mean: Tensor = (pairs.select(axis + 1, 0) + pairs.select(axis + 1, 1)) * 0.5
    return mean


def across(m: Tensor, x: Tensor) -> Tensor:
    """Modulation (B, 1 or F, C) as (B, C, 1 or f, 1 ...) against x (B, C, f, ...); pooled frames take the mean."""
    m = m.transpose(1, 2)
    if m.shape[2] > 1 and m.shape[2] != x.shape[2]:
        m = m.reshape(*m.shape[:2], x.shape[2], -1).mean(3)
    return m.reshape(*m.shape, *(1,) * (x.ndim - 3))
