"""What the recipes of product models share: their data, what the networks are told, and the words on their cards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from mezzotint.codecs.embedding import Embedding
from mezzotint.codecs.latent import Latent
from mezzotint.conditioning.text import encoder
from mezzotint.config import home
from mezzotint.diffusion.denoiser import Cond
from mezzotint.diffusion.level import Level, noised
from mezzotint.errors import InputError, ModelError
from mezzotint.nets import TextConfig
from mezzotint.nets.autoencoder import Autoencoder
from mezzotint.nets.embedder import Embedder
from mezzotint.pretrained.network import describe_network, load_network
from mezzotint.products.latents import LatentScenes
from mezzotint.products.phrases import english_words
from mezzotint.products.source import Scenes
from mezzotint.stage import Enlarge
from mezzotint.training.conditioning import Captions
from mezzotint.training.data.source import Data
from mezzotint.training.identity import weights_digest
from mezzotint.training.schedule import Optimiser, Trapezoid
from mezzotint.training.task import Draws
from mezzotint.training.texts import CachedTexts

SIDE, SMALL = 256, 64
"""Sides of the finished picture, and of the first stage's in a cascade, px."""

NOTHING: Mapping[str, Any] = MappingProxyType({})
LATENT_VARIANTS = 4
"""Scenes of each photograph that are kept as latents.  Drawing and encoding one takes longer on a processor than a step
learns from it: 25 minutes once for all of these, of which a run of hours learns dozens of times.  The one that ships
learnt 531,000 times from 2."""

ENCODER, TOKENS = "minilm", 28
TEXT = TextConfig(dim=384, mode="in_context", length=TOKENS)
CAPTIONS = Captions(CachedTexts(ENCODER, TOKENS))

TRANSFORMER = Optimiser(
    rate=3e-3, warmup=300, weight_decay=0.01, decay=Trapezoid(cooldown=0.3, floor=0.01), orthogonal=("blocks.",)
)
"""How every transformer of the product models learns: at twice this rate the loss of a latent's jumps."""

DATA = (
    "15,730 studio pictures of 702 products of 297 kinds, photographed by this project from the 3-D models of the"
    " Debian package sweethome3d-furniture 1.8 (CC-BY 3.0 and CC0; authors: CREDITS.md of mezzotint-models),"
    " composed on plain, gradient and textured backgrounds. Held out: 60 whole products, a tenth of the pairs of a"
    " kind of product with a colour, and a tenth of those with a background."
)

DATA_LICENCE = "CC-BY-3.0"
"""The stricter of the two that the models' makers chose."""

LIMITS = (
    "Single objects of 297 kinds, as 3-D models show them, in 13 colours, on simple backgrounds. English prompts"
    " are read by the encoder. No people, no text, no scenes. Some source models copy the shapes of branded goods, cars"
    " above all: check outputs before trade use."
)


def model_table(
    title: str,
    summary: str,
    standard: Mapping[str, Any],
    codec: Mapping[str, Any],
    draft: Mapping[str, Any] = NOTHING,
) -> dict[str, Any]:
    """What the recipes of product models say in ``model.json``.

    standard: the preset of that quality.   draft: in what that of draft differs beside its steps, half as many.
    """
    half = {**standard, "steps": max(4, standard["steps"] // 2), **draft}
    best = {**standard, "steps": 2 * standard["steps"]}
    return {
        "schedule": {"name": "karras", "sigma_min": 0.002, "sigma_max": 80.0, "rho": 7.0},
        "codec": dict(codec),
        "sampling": {"draft": half, "standard": dict(standard), "best": best},
        "card": {"title": title, "summary": summary, "licence": "Apache-2.0", "data": DATA, "limits": LIMITS},
    }


def text_table() -> dict[str, Any]:
    """How product models read prompts."""
    words = sorted(english_words())
    return {
        "encoder": ENCODER,
        "sha256": encoder(ENCODER).sha256,
        "tokens": TOKENS,
        "words": words,
        "phrases": "products",
    }


def photographs(folder: Path | None) -> Path:
    """Where ``mezzotint render`` put the pictures: as given, else ``products`` under the Mezzotint home."""
    found = folder or home() / "products"
    if not found.is_dir():
        raise InputError(
            f"no photographed products in {found}; make them with: mezzotint render --out {found},"
            " or give their folder with --data"
        )
    return found


def scenes(size: int, crop: int | None = None) -> Callable[[Path | None], Data]:
    """The data of a recipe: captioned scenes of ``size`` px, or parts of them of ``crop`` px, to learn from; held-out
    compositions to measure on."""

    def data(folder: Path | None) -> Data:
        where = photographs(folder)
        return Data(Scenes(where, size, crop=crop), Scenes(where, size, "compositions", shards=1, crop=crop))

    return data


@dataclass(frozen=True)
class SmallCopy:
    """What an upsampler is told: the picture itself made ``factor`` times smaller, enlarged again, noised.

    The noise level is drawn evenly in log-SNR over ``logsnr`` (low, high), so that at sampling time one can be chosen.
    Saharia et al., 2022, Imagen, app. A.1 (noise conditioning augmentation).
    """

    factor: int
    logsnr: tuple[float, float]

    def __call__(self, images: Tensor, draws: Draws) -> Cond:
        """images: (B, C, H, W) uint8.   Returns: lowres (B, C, H, W) float32, lowres_logsnr (B,) float32."""
        x = images.float() / 127.5 - 1
        small = Enlarge(tuple(images.shape[-2:])).floats(F.avg_pool2d(x, self.factor))
        low, high = self.logsnr
        logsnr = (low + (high - low) * draws.uniforms(0)).to(small)
        level = Level(logsnr.sigmoid().sqrt(), (-logsnr).sigmoid().sqrt())
        noise = draws.normals(0, tuple(small.shape[1:])).to(small)
        return {"lowres": noised(small, noise, level), "lowres_logsnr": logsnr}


def latent_scenes(net: Autoencoder, size: int) -> Callable[[Path | None], Data]:
    """The data of a recipe that diffuses in the latents of scenes of ``size`` px by a trained autoencoder, which is
    convolutional and takes any size.  Latents of another decoder's autoencoder serve too where the encoder is the same.
    """
    digest, shape = weights_digest(net.encoder), replace(net.config, size=(size, size)).shape

    def codec() -> Latent:
        return Latent(net, (size, size))

    def data(folder: Path | None) -> Data:
        where = photographs(folder)
        made = (Scenes(where, size, shards=LATENT_VARIANTS), Scenes(where, size, "compositions", shards=1))
        train, held = (LatentScenes(s, codec, digest, shape) for s in made)
        return Data(train, held)

    return data


@dataclass(frozen=True)
class ToldEmbedding:
    """What a decoder is told: the picture's own embedding, or zeros in ``drop`` of the rows.

    Ramesh et al., 2022, Hierarchical Text-Conditional Image Generation with CLIP Latents, section 2.1.
    """

    codec: Embedding
    drop: float = 0.1

    def __call__(self, images: Tensor, draws: Draws) -> Cond:
        """images: (B, C, H, W) uint8.   Returns: vector (B, width)."""
        vector = self.codec.decode(self.codec.encode(images))
        kept = (draws.uniforms(0) >= self.drop).to(vector)
        return {"vector": vector * kept[:, None]}


def autoencoder_of(part: Path) -> Autoencoder:
    """The trained autoencoder of a folder.  Raises InputError, ModelError where it is something else."""
    net = load_network(describe_network(part))
    if not isinstance(net, Autoencoder):
        raise ModelError(f"{part} holds no autoencoder; train one with: mezzotint train products-latent:autoencoder")
    return net


def embedder_of(part: Path) -> Embedder:
    """The trained space of a folder.  Raises InputError, ModelError where it is something else."""
    net = load_network(describe_network(part))
    if not isinstance(net, Embedder):
        raise ModelError(f"{part} holds no embedder; train one with: mezzotint train products-prior:embedder")
    return net
