"""What an autoencoder keeps of a picture: peak signal-to-noise ratio of photographs that came back from latents.

    PSNR = 10 log10(255² / mean (x - D(E(x)))²)   a picture of the products data, in decibels

Of compositions (products that were learnt from, put together otherwise) and of subjects (products that were not), in
states as they are and as data sets of latents keep them, eight bits a number.  Beside it the same of JPEG files and of
bicubic thumbnails of as many bytes as the latent has: an autoencoder that is no better is of no use.

    python benchmarks/reconstruction.py AUTOENCODER --data PRODUCTS [-n 256]
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness

if TYPE_CHECKING:
    from torch import Tensor

    from mezzotint.products.source import Part

    Way = Callable[[Tensor], Tensor]

SIDE, BATCH = 256, 8
PARTS: tuple[Part, ...] = ("compositions", "subjects")
HEAD = ("photographs", "way", "bytes", "PSNR dB", "95 %", "n")


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """(n,) decibels of pictures (n, C, H, W) uint8; 100 where they are the same."""
    error = (a.double() - b.double()).square().flatten(1).mean(1)
    return 10 * (255.0**2 / error.clamp_min(255.0**2 * 1e-10)).log10()


def taken(data: Path, part: Part, n: int, side: int) -> Tensor:
    """n scenes of a part, evenly over all of it, (n, 3, side, side) uint8."""
    import numpy as np
    import torch

    from mezzotint.products.source import Scenes

    shard = Scenes(data, side, part, shards=1).open(0, lambda bad: None)
    if len(shard) < n:
        raise SystemExit(f"{data} has {len(shard)} photographs of {part}; -n is {n}")
    items = [shard[k * len(shard) // n] for k in range(n)]
    return torch.from_numpy(np.stack([np.asarray(item.image) for item in items]))


def jpeg(images: Tensor, most: int) -> tuple[Tensor, int]:
    """Pictures as JPEG of the best quality that takes at most so many bytes each, and the bytes of the largest; the
    smallest there is where none does."""
    import numpy as np
    import torch
    from PIL import Image

    made, largest = [], 0
    for image in images.permute(0, 2, 3, 1).numpy():
        for quality in (*range(95, 4, -5), 1):
            file = io.BytesIO()
            Image.fromarray(image).save(file, "JPEG", quality=quality, optimize=True)
            if file.tell() <= most:
                break
        largest = max(largest, file.tell())
        made.append(np.asarray(Image.open(file)))
    return torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2), largest


def thumbnail(images: Tensor, most: int) -> tuple[Tensor, int]:
    """Pictures made as small as so many bytes and large again, bicubic, and the bytes."""
    import torch.nn.functional as F

    side = int((most / images.shape[1]) ** 0.5)
    small = F.interpolate(images.float(), (side, side), mode="bicubic", antialias=True).round().clamp(0, 255)
    large = F.interpolate(small, images.shape[-2:], mode="bicubic").round().clamp(0, 255)
    return large.to(images.dtype), side * side * images.shape[1]


def by_parts(images: Tensor, way: Way) -> Tensor:
    import torch

    return torch.cat([way(rows) for rows in images.split(BATCH)])


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table; writes ``<out>/reconstruction.json``."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("autoencoder", type=Path, help="RUN/model of mezzotint train products-latent:autoencoder")
    asked.add_argument("--data", type=Path, required=True, help="a folder of mezzotint render")
    asked.add_argument("-n", type=int, default=256, help="photographs of each part")
    asked.add_argument("--side", type=int, default=SIDE)
    asked.add_argument("--threads", type=int, default=1)
    asked.add_argument("--out", type=Path, default=harness.RESULTS)
    given = asked.parse_args(argv)
    harness.use_threads(given.threads)

    from mezzotint.codecs.latent import Latent, Stored
    from mezzotint.evaluation.estimate import mean_of
    from mezzotint.nets.autoencoder import Autoencoder
    from mezzotint.pretrained.network import describe_network, load_network

    part = describe_network(given.autoencoder)
    net = load_network(part)
    if not isinstance(net, Autoencoder):
        raise SystemExit(f"{given.autoencoder} holds no autoencoder")
    codec = Latent(net, (given.side, given.side))
    c, h, w = codec.shape
    stored, size = Stored((c, h, w)), c * h * w
    rows, found = [], {}
    for name in PARTS:
        images = taken(given.data, name, given.n, given.side)
        ways = {
            "latents": (by_parts(images, lambda x: codec.decode(codec.encode(x))), 4 * size),
            "latents of eight bits": (
                by_parts(images, lambda x: codec.decode(stored.encode(stored.decode(codec.encode(x))))),
                size,
            ),
            "JPEG": jpeg(images, size),
            "thumbnail": thumbnail(images, size),
        }
        for way, (made, count) in ways.items():
            said = mean_of(psnr(images, made))
            found[f"{name}/{way}"] = {"bytes": count, "psnr": said.value, "low": said.low, "high": said.high}
            rows.append((name, way, str(count), f"{said.value:.2f}", f"{said.low:.2f} … {said.high:.2f}", str(said.n)))
    print(harness.table(rows, HEAD))
    settings = {"autoencoder": part.weights_sha256, "n": given.n, "side": given.side}
    outcome = harness.Outcome("reconstruction", harness.machine(given.threads), settings, [], {"found": found})
    return harness.finish(outcome, given.out)


if __name__ == "__main__":
    sys.exit(main())
