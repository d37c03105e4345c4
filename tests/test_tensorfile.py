"""Safetensors files: round trips against the reference implementation, and headers that lie."""

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from mezzotint.errors import InputError, ModelError
from mezzotint.tensorfile import looks_pickled, read_header, read_tensors, write_tensors

TENSORS = {
    "a.weight": torch.randn(3, 5),
    "a.gain": torch.tensor(1.5),
    "half": torch.randn(2, 3).bfloat16(),
    "count": torch.arange(7),
    "flags": torch.tensor([True, False, True]),
    "empty": torch.zeros(0, 4),
    "double": torch.randn(2, dtype=torch.float64),
}


def raw(path: Path, header: Any, data: bytes, length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def claim(begin: int = 0, end: int = 8, shape: Any = (2,), dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    first = write_tensors(path, TENSORS, {"format": "pt"})
    back = read_tensors(path)
    assert set(back) == set(TENSORS)
    for name, value in TENSORS.items():
        assert back[name].dtype == value.dtype and torch.equal(back[name], value), name
    assert write_tensors(tmp_path / "again", dict(reversed(TENSORS.items())), {"format": "pt"}) == first
    assert read_header(path).metadata == {"format": "pt"}
    assert read_header(path).parameters == sum(t.numel() for t in TENSORS.values())


def test_agrees_with_the_reference_implementation(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    write_tensors(ours, TENSORS)
    safetensors.torch.save_file(TENSORS, theirs)
    for path, read in ((ours, safetensors.torch.load_file), (theirs, read_tensors)):
        back = read(path)
        assert all(torch.equal(back[k], TENSORS[k]) for k in TENSORS)


def test_unaligned_data_is_read(tmp_path: Path) -> None:
    path = raw(tmp_path / "odd", {"b": claim(0, 1, (1,), "U8"), "a": claim(1, 9)}, b"\x07" + struct.pack("<2f", 1, 2))
    assert read_tensors(path)["a"].tolist() == [1, 2]


def test_mapped_weights_do_not_write_back(tmp_path: Path) -> None:
    path = tmp_path / "w"
    write_tensors(path, {"a": torch.ones(4)})
    before = path.read_bytes()
    read_tensors(path)["a"].zero_()
    assert path.read_bytes() == before


LIES = {
    "no bytes": (b"", "too few"),
    "header longer than the file": (struct.pack("<Q", 1000) + b"{}", "claims a header of 1000 bytes"),
    "header of exabytes": (struct.pack("<Q", 2**63) + b"{}", "claims a header"),
    "not JSON": (struct.pack("<Q", 4) + b"{{{{", "not a sound"),
    "not UTF-8": (struct.pack("<Q", 4) + b"\xff\xfe\xff\xfe", "not a sound"),
    "a list": (struct.pack("<Q", 2) + b"[]", "not a table"),
    "nested too deeply": (struct.pack("<Q", 100_000) + b"[" * 100_000, "not a sound"),
}


@pytest.mark.parametrize("name", LIES)
def test_lying_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(LIES[name][0])
    with pytest.raises(ModelError, match=LIES[name][1]):
        read_header(path)


CLAIMS = {
    "beyond the end": ({"a": claim(0, 4096, (1024,))}, "take 4096 bytes but the file has 8"),
    "trailing bytes": ({"a": claim(0, 4, (1,))}, "take 4 bytes but the file has 8"),
    "overlap": ({"a": claim(0, 8), "b": claim(4, 8, (1,))}, "overlap"),
    "hole": ({"a": claim(4, 8, (1,))}, "hole"),
    "shape and offsets disagree": ({"a": claim(0, 8, (3,))}, "needs 12 bytes"),
    "shape overflows": ({"a": claim(0, 8, (2**62, 2**62, 2**62))}, "needs"),
    "no values of an overflowing shape": ({"a": claim(0, 0, (2**62, 2**62, 0)), "b": claim(0, 8)}, "larger than any"),
    "negative size": ({"a": claim(0, 8, (-2,))}, "shape"),
    "fractional size": ({"a": claim(0, 8, (2.0,))}, "shape"),
    "boolean size": ({"a": claim(0, 8, (True,))}, "shape"),
    "a hundred axes": ({"a": claim(0, 8, (1,) * 99 + (2,))}, "shape"),
    "backwards offsets": ({"a": claim(8, 0)}, "offsets"),
    "unknown dtype": ({"a": claim(dtype="F31")}, "unknown dtype"),
    "dtype is a list": ({"a": {**claim(), "dtype": ["F32"]}}, "unknown dtype"),
    "missing offsets": ({"a": {"dtype": "F32", "shape": [2]}}, "expected dtype"),
    "extra key": ({"a": {**claim(), "eval": "x"}}, "expected dtype"),
    "a path for a name": ({"../../etc/passwd": claim()}, "not a tensor's name"),
    "a newline in a name": ({"a\nb": claim()}, "not a tensor's name"),
    "metadata of numbers": ({"__metadata__": {"a": 1}, "a": claim()}, "table of strings"),
    "the same name twice": (b'{"a": 1, "a": 2}', "occurs twice"),
    "a million empty tensors": ({f"t{i}": claim(0, 0, (0,)) for i in range(20_001)}, "at most 20000"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_lying_header(name: str, tmp_path: Path) -> None:
    header, message = CLAIMS[name]
    path = raw(tmp_path / "w.safetensors", header, bytes(8))
    with pytest.raises(ModelError, match=message) as fault:
        read_tensors(path)
    assert "\n" not in str(fault.value)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / "w"
    write_tensors(whole, TENSORS)
    data, cut = whole.read_bytes(), tmp_path / "cut"
    for size in range(0, len(data), 7):
        cut.write_bytes(data[:size])
        with pytest.raises(ModelError):
            read_tensors(cut)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", ["w.safetensors", "w.pt"])
def test_pickles_are_refused_unopened(protocol: int, name: str, tmp_path: Path) -> None:
    """The pickle, made elsewhere, would leave a file behind if anything opened it."""
    path, trap = tmp_path / name, tmp_path / "sprung"
    code = (
        "import os, pickle, sys\nclass Trap:\n def __reduce__(self): return (os.mkdir, (sys.argv[2],))\n"
        "pickle.dump({'a': Trap()}, open(sys.argv[1], 'wb'), protocol=int(sys.argv[3]))"
    )
    subprocess.run([sys.executable, "-c", code, str(path), str(trap), str(protocol)], check=True)
    with pytest.raises(ModelError, match=r"pickle|not a sound"):
        read_tensors(path)
    assert not trap.exists()


def test_torch_files_are_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    torch.save({"a": torch.ones(2)}, path)
    with pytest.raises(ModelError, match=r"is a pickle.*mezzotint convert"):
        read_header(path)


def test_the_way_out_works(tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "w.pt")
    with pytest.raises(ModelError) as fault:
        read_header(tmp_path / "w.pt")
    command = str(fault.value).split("`")[1].split()
    assert command[0] == "mezzotint"
    subprocess.run([sys.executable, "-m", *command], check=True, cwd=tmp_path)
    back = read_tensors(tmp_path / "w.safetensors")
    assert all(torch.equal(back[k], TENSORS[k]) for k in TENSORS)


@pytest.mark.parametrize("length", [0x0280, 0x0480, 0x6428, 0x0B50])
def test_a_header_length_is_not_mistaken_for_a_pickle(length: int) -> None:
    assert not looks_pickled(struct.pack("<Q", length))


def test_unreadable(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_header(tmp_path / "absent.safetensors")
    with pytest.raises(InputError, match="cannot read"):
        read_header(tmp_path)
