"""Pickles: what is weights comes through, what is a program does not run."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from mezzotint.errors import InputError, MezzotintError, ModelError, UsageError
from mezzotint.pretrained.convert import convert
from mezzotint.tensorfile import read_tensors

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2, dtype=torch.bfloat16)}


class Evil:
    """What unpickling would run."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.file}",)


class Callback:
    """What Lightning leaves in its checkpoints: a class that may not be installed here."""

    def __init__(self) -> None:
        self.best = 3


def same(path: Path) -> None:
    found = read_tensors(path)
    assert found.keys() == WEIGHTS.keys()
    assert all(torch.equal(found[k], w) and found[k].dtype == w.dtype for k, w in WEIGHTS.items())


@pytest.mark.parametrize("zipped", [True, False])
def test_a_checkpoint_becomes_the_same_weights(tmp_path: Path, zipped: bool) -> None:
    torch.save(WEIGHTS, tmp_path / "w.ckpt", _use_new_zipfile_serialization=zipped)
    (made,) = convert(tmp_path / "w.ckpt")
    assert made.path == tmp_path / "w.safetensors" and made.tensors == 2
    same(made.path)


def test_a_trainers_checkpoint_gives_its_state_alone(tmp_path: Path) -> None:
    """Classes that are not known, counters, an optimizer: none of it comes along, none of it is imported."""
    shared = WEIGHTS["a.weight"]
    state = {**{k: torch.nn.Parameter(w) for k, w in WEIGHTS.items()}}
    whole = {"state_dict": state, "epoch": 3, "callbacks": {"x": Callback()}, "optimizer": {"m": shared.clone()}}
    torch.save(whole, tmp_path / "last.ckpt")
    same(convert(tmp_path / "last.ckpt", tmp_path / "new" / "out.safetensors")[0].path)


def test_a_textual_inversion_gives_its_vectors(tmp_path: Path) -> None:
    whole = {"string_to_token": {"*": 265}, "string_to_param": {"*": WEIGHTS["a.weight"]}, "name": "acme", "step": 500}
    torch.save(whole, tmp_path / "acme.pt")
    found = read_tensors(convert(tmp_path / "acme.pt")[0].path)
    assert found.keys() == {"emb_params"} and torch.equal(found["emb_params"], WEIGHTS["a.weight"])


def test_transposed_and_shared_tensors_are_written_whole(tmp_path: Path) -> None:
    base = torch.arange(6.0).reshape(2, 3)
    torch.save({"t": base.T, "u": base, "v": base[:, 1:]}, tmp_path / "w.pt")
    found = read_tensors(convert(tmp_path / "w.pt")[0].path)
    assert torch.equal(found["t"], base.T) and torch.equal(found["u"], base) and torch.equal(found["v"], base[:, 1:])


@pytest.mark.parametrize("how", ["bare", *(pytest.param(how, marks=pytest.mark.slow) for how in ("zipped", "beside"))])
def test_a_program_does_not_run(tmp_path: Path, how: str) -> None:
    sentinel, path = tmp_path / "ran", tmp_path / "evil.ckpt"
    if how == "bare":
        path.write_bytes(pickle.dumps(Evil(sentinel)))
    else:
        torch.save({"w": Evil(sentinel)} | (WEIGHTS if how == "beside" else {}), path)
    if how == "beside":
        same(convert(path)[0].path)
    else:
        with pytest.raises(ModelError, match="cannot be converted"):
            convert(path)
    assert not sentinel.exists()


def test_the_process_itself_is_confined(tmp_path: Path) -> None:
    """Should the closed set of names fail one day: no process, no socket, no file elsewhere."""
    deeds = (
        f"__import__('os').system('touch {tmp_path}/ran')",
        "__import__('socket').socket()",
        f"open('{tmp_path}/elsewhere', 'w')",
        "__import__('subprocess').run(['true'])",
    )
    code = (
        "from pathlib import Path; from mezzotint.pretrained import unpickle\n"
        f"unpickle.confine(Path({str(tmp_path / 'out' / 'x')!r}), 0)\n"
    )
    code += "".join(f"try:\n    {deed}\nexcept PermissionError as error:\n    print(error)\n" for deed in deeds)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    said = ended.stdout.splitlines()
    assert len(said) == len(deeds) and all(line.startswith("a pickle tried") for line in said), ended.stderr
    assert not (tmp_path / "ran").exists() and not (tmp_path / "elsewhere").exists()


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    """One number that says it is 2^33 of them."""
    torch.save({"w": torch.zeros(1).expand(1 << 33)}, tmp_path / "bomb.pt")
    with pytest.raises(ModelError, match="would take 34359738368 bytes"):
        convert(tmp_path / "bomb.pt")
    assert [p.name for p in tmp_path.iterdir()] == ["bomb.pt"]


@pytest.mark.slow
def test_a_folder_is_converted_whole(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "unet").mkdir(parents=True)
    torch.save(WEIGHTS, folder / "unet" / "diffusion_pytorch_model.bin")
    (folder / "text_encoder").mkdir()
    torch.save(WEIGHTS, folder / "text_encoder" / "pytorch_model.bin")
    (folder / "model_index.json").write_text("{}")
    made = convert(folder)
    out = tmp_path / "model-safetensors"
    same(out / "unet" / "diffusion_pytorch_model.safetensors")
    same(out / "text_encoder" / "model.safetensors")
    assert len(made) == 2 and (out / "model_index.json").read_text() == "{}"
    assert (folder / "unet" / "diffusion_pytorch_model.bin").exists()
    assert not list(out.rglob("*.bin"))


@pytest.mark.parametrize(
    "fault", ["truncated", *(pytest.param(fault, marks=pytest.mark.slow) for fault in ("random", "empty", "zip"))]
)
def test_damage_is_one_line(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "w.ckpt"
    torch.save(WEIGHTS, path)
    whole = path.read_bytes()
    if fault == "zip":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("hello", "world")
    else:
        path.write_bytes({"truncated": whole[: len(whole) // 2], "random": bytes(range(256)) * 4, "empty": b""}[fault])
    with pytest.raises(ModelError) as caught:
        convert(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_what_is_there_stays(tmp_path: Path) -> None:
    torch.save(WEIGHTS, tmp_path / "w.pt")
    made = convert(tmp_path / "w.pt")[0].path
    for again, error in ((tmp_path / "w.pt", UsageError), (made, UsageError), (tmp_path / "no.pt", MezzotintError)):
        with pytest.raises(error):
            convert(again, None if again != made else tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="holds no pickles"):
        (tmp_path / "bare").mkdir()
        convert(tmp_path / "bare")


def test_a_folder_keeps_shards_variants_and_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the hub's cache has it: files are links.  Nothing but the pickles' names changes in what speaks of them."""
    folder, blob = tmp_path / "model", tmp_path / "blob"
    folder.mkdir()
    shards = [f"pytorch_model-0000{k}-of-00002.bin" for k in (1, 2)]
    torch.save(WEIGHTS, blob)
    for name in (*shards, "pytorch_model.fp16.bin", "diffusion_pytorch_model.bin"):
        (folder / name).symlink_to(blob)
    torch.save({"rate": 0.1}, folder / "training_args.bin")
    index = {"metadata": {}, "weight_map": {"a.weight": shards[0], "a.bias": shards[1]}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    monkeypatch.chdir(folder)
    made = convert(Path())
    out = tmp_path / "model-safetensors"
    new = [f"model-0000{k}-of-00002.safetensors" for k in (1, 2)]
    others = ["model.fp16.safetensors", "diffusion_pytorch_model.safetensors"]
    assert {p.name for p in out.iterdir()} == {*new, *others, "model.safetensors.index.json"}
    for name in (*new, *others):
        same(out / name)
    said = json.loads((out / "model.safetensors.index.json").read_text())
    assert said["weight_map"] == {"a.weight": new[0], "a.bias": new[1]}
    empty = [one for one in made if not one.tensors]
    assert [(one.path.name, one.sha256) for one in empty] == [("training_args.bin", "")]
    assert sorted(one.path.name for one in made if one.tensors) == sorted([*new, *others])


def test_a_folder_that_cannot_be_converted_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    torch.save(WEIGHTS, folder / "model.pt")
    torch.save(WEIGHTS, folder / "pytorch_model.bin")
    with pytest.raises(UsageError, match=r"model.pt and .*pytorch_model.bin would both become model.safetensors"):
        convert(folder)
    (folder / "pytorch_model.bin").write_bytes(b"no pickle")
    (folder / "model.pt").rename(folder / "a.pt")
    with pytest.raises(ModelError, match=r"pytorch_model.bin cannot be converted"):
        convert(folder)
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def quantised() -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is about to drop them; files have them
        return torch.quantize_per_tensor(torch.zeros(2), 1.0, 0, torch.qint8)


LOST = {
    "'shadow' is a list": {"w": torch.zeros(2), "shadow": [torch.zeros(2)]},
    "'pair' is a tuple": {"w": torch.zeros(2), "pair": (1, (torch.zeros(2),))},
    "'q' is quantised": {"w": torch.zeros(2), "q": quantised()},
    "'s' is sparse": {"w": torch.zeros(2), "s": torch.eye(2).to_sparse()},
    "two of its tensors are named 'a.b'": {"a.b": torch.zeros(2), "a": {"b": torch.ones(2)}},
}  # fmt: skip


@pytest.mark.parametrize("line", LOST)
@pytest.mark.filterwarnings("ignore")
def test_a_tensor_that_would_be_lost_is_named(tmp_path: Path, line: str) -> None:
    torch.save(LOST[line], tmp_path / "w.pt")
    with pytest.raises(ModelError, match=line) as caught:
        convert(tmp_path / "w.pt")
    assert "\n" not in str(caught.value) and not (tmp_path / "w.safetensors").exists()
