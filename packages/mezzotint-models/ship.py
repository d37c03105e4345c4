"""Makes a trained run's model folder the one that ships: matrices in bfloat16, what was measured on the card.

    python packages/mezzotint-models/ship.py RUN/model NAME [--compute TEXT] [--measured EVALUATION.json]

EVALUATION.json is what ``mezzotint evaluate`` writes; run it on the shipped folder, then this once more.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent / "src" / "mezzotint_models"


def metrics(path: Path | None) -> dict[str, float]:
    """Name of a measure -> value, with the number of pictures."""
    if path is None:
        return {}
    found = json.loads(path.read_text())
    return {f"{name} ({found['n']:,} pictures)": value for name, value in found["metrics"].items()}


def main() -> None:
    """Writes the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("name")
    parser.add_argument("--compute", help="what training took; else what the run's card says")
    parser.add_argument("--measured", type=Path)
    given = parser.parse_args()
    import torch
    from safetensors.torch import load_file

    from mezzotint.pretrained.folder import WEIGHTS_NAME, describe, save_model

    spec = describe(given.model).spec
    measured = {**spec.card.metrics, **metrics(given.measured)}
    card = replace(spec.card, compute=given.compute or spec.card.compute, metrics=measured)
    made = save_model(
        HERE / given.name, load_file(given.model / WEIGHTS_NAME), replace(spec, card=card), torch.bfloat16
    )
    print(f"{made.folder.name}: {made.weights_bytes:,} bytes, sha256 {made.weights_sha256}")


if __name__ == "__main__":
    main()
