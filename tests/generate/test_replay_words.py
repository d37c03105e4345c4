"""A picture made again: receipts that stand for themselves, and files in the places of the receipt's words."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

from mezzotint.cli import group, run
from mezzotint.errors import UsageError
from mezzotint.making.recalled.words import Need, Words
from mezzotint.making.request import How, Request, Sampling
from mezzotint.making.said_again import REAL, WHOLE, placed
from mezzotint.replayed import replay


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def made(*words: str) -> Path:
    assert run(["generate", "sneaker", "--threads", "1", "--quiet", "--out", "o", *words]) == 0
    return sorted(Path("o/receipts").iterdir())[0]


@pytest.mark.parametrize(
    "words", [("--solver", "learned", "--steps", "4"), ("--solver", "unipc", "--steps", "4", "--grid", "auto")]
)
def test_a_receipt_holds_its_learned_solver_and_its_optimised_grid(words: tuple[str, ...]) -> None:
    found = replay(made("--model", "fashion", *words))
    assert found.verdict == "exact" and found.factors == ()


@pytest.mark.parametrize(
    "words",
    [
        ("--cache", "0.1", "--steps", "8"),
        ("--guidance-interval", "0.3,2.75", "--scale", "2"),
        ("--guidance", "rescaled:0.5", "--scale", "2"),
        ("--guidance", "apg:0.5,3", "--scale", "2"),
        ("--quality", "draft", "--dtype", "bfloat16", "-n", "2", "--batch", "3"),
        ("--negative-prompt", "t-shirt", "--scale", "2"),
    ],
    ids=" ".join,
)
def test_every_option_is_said_again(tiny: Path, words: tuple[str, ...]) -> None:
    found = replay(made("--model", str(tiny), *words), have={tiny.name: tiny})
    assert found.verdict == "exact" and found.factors == ()


MACHINE = {
    "n": "2",
    "batch": "3",
    "device": "cpu",
    "dtype": "float32",
    "threads": "2",
    "quality": "draft",
    "mark": "off",
}
SAMPLED = {
    "model": "m",
    "seed": "7",
    "steps": "4",
    "scale": "2.5",
    "solver": "dpmpp-2m:final=full",
    "grid": "karras:rho=5",
}
OPTIONS: dict[str, dict[str, str | tuple[str, ...] | None]] = {
    "generate": {
        "negative-prompt": "a, b: c=d", "prompt-2": "x", "negative-prompt-3": "y", "size": "8x8", "image": "PICTURE",
        "strength": "0.4", "lora": ("a:0.8", "b:1"), "mask": "MASK", "mask-means": "product", "lock-mask": None,
        "outpaint": "1,2,3,4", "guidance": "rescaled:0.5", "cache": "0.1", "guidance-interval": "0.3,inf",
        "candidates": "4", "classifier-scale": "12.5",
        "refiner": "R", "refiner-at": "0.7", "then": ("T", "U"), "parts": "P", "prior": "Q", "allow-partial": None,
        "embedding": "e", "control": "c:0.8:0-0.6", "control-image": "PICTURE-1", "ip-adapter": "i:0.5",
        "ip-image": "PICTURE-2", "ip-encoder": "IP-ENCODER", "compile": None,
    },
    "upscale": {"prompt": "p", "by": "2", "strength": "0.4", "noise-level": "20", "tile": "64", "overlap": "8"},
    "vary": {},
}  # fmt: skip
"""Every option that ``read`` says of a picture of ours."""


def plain(value: object) -> object:
    """Paths as texts, also in tuples."""
    return tuple(map(plain, value)) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value


@pytest.mark.parametrize("verb", list(OPTIONS))
def test_replay_reads_a_command_as_the_command_line_does(verb: str) -> None:
    said = {**MACHINE, **SAMPLED, **OPTIONS[verb]}
    more = [(f"--{k}", one) for k, v in said.items() for one in (v if isinstance(v, tuple) else (v,))]
    words = Words("mezzotint", "a lamp", verb=verb, pictures=("A",) * (verb != "generate"), more=tuple(more))
    command = group.get_command(click.Context(group), verb)
    assert command is not None
    line = command.make_context(verb, words.arguments[1:]).params
    fields, _ = placed(words, {})
    assert len(fields) == len(said) and {k: plain(line.get(k)) for k in fields} == fields


def test_numbers_are_read_as_numbers() -> None:
    for kind, read in (("int", WHOLE), ("float", REAL)):
        words = {kind, f"{kind} | None"}
        said = {one.name for asked in (Request, How, Sampling) for one in fields(asked) if one.type in words}
        assert said and said <= read


@pytest.mark.parametrize(
    ("option", "value", "word", "becomes"),
    [
        ("--solver", "learned:from=RECEIPT", "RECEIPT", "learned:from=a/b.json"),
        ("--grid", "auto:from=RECEIPT", "RECEIPT", "auto:from=a/b.json"),
        ("--guidance", "auto:weak=WEAK", "WEAK", "auto:weak=a/b.json"),
        ("--guidance", "distilled:from=GUIDANCE", "GUIDANCE", "distilled:from=a/b.json"),
        ("--lora", "acme:0.8", "acme", "a/b.json:0.8"),
        ("--control", "canny:0.8:0-0.6", "canny", "a/b.json:0.8:0-0.6"),
        ("--image", "PICTURE", "PICTURE", "a/b.json"),
        ("--solver", "learned:from=RECEIPT", "from", None),
    ],
)
def test_a_file_takes_the_place_of_its_word(option: str, value: str, word: str, becomes: str | None) -> None:
    words = Words("mezzotint", "a lamp", more=((option, value),), needs=(Need(word, "a file", ""),))
    name = option.removeprefix("--")
    if becomes is None:
        with pytest.raises(UsageError, match=f"--have {word}: the receipt needs no such file"):
            placed(words, {word: Path("a/b.json")})
        return
    fields, _ = placed(words, {word: Path("a/b.json")})
    assert fields[name] in (becomes, (becomes,))


def test_what_is_not_at_hand_is_named(tiny: Path) -> None:
    Image.fromarray(np.full((8, 8), 90, np.uint8)).save("in.png")
    Image.fromarray(np.tile(np.array([0, 0, 0, 0, 255, 255, 255, 255], np.uint8), (8, 1))).save("mask.png")
    receipt = made("--model", str(tiny), "--image", "in.png", "--mask", "mask.png")
    have: dict[str, str | Path] = {tiny.name: tiny}
    with pytest.raises(UsageError, match=r"needs PICTURE: the picture, cut to 8x8.*--have PICTURE=FILE, and MASK l"):
        replay(receipt, have=have)
    with pytest.raises(UsageError, match=r"needs MASK: 8x8, what is painted anew.*give it with --have MASK=FILE$"):
        replay(receipt, have={**have, "PICTURE": "in.png"})
    assert replay(receipt, have={**have, "PICTURE": "in.png", "MASK": "mask.png"}).verdict == "exact"


def test_what_is_looked_for_by_its_name_and_not_found_can_be_given(tiny: Path) -> None:
    receipt = made("--model", str(tiny))
    with pytest.raises(
        UsageError, match=f"unknown model '{tiny.name}'.*where it is elsewhere, give it with --have {tiny.name}=PATH$"
    ):
        replay(receipt)
    assert replay(receipt, have={tiny.name: tiny}).verdict == "exact"
    with pytest.raises(UsageError, match=r"unknown model 'nowhere'.*a path works too\)$"):
        replay(receipt, have={tiny.name: "nowhere"})
