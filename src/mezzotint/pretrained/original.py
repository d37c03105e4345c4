"""A checkpoint in one file, in the original layout: what it is, from its header alone, and its parts.

The layout of CompVis', Stability's and Black Forest Labs' releases, which AUTOMATIC1111's web UI and ComfyUI keep: the
denoiser, the autoencoder and the text encoders under prefixes of their own, or the denoiser alone.  Every size is read
off a shape; what no shape says (heads, groups, the scheduler) is the families' own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mezzotint.errors import ModelError
from mezzotint.pretrained.components import Components
from mezzotint.pretrained.original_flow import flux, sd3
from mezzotint.pretrained.original_unet import unet_system
from mezzotint.pretrained.single import Single, single

DENOISER = "model.diffusion_model."
MARKERS: Mapping[str, Callable[[Single, str, Sequence[Path]], Components]] = {
    "double_blocks.0.img_attn.qkv.weight": flux,
    "joint_blocks.0.x_block.attn.qkv.weight": sd3,
    "input_blocks.0.0.weight": unet_system,
}
"""A tensor that a family's denoiser has -> what reads its parts."""

LORA = "is a LoRA, not a model: give it with --lora"
OTHERS = {
    "lora_": LORA, "hada_": LORA, "lokr_": LORA, "control_model.": "is a ControlNet in one file, not a model",
    "emb_params": "is a textual inversion, not a model: give it with --embedding",
    "string_to_param": "is a textual inversion, not a model: give it with --embedding",
    "encoder.block.": "is a text encoder alone: give it with --parts beside a model",
    "text_model.encoder.": "is a text encoder alone: give it with --parts beside a model",
    "decoder.conv_in.": "is an autoencoder alone: give it with --parts beside a model",
}  # fmt: skip
"""Part of a tensor's name -> what a file is that is no model."""


def original(path: Path, parts: Sequence[Path] = ()) -> Components:
    """The parts of a single file; those that it lacks come from ``parts``, then from what lies around it.

    Raises: InputError (unreadable), ModelError (a pickle, a lying header, no checkpoint of a kind that is known, a
    LoRA, parts that are missing), UsageError (several parts that fit), StorageError (the tokenizer's folder cannot be
    written).
    """
    file = single(path)
    for prefix in (DENOISER, ""):
        for marker, read in MARKERS.items():
            if prefix + marker in file.shapes:
                return read(file, prefix, parts)
    raise ModelError(f"{path} {_what_else(file)}; expected a checkpoint with {DENOISER}*")


def holds_denoiser(file: Single) -> bool:
    """Whether a file is a checkpoint of a kind that is known, or a denoiser alone."""
    return any(prefix + marker in file.shapes for prefix in (DENOISER, "") for marker in MARKERS)


def _what_else(file: Single) -> str:
    if len(file.shapes) <= 2 and all(len(s) in (1, 2) and s[-1] in WORDS for s in file.shapes.values()):
        return OTHERS["emb_params"]
    said = next((what for part, what in OTHERS.items() if any(part in name for name in file.shapes)), None)
    first = next(iter(file.shapes), "none")
    return said or f"is no checkpoint of a kind that is known ({len(file.shapes)} tensors, {first!r} first)"


WORDS = (768, 1024, 1280)
"""Widths of the text encoders that textual inversions are for."""
