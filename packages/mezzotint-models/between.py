"""Writes a model between two others of one network: w = FROM + SHARE (TO - FROM).

    python packages/mezzotint-models/between.py FROM TO SHARE OUT

Wortsman et al., 2022, Robust fine-tuning of zero-shot models (WiSE-FT), arXiv 2109.01903: what was taught last is kept
for the most part, and so is what was known before.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from safetensors.torch import load_file

from mezzotint.pretrained.folder import WEIGHTS_NAME, check_weights, describe, load_model, save_model


def main() -> None:
    """Writes the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=Path, metavar="FROM")
    parser.add_argument("last", type=Path, metavar="TO")
    parser.add_argument("share", type=float)
    parser.add_argument("out", type=Path)
    said = parser.parse_args()
    if not 0 <= said.share <= 1:
        parser.error(f"SHARE is {said.share}; expected 0 to 1")
    first, last = (load_file(folder / WEIGHTS_NAME) for folder in (said.first, said.last))
    check_weights(load_model(said.last).network, first, said.first / WEIGHTS_NAME)
    between = {name: a.float().lerp(last[name].float(), said.share) for name, a in first.items()}
    made = save_model(said.out, between, describe(said.last).spec)
    print(f"{said.out}: {made.weights_bytes:,} bytes")


if __name__ == "__main__":
    main()
