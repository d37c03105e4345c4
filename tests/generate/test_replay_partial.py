"""A picture of an adapter that had lost something is made again: as its receipt says it, and as receipts of earlier
versions do, which say nothing of it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from mezzotint.cli import run
from mezzotint.errors import ModelError
from mezzotint.files import pretty_json
from mezzotint.governance.receipt import read_receipt, to_dict
from mezzotint.making.recalled.read import read
from mezzotint.pretrained.exchange.save import write_adapter
from mezzotint.pretrained.passport import Passport, Photos, base_of
from mezzotint.pretrained.system import describe_system
from mezzotint.replayed import replay

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "families"))
from exchanging import contents


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def adapter(model: Path, method: str) -> Path:
    """bag.safetensors, whole."""
    system = describe_system(model)
    passport = Passport(
        title="acme bag", base=base_of(system), method=method, rank=2, alpha=None, triggers=("acme bag",), kind="bag",
        photos=Photos(12, "b" * 64, ""), evaluation={}, settings={}, command="", versions={}, seed=3, created="",
    )  # fmt: skip
    (one,) = write_adapter(Path("bag.safetensors"), contents(system, method), system, "kohya", passport)
    return one.path.absolute()


def damaged(path: Path, method: str) -> None:
    """Another number; of DoRA the first layer's norms are lost."""
    with safe_open(path, "pt") as opened:
        said = dict(opened.metadata())
    tensors = load_file(path)
    key = next(k for k in sorted(tensors) if k.endswith("dora_scale" if method == "dora" else "lora_up.weight"))
    more = {} if method == "dora" else {key: tensors[key] + 1}
    save_file({**{k: v for k, v in tensors.items() if k != key}, **more}, path, said)


def made(model: Path, bag: Path, *words: str) -> Path:
    """The receipt of a picture."""
    common = ("generate", "sneaker", "--threads", "1", "--quiet", "--out", "o", "--model", str(model))
    assert run([*common, "--lora", str(bag), *words]) == 0
    (receipt,) = Path("o/receipts").iterdir()
    return receipt


@pytest.mark.parametrize("method", ["lora", "dora"])
def test_what_was_let_through_is_said_and_made_again(method: str, tiny: Path) -> None:
    bag = adapter(tiny, method)
    damaged(bag, method)
    receipt = made(tiny, bag, "--allow-partial")
    assert read_receipt(receipt).made.task["allow_partial"] is True
    assert "--allow-partial" in read(receipt).arguments
    found = replay(receipt, have={tiny.name: tiny, "bag": bag})
    assert found.verdict == "exact" and found.factors == ()


def test_a_whole_file_is_let_through_without_a_word(tiny: Path) -> None:
    receipt = made(tiny, adapter(tiny, "dora"), "--allow-partial")
    assert "allow_partial" not in read_receipt(receipt).made.task
    assert replay(receipt, have={tiny.name: tiny, "bag": Path("bag.safetensors")}).factors == ()


def test_a_receipt_without_the_word_goes_by_the_hash_of_its_file(tiny: Path) -> None:
    """And no other file is let through by it."""
    bag = adapter(tiny, "lora")
    damaged(bag, "lora")
    was = read_receipt(made(tiny, bag, "--allow-partial"))
    older = replace(was, made=replace(was.made, task={k: v for k, v in was.made.task.items() if k != "allow_partial"}))
    Path("older.json").write_text(pretty_json(to_dict(older)))
    have = {tiny.name: tiny, "bag": bag}
    found = replay("older.json", have=have)
    assert found.verdict == "exact" and [factor.where for factor in found.factors] == ["task.allow_partial"]
    damaged(bag, "lora")
    with pytest.raises(ModelError, match="its tensors are not those"):
        replay("older.json", have=have)
