"""Quantised transformers in GGUF files: diffusers' own numbers, and headers that lie."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import flow_singles
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import mezzotint as mz
from mezzotint.errors import ModelError
from mezzotint.pretrained.gguf_file import gguf_header
from mezzotint.pretrained.original import original
from mezzotint.pretrained.original_unet import UNET


def written(path: Path, *values: int | bytes, name: bytes = b"a.weight") -> Path:
    """A file of one float32 tensor of 2 x 32, where a value is given that in the place of the sound one.

    values: version, tensors, values, axes, rows, columns, type, offset, data.
    """
    sound: list[int | bytes] = [3, 1, 0, 2, 2, 32, 0, 0, bytes(256)]
    version, tensors, many, axes, rows, columns, kind, offset, data = [*values, *sound[len(values) :]]
    head = struct.pack("<4sIQQ", b"GGUF", version, tensors, many)
    head += struct.pack(f"<Q{len(name)}sIQQIQ", len(name), name, axes, columns, rows, kind, offset)
    path.write_bytes(head + bytes(-len(head) % 32) + bytes(data))
    return path


def test_a_header(tmp_path: Path) -> None:
    entry = gguf_header(written(tmp_path / "a.gguf")).entries["a.weight"]
    assert (entry.dtype, entry.shape, entry.begin, entry.end) == ("F32", (2, 32), 0, 256)


LIES: dict[str, tuple[tuple[int, ...], str]] = {
    "version": ((9,), "expected version 2 or 3"),
    "tensors": ((3, 2**60), "claims 1152921504606846976 tensors"),
    "values": ((3, 1, 2**40), "claims 1099511627776 values"),
    "axes": ((3, 1, 0, 99), "claims 99 axes"),
    "size": ((3, 1, 0, 2, 2**50, 32), "do not lie in the file"),
    "blocks": ((3, 1, 0, 2, 2, 33, 8), "rows of 33 are no whole blocks of 32"),
    "type": ((3, 1, 0, 2, 2, 32, 77), "is of type 77"),
    "offset": ((3, 1, 0, 2, 2, 32, 0, 7), "do not lie in the file"),
}  # fmt: skip


@pytest.mark.parametrize("lie", list(LIES))
def test_a_lying_header(lie: str, tmp_path: Path) -> None:
    values, said = LIES[lie]
    with pytest.raises(ModelError, match=said) as caught:
        original(written(tmp_path / "a.gguf", *values))
    assert "\n" not in str(caught.value)


def test_cut_short_and_hostile_names(tmp_path: Path) -> None:
    whole = written(tmp_path / "a.gguf").read_bytes()
    for length in (4, 20, 40, 70, 200):
        (tmp_path / "cut.gguf").write_bytes(whole[:length])
        with pytest.raises(ModelError, match="not a sound GGUF file"):
            original(tmp_path / "cut.gguf")
    with pytest.raises(ModelError, match="is not a tensor's name"):
        original(written(tmp_path / "b.gguf", name=b"../a"))


KINDS = ("Q8_0", "Q4_0", "Q5_1", "BF16")


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return flow_singles.flux(tmp_path_factory.mktemp("flux"), distilled=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_numbers_are_those_of_diffusers(kind: str, dev: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """A FLUX transformer alone: its weights equal diffusers' reading, and the pictures those of these numbers."""
    gguf = pytest.importorskip("gguf", reason="pip install 'mezzotint[gguf]'")
    from diffusers.models.model_loading_utils import load_gguf_checkpoint
    from diffusers.quantizers.gguf.utils import dequantize_gguf_tensor

    folder, file, _ = dev
    own = {k.removeprefix(UNET): w for k, w in load_file(file).items() if k.startswith(UNET)}
    quantised(gguf, tmp_path / "net.gguf", own, kind)
    theirs = {
        k: dequantize_gguf_tensor(w).detach() for k, w in load_gguf_checkpoint(str(tmp_path / "net.gguf")).items()
    }
    from mezzotint.pretrained.weights_file import tensors_in

    ours = tensors_in(tmp_path / "net.gguf")
    assert ours.keys() == theirs.keys() == own.keys()
    assert all(torch.equal(ours[k], theirs[k]) and ours[k].dtype == theirs[k].dtype for k in ours)
    assert any(not torch.equal(ours[k].float(), own[k]) for k in own)
    if kind != KINDS[0]:
        return
    save_file(theirs, tmp_path / "same.safetensors")
    made = [picture(tmp_path / name, folder) for name in ("net.gguf", "same.safetensors")]
    assert np.array_equal(*made)


def quantised(gguf: object, path: Path, weights: dict[str, torch.Tensor], kind: str) -> None:
    """Written with the package: matrices of whole blocks in a kind, the rest in float32."""
    kinds: Callable[[str], int] = gguf.GGMLQuantizationType.__getitem__  # type: ignore[attr-defined]
    writer = gguf.GGUFWriter(str(path), "flux")  # type: ignore[attr-defined]
    for name, value in weights.items():
        chosen = kinds(kind if value.ndim == 2 and value.shape[1] % 32 == 0 else "F32")
        writer.add_tensor(name, gguf.quants.quantize(value.numpy(), chosen), raw_dtype=chosen)  # type: ignore[attr-defined]
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def picture(model: Path, parts: Path) -> np.ndarray:
    return mz.generate("a red chair", model=model, parts=[parts], seed=3, steps=2, size="32x32").images[0].pixels
