"""Weights are mapped from their file: opening a checkpoint and running it in its own format takes no memory of the
process' own for them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import CLIPTextConfig, CLIPTextModel

BIG, LITTLE = 190 << 20, 8 << 20
"""The weights' bytes at least, and what an allocator and a forward pass may take beside them."""

MEASURE = """
import json, sys
from pathlib import Path
import torch
from mezzotint.pretrained.component_network import network_of
from mezzotint.pretrained.components import Component
from mezzotint.pretrained.families.clip import read_by
from mezzotint.pretrained.weights_file import header_of, tensors_in

def own():  # bytes of this process alone, of no file
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Anonymous:"))

def grown(make):
    before = own()
    kept.append(make())
    return own() - before

torch.set_num_threads(1)
kept, ids = [], torch.zeros(1, 8, dtype=torch.long)
small, big = (Component("text_encoder", "transformers", "CLIPTextModel", Path(p)) for p in sys.argv[1:])
for dtype in (torch.float32, torch.bfloat16):
    read_by(network_of(small, "cpu", dtype), ids)  # what the first of all takes: code, allocators
print(json.dumps({
    "header": grown(lambda: header_of(big.files[0])),
    "one tensor": grown(lambda: [t := tensors_in(big.files[0]), max(t.values(), key=torch.numel).sum()]),
    "network": grown(lambda: network_of(big, "cpu", torch.float32)),
    "run": grown(lambda: read_by(network_of(big, "cpu", torch.float32), ids)),
    "other format": grown(lambda: network_of(big, "cpu", torch.bfloat16)),
}))
"""


def encoder(folder: Path, words: int, width: int) -> Path:
    torch.manual_seed(0)
    config = CLIPTextConfig(
        hidden_size=width, intermediate_size=width, num_attention_heads=4, num_hidden_layers=1, vocab_size=words,
        bos_token_id=1, eos_token_id=2, pad_token_id=2,
    )  # fmt: skip
    CLIPTextModel(config).save_pretrained(folder)
    return folder


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="it is Linux that says whose memory is whose")
def test_opening_takes_no_memory_of_the_process_own(tmp_path: Path) -> None:
    small, big = encoder(tmp_path / "small", 64, 64), encoder(tmp_path / "big", 48_000, 1024)
    weights = sum(path.stat().st_size for path in big.glob("*.safetensors"))
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(small), str(big)], capture_output=True, text=True, check=True
    )
    grown = json.loads(done.stdout.splitlines()[-1])
    assert weights > BIG
    assert all(grown[name] < LITTLE for name in ("header", "one tensor", "network", "run"))
    assert weights / 2 - LITTLE < grown["other format"] < weights / 2 + LITTLE  # or this would measure nothing
