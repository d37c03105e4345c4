"""Writes a model between two others of one network: w = FROM + SHARE (TO - FROM).

    python packages/mezzotint-models/between.py FROM TO SHARE OUT

Wortsman et al., 2022, Robust fine-tuning of zero-shot models (WiSE-FT), arXiv 2109.01903: what was taught last is kept
for the most part, and so is what was known before.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mezzotint.errors import MezzotintError
from mezzotint.pretrained.folder import WEIGHTS_NAME, Described, check_weights, describe, load_model, save_model
from mezzotint.tensorfile import read_tensors


def between(first: Path, last: Path, share: float, out: Path) -> Described:
    """The model that is written.  Raises InputError, ModelError (no models, or not of one network)."""
    network, path = load_model(last).network, first / WEIGHTS_NAME
    begun = read_tensors(path)
    check_weights(network, begun, path)
    ended = network.state_dict()
    found = {name: a.float().lerp(ended[name].float(), share) for name, a in begun.items()}
    return save_model(out, found, describe(last).spec)


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
    try:
        made = between(said.first, said.last, said.share, said.out)
    except MezzotintError as error:
        parser.error(str(error))
    print(f"{said.out}: {made.weights_bytes:,} bytes")


if __name__ == "__main__":
    main()
