"""FLUX's and SD3's layers in the original layout, where one may hold several of diffusers': q, k and v in one matrix.

Facts: Black Forest Labs' flux and Stability AI's sd3 reference code; the order of the rows is theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

Rows = tuple[tuple[int, int], ...]
"""Ranges of an original layer's output rows, in the order in which they are one of diffusers' layers; () is all."""

Piece = tuple[str, Rows]
"""A layer's path, and which rows of what a file says are its own."""

IMAGE, TEXT = ("attn.to_q", "attn.to_k", "attn.to_v"), ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj")
FLUX_DOUBLE: Mapping[str, Sequence[str]] = {
    "img_attn.qkv": IMAGE, "qkv_lora1": IMAGE, "txt_attn.qkv": TEXT, "qkv_lora2": TEXT,
    "img_attn.proj": ("attn.to_out.0",), "proj_lora1": ("attn.to_out.0",),
    "txt_attn.proj": ("attn.to_add_out",), "proj_lora2": ("attn.to_add_out",),
    "img_mlp.0": ("ff.net.0.proj",), "img_mlp.2": ("ff.net.2",),
    "txt_mlp.0": ("ff_context.net.0.proj",), "txt_mlp.2": ("ff_context.net.2",),
    "img_mod.lin": ("norm1.linear",), "txt_mod.lin": ("norm1_context.linear",),
}  # fmt: skip
FLUX_SINGLE: Mapping[str, Sequence[str]] = {
    "linear1": (*IMAGE, "proj_mlp"), "qkv_lora": IMAGE, "linear2": ("proj_out",), "proj_lora": ("proj_out",),
    "modulation.lin": ("norm.linear",),
}  # fmt: skip
EMBEDDERS: Mapping[str, str] = {
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    "img_in": "x_embedder", "txt_in": "context_embedder", "final_layer.linear": "proj_out",
}  # fmt: skip
SD3_BLOCK: Mapping[str, Sequence[str]] = {
    "x_block.attn.qkv": IMAGE, "context_block.attn.qkv": TEXT,
    "x_block.attn2.qkv": ("attn2.to_q", "attn2.to_k", "attn2.to_v"),
    "x_block.attn.proj": ("attn.to_out.0",), "context_block.attn.proj": ("attn.to_add_out",),
    "x_block.attn2.proj": ("attn2.to_out.0",),
    "x_block.mlp.fc1": ("ff.net.0.proj",), "x_block.mlp.fc2": ("ff.net.2",),
    "context_block.mlp.fc1": ("ff_context.net.0.proj",), "context_block.mlp.fc2": ("ff_context.net.2",),
    "x_block.adaLN_modulation.1": ("norm1.linear",), "context_block.adaLN_modulation.1": ("norm1_context.linear",),
}  # fmt: skip
SD3_EMBEDDERS: Mapping[str, str] = {
    "t_embedder.mlp.0": "time_text_embed.timestep_embedder.linear_1",
    "t_embedder.mlp.2": "time_text_embed.timestep_embedder.linear_2",
    "y_embedder.mlp.0": "time_text_embed.text_embedder.linear_1",
    "y_embedder.mlp.2": "time_text_embed.text_embedder.linear_2",
    "x_embedder.proj": "pos_embed.proj", "context_embedder": "context_embedder", "final_layer.linear": "proj_out",
}  # fmt: skip
LAST = "final_layer.adaLN_modulation.1"
_BLOCK = re.compile(r"(single_)?transformer_blocks\.(\d+)\.")


def pieces_of(class_name: str, sizes: Mapping[str, int]) -> dict[str, tuple[Piece, ...]]:
    """Original names of layers -> the layers of diffusers' that each holds; {} for another class.

    sizes: of a transformer's layers, path -> output rows.
    """
    if class_name not in ("FluxTransformer2DModel", "SD3Transformer2DModel"):
        return {}
    flux = class_name.startswith("Flux")
    found = dict(_named(sizes, flux))
    for theirs, path in (EMBEDDERS if flux else SD3_EMBEDDERS).items():
        if path in sizes:
            found[theirs] = ((path, ()),)
    if "norm_out.linear" in sizes:
        found[LAST] = (("norm_out.linear", _swapped(sizes["norm_out.linear"])),)
    if not flux:
        _swap_last(found, sizes)
    return found


def _named(sizes: Mapping[str, int], flux: bool) -> Iterator[tuple[str, tuple[Piece, ...]]]:
    blocks = dict.fromkeys(match[0] for path in sizes if (match := _BLOCK.match(path)))
    for block in blocks:
        single, number = block.startswith("single_"), block.split(".")[1]
        head = ("single_blocks" if single else "double_blocks") if flux else "joint_blocks"
        for theirs, ours in ((FLUX_SINGLE if single else FLUX_DOUBLE) if flux else SD3_BLOCK).items():
            paths = [block + name for name in ours]
            if all(path in sizes for path in paths):
                yield f"{head}.{number}.{theirs}", _cut(paths, sizes)


def _cut(paths: Sequence[str], sizes: Mapping[str, int]) -> tuple[Piece, ...]:
    if len(paths) == 1:
        return ((paths[0], ()),)
    ends = [sum(sizes[path] for path in paths[: k + 1]) for k in range(len(paths))]
    return tuple((path, ((end - sizes[path], end),)) for path, end in zip(paths, ends, strict=True))


def _swapped(rows: int) -> Rows:
    """diffusers' last normalisation has scale before shift."""
    return ((rows // 2, rows), (0, rows // 2))


def _swap_last(found: dict[str, tuple[Piece, ...]], sizes: Mapping[str, int]) -> None:
    """SD3's last block, whose text goes no further, has such a normalisation too: two parts where others have six."""
    for name, ((path, *_), *more) in list(found.items()):
        alike = path.replace("_context", "")
        if name.endswith("context_block.adaLN_modulation.1") and not more and sizes[path] != sizes.get(alike):
            found[name] = ((path, _swapped(sizes[path])),)
