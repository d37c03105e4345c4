"""What the decoder of ``products-prior`` begins with: the base of ``products-pixel``, cut down.

    python recipes/starts/products_prior.py BASE --out FOLDER
    mezzotint train products-prior:further --from FOLDER --part embedder=RUN/model

BASE is the model folder of that base.  Four of its seven blocks are kept, its text is left out, and the map of the
embedding begins at zero, so that before its first update the decoder is that base, told nothing, with blocks missing.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from mezzotint.errors import MezzotintError
from mezzotint.nets import DiTConfig, build, config_to_dict
from mezzotint.pretrained.folder import load_model
from mezzotint.pretrained.network import save_network

KEPT = (0, 1, 5, 6)
"""Blocks of the base that the decoder has: the four of the 35 choices by which the loss of what is told nothing rises
least (0.070 to 0.129, 96 held-out pictures; 4.5 by the worst)."""


def cut(weights: Mapping[str, Tensor], config: DiTConfig, kept: Sequence[int]) -> dict[str, Tensor]:
    """Weights of a transformer, of whose blocks those in ``kept`` stay, as those of ``config``.

    Weights that ``config`` has no place for are left out, those that only it has are zeros.
    """
    names = build(config).state_dict()
    blocks = {f"blocks.{new}.": f"blocks.{old}." for new, old in enumerate(kept)}

    def found(name: str, like: Tensor) -> Tensor:
        if name == "offsets":
            return weights[name][list(kept)]
        new = next((b for b in blocks if name.startswith(b)), "")
        return weights.get(name.replace(new, blocks[new], 1) if new else name, torch.zeros_like(like))

    return {name: found(name, like) for name, like in names.items()}


def decoder_config(base: DiTConfig, depth: int, vector: int) -> DiTConfig:
    """The base's with ``depth`` blocks, told an embedding in place of a text."""
    return replace(base, depth=depth, text=None, vector=vector)


def main() -> None:
    """Writes the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--vector", type=int, default=128, help="dimensions of the embedding")
    said = parser.parse_args()
    try:
        loaded = load_model(said.base)
    except MezzotintError as error:
        parser.error(str(error))
    base = loaded.network.config
    if not isinstance(base, DiTConfig) or base.depth <= max(KEPT):
        parser.error(f"{said.base} is no transformer of {max(KEPT) + 1} blocks; give the base of products-pixel")
    config = decoder_config(base, len(KEPT), said.vector)
    weights = cut(loaded.network.state_dict(), config, KEPT)
    save_network(said.out, weights, config_to_dict(config), loaded.described.spec.card)
    print(f"{said.out}: {sum(w.numel() for w in weights.values()):,} numbers, blocks {KEPT} of {base.depth}")


if __name__ == "__main__":
    main()
