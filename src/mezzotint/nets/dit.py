"""A diffusion transformer for 1-D, 2-D and 3-D states, shaped for matmul: one modulation for all blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond
from mezzotint.errors import UsageError
from mezzotint.nets import rope
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
from mezzotint.nets.config import DiTConfig
from mezzotint.nets.embed import NOISE_WAVES, POSITION_WAVES, frequencies, grid_waves, overlaid, waves, windows
from mezzotint.nets.norm import gain_of, inverse_norm, modulate, normalise, unit
from mezzotint.nets.precision import compute_dtype
from mezzotint.nets.recalled import Split


class Attention(nn.Module):
    """Self-attention with normalised queries and keys, a learned temperature a head, and rotary positions.

    Dehghani et al., 2023, ViT-22B, eq. 2 (QK normalisation), https://arxiv.org/abs/2302.05442.
    """

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)
        self.temperature = nn.Parameter(torch.ones(config.heads))

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], bias: Tensor | None) -> Tensor:
        qkv = split_heads(self.qkv(x), 3, self.heads)
        qk, v = qkv.split_with_sizes((2, 1))  # slices would each have a gradient of the whole size, mostly zeros
        v = v.squeeze(0)
        scale = F.pad(self.temperature[None], (0, 0, 0, 1), value=math.sqrt(v.shape[-1]))  # of q; of k
        qk = qk * (inverse_norm(qk) * scale[:, None, :, None, None]).to(qk.dtype)
        q, k = rope.rotate(qk, *turn)
        y: Tensor = self.out(merge_heads(attend(q, k, v, bias)))
        return y


class CrossAttention(nn.Module):
    """Attention to text; a learned null token is always visible, so a prompt whose mask is all False is a value too."""

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.q = nn.Linear(config.width, config.width, bias=False)
        self.kv = nn.Linear(config.width, 2 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)
        self.temperature = nn.Parameter(torch.ones(config.heads))

    def keys(self, tokens: Tensor) -> Tensor:
        """Keys and values of the text (B, L, width): (2, B, H, L, h), the keys at norm sqrt(h)."""
        k, v = split_heads(self.kv(tokens), 2, self.heads)
        return torch.stack([unit(k, math.sqrt(k.shape[-1])), v])

    def forward(self, x: Tensor, kv: Tensor, bias: Tensor) -> Tensor:
        (q,) = split_heads(self.q(x), 1, self.heads)
        q = q * (inverse_norm(q) * self.temperature[:, None, None]).to(q.dtype)
        y: Tensor = self.out(merge_heads(attend(q, kv[0], kv[1], bias)))
        return y


class GatedMLP(nn.Module):
    """down(silu(gate x) * up x).  Shazeer, 2020, GLU Variants, eq. 6, https://arxiv.org/abs/2002.05202."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        # Two maps, not one split in half: activations on dense memory are twice as fast on a CPU.
        self.gate = nn.Linear(width, hidden, bias=False)
        self.up = nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.down(F.silu(self.gate(x)) * self.up(x))
        return y


class Block(nn.Module):
    """x + gate f(scale norm(x) + shift), for attention and for the MLP.  Peebles and Xie, 2023, https://arxiv.org/abs/2212.09748."""

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        self.norm = config.norm
        self.attention = Attention(config)
        crossed = config.text is not None and config.text.mode == "cross"
        self.cross = CrossAttention(config) if crossed else None
        self.mlp = GatedMLP(config.width, config.hidden)

    def forward(
        self,
        x: Tensor,
        mod: tuple[Tensor, ...],
        turn: tuple[Tensor, Tensor],
        bias: Tensor | None,
        text: TextKeys | None,
    ) -> Tensor:
        gain1, shift1, gate1, gain2, shift2, gate2 = (spread(m, x.shape[1]) for m in mod)
        x = torch.addcmul(x, gate1, self.attention(modulate(x, gain1, shift1, self.norm), turn, bias))
        if self.cross is not None and text is not None:
            x = x + self.cross(normalise(x, self.norm), *text)
        return torch.addcmul(x, gate2, self.mlp(modulate(x, gain2, shift2, self.norm)))


TextKeys = tuple[Tensor, Tensor]
"""(keys and values (2, B, H, L, h), bias (B, 1, 1, L)) of one block."""


class DiT(nn.Module):
    """The network: (x (B, C, *spatial), c_noise, cond) -> (B, C_out, *spatial), dtype of x.

    One modulation MLP serves all blocks, each adding its learned offset (Chen et al., 2024, PixArt-alpha, section 2.3,
    https://arxiv.org/abs/2310.00426).  Every gate and the last map start at zero: the untrained network answers 0.
    """

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        self.config = config
        d, inputs = config.width, math.prod(config.windows)
        self.patch = nn.Linear(config.in_channels * inputs, d)
        self.noise = nn.Sequential(nn.Linear(2 * NOISE_WAVES, d), nn.SiLU(), nn.Linear(d, d))
        self.label = None if config.num_classes is None else nn.Embedding(config.num_classes + 1, d)
        self.vector = None if config.vector is None else nn.Linear(config.vector, d)
        self.text = None if config.text is None else nn.Linear(config.text.dim, d)
        self.null = None if config.text is None or config.text.mode != "cross" else nn.Parameter(torch.zeros(1, 1, d))
        absolute = config.position == "rope+absolute"
        self.position = nn.Linear(2 * POSITION_WAVES * config.dims, d, bias=False) if absolute else None
        self.modulation = nn.Linear(d, 6 * d)
        self.offsets = nn.Parameter(torch.zeros(config.depth, 6 * d))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.last_modulation = nn.Linear(d, 2 * d)
        self.out = nn.Linear(d, config.out_channels * inputs)
        _initialise(self)

    def forward(self, x: Tensor, c_noise: Tensor, cond: Cond) -> Tensor:
        """x: (B, C, *spatial).  c_noise: (), (B,), or (B, F) where the first of three spatial axes is F frames.

        cond: "label" (B,); "vector" (B, V); "text" (B, L, D) or "text_kv", with "text_mask" (B, L); exactly those the
        config names. Raises UsageError for a wrong cond or c_noise, ModelError for a state that does not fit.
        """
        return self.split(x, c_noise, cond).answer

    def split(self, x: Tensor, c_noise: Tensor, cond: Cond) -> Split:
        """The same in parts: up to and with the first block, the other blocks, the last map."""
        config = self.config
        check_state(x, config.dims, config.in_channels, config.patches)
        check_names(cond, self.cond_names)
        if config.text is not None:
            check_text(cond, x.shape[0], config.text.dim)
        dtype = compute_dtype(self.patch.weight)
        grid = tuple(n // p for n, p in zip(x.shape[2:], config.patches, strict=True))
        tokens = self.patch(windows(x.to(dtype), config.patches, config.overlap))
        if self.position is not None:
            tokens = tokens + self.position(grid_waves(grid, POSITION_WAVES, x.device).to(dtype))
        c = check_noise(c_noise, x)
        if c.shape[1] > 1 and config.patches[0] != 1:
            raise UsageError(
                f"c_noise: a level a frame needs patch 1 on the frame axis, this network has {config.patches}"
            )
        emb = self._embed(c, cond, dtype)

        def last(every: Tensor) -> Tensor:
            tokens = every[:, -math.prod(grid) :]
            scale, shift = self.last_modulation(emb).chunk(2, -1)
            gain, shift = (spread(m, tokens.shape[1]) for m in (gain_of(scale, config.norm), shift))
            y = self.out(modulate(tokens, gain, shift, config.norm))
            return overlaid(y, config.patches, grid, config.overlap).to(x.dtype)

        tokens, blocks = self._blocks(tokens, grid, emb, cond, dtype)
        return Split(tokens, blocks[0](tokens), lambda tokens: _through(blocks[1:], tokens), last)

    @property
    def cond_names(self) -> tuple[str, ...]:
        """The names ``cond`` must hold."""
        return cond_names(self.config)

    def text_kv(self, cond: Cond) -> Cond:
        """``cond`` with "text_kv" for "text": what every evaluation would make of it; the answers are bit-equal.

        "text_kv" is (B, 2, depth, H, 1 + L, h) for cross-attention, (B, L, width) in context.
        """
        check_names(cond, self.cond_names)
        rest = {name: value for name, value in cond.items() if name != "text"}
        if self.config.text is None or "text" not in cond:
            return cond
        check_text(cond, cond["text"].shape[0], self.config.text.dim)
        return rest | {"text_kv": self._text_states(cond, compute_dtype(self.patch.weight))}

    def _text_states(self, cond: Cond, dtype: torch.dtype) -> Tensor:
        if "text_kv" in cond:
            return cond["text_kv"].to(dtype)
        assert self.text is not None and self.config.text is not None
        text, mask = cond["text"], cond["text_mask"]
        # Zeroing what is masked keeps even a NaN there from leaking through 0 * NaN.
        tokens = self.text(torch.where(mask[..., None], text, text.new_zeros(())).to(dtype))
        tokens = unit(tokens, math.sqrt(tokens.shape[-1]))
        if self.null is None:
            return tokens
        tokens = torch.cat([self.null.to(tokens.dtype).expand(tokens.shape[0], 1, -1), tokens], 1)
        kv = [b.cross.keys(tokens) for b in self.blocks if isinstance(b, Block) and b.cross is not None]
        return torch.stack(kv).transpose(0, 2)

    def _embed(self, c: Tensor, cond: Cond, dtype: torch.dtype) -> Tensor:
        """silu(noise + label) for each row and frame: (B, 1 or F, width)."""
        emb: Tensor = self.noise(waves(c, frequencies(NOISE_WAVES, *self.config.noise_range, c.device)).to(dtype))
        if self.label is not None:
            label = check_label(cond["label"], c.shape[0], self.label.num_embeddings - 1)
            emb = emb + self.label(label)[:, None].to(dtype)
        if self.vector is not None:
            vector = check_vector(cond["vector"], c.shape[0], self.vector.in_features)
            emb = emb + self.vector(vector.to(dtype))[:, None]
        return F.silu(emb)

    def _modulations(self, emb: Tensor, dtype: torch.dtype) -> list[tuple[Tensor, ...]]:
        """Six (B, 1 or F, width) a block: gain, shift, gate of attention, then of the MLP."""
        shared = self.modulation(emb) + self.offsets.to(dtype)[:, None, None]
        parts = list(shared.chunk(6, -1))
        parts[0], parts[3] = gain_of(parts[0], self.config.norm), gain_of(parts[3], self.config.norm)
        return list(zip(*(m.unbind(0) for m in parts), strict=True))

    def _blocks(
        self, tokens: Tensor, grid: tuple[int, ...], emb: Tensor, cond: Cond, dtype: torch.dtype
    ) -> tuple[Tensor, list[Callable[[Tensor], Tensor]]]:
        """(all tokens, the blocks with what each is told)."""
        config, count, bias = self.config, tokens.shape[1], None
        keys: list[TextKeys | None] = [None] * config.depth
        mods = self._modulations(emb, dtype)
        if config.text is not None:
            states, mask = self._text_states(cond, dtype), cond["text_mask"]
            if self.null is None:
                tokens, bias = torch.cat([states, tokens], 1), mask_bias(mask, 0, count, dtype)
                mods = [tuple(_with_text(m, states.shape[1], count) for m in mod) for mod in mods]
            else:
                # Dense, as text_kv first made them: another memory layout may round a matmul differently.
                keys = [(kv.contiguous(), mask_bias(mask, 1, 0, dtype)) for kv in states.transpose(0, 2).unbind(0)]
        turns = rope.Turns(grid, config.head_dim, config.rope_base, config.rope_step)
        turn = rope.tables(turns, tokens.shape[1] - count, tokens.device, dtype)
        told = zip(self.blocks, mods, keys, strict=True)
        return tokens, [partial(_asked, block, mod, turn, bias, kv) for block, mod, kv in told]


def _asked(
    block: nn.Module,
    mod: tuple[Tensor, ...],
    turn: tuple[Tensor, Tensor],
    bias: Tensor | None,
    text: TextKeys | None,
    tokens: Tensor,
) -> Tensor:
    y: Tensor = block(tokens, mod, turn, bias, text)
    return y


def _through(blocks: Sequence[Callable[[Tensor], Tensor]], tokens: Tensor) -> Tensor:
    for block in blocks:
        tokens = block(tokens)
    return tokens


def spread(m: Tensor, count: int) -> Tensor:
    """One modulation a row (B, 1, d) as it is; one a frame (B, F, d) repeated to each of its count / F tokens."""
    return m if m.shape[1] in (1, count) else m.repeat_interleave(count // m.shape[1], 1)


def _with_text(m: Tensor, length: int, count: int) -> Tensor:
    """Modulation of [text, picture]: one a row serves both; with one a frame, text takes the frames' mean."""
    if m.shape[1] == 1:
        return m
    return torch.cat([m.mean(1, keepdim=True).expand(-1, length, -1), spread(m, count)], 1)


def _initialise(net: DiT) -> None:
    for module in net.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=module.in_features**-0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.5)
        if isinstance(module, CrossAttention):
            nn.init.zeros_(module.out.weight)
    for last in (net.modulation, net.last_modulation, net.out):
        nn.init.zeros_(last.weight)
