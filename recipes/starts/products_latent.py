"""What ``products-latent:finer`` begins with: a trained denoiser with a token a latent pixel where it had one for four.

    python recipes/starts/products_latent.py DENOISER --out FOLDER
    mezzotint train products-latent:finer --from FOLDER --part autoencoder=RUN/model

DENOISER is the model folder of ``products-latent`` or ``products-latent:further``; what ships is finer already.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from mezzotint.errors import MezzotintError
from mezzotint.nets import DiTConfig, config_to_dict
from mezzotint.nets.finer import finer, finer_weights
from mezzotint.pretrained.folder import load_model, save_model


def main() -> None:
    """Writes the folder, in float32."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("denoiser", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    said = parser.parse_args()
    try:
        loaded = load_model(said.denoiser)
        config = loaded.network.config
        if not isinstance(config, DiTConfig):
            parser.error(f"{said.denoiser} is no transformer; give the denoiser of products-latent")
        made = finer(config)
    except MezzotintError as error:
        parser.error(str(error))
    weights = finer_weights({k: v.float() for k, v in loaded.network.state_dict().items()}, config)
    spec = replace(loaded.described.spec, net=config_to_dict(made))
    save_model(said.out, weights, spec, torch.float32)
    print(f"{said.out}: {made.tokens} tokens where there were {config.tokens}")


if __name__ == "__main__":
    main()
