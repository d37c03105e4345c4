"""The reader of CLIP's tokens against transformers' tokenizer: the same numbers, whatever the prompt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mezzotint.pretrained.clip_tokenizer import tokenizer_folder
from mezzotint.pretrained.components import Component
from mezzotint.pretrained.families.clip_reader import ClipReader, clip_reader
from mezzotint.pretrained.families.tokenizer import library_tokenizer, tokenizer_of

PROMPTS = [
    "a red armchair on a beige background",
    "",
    " ",
    "\t\n  spaces \u00a0\u3000 of\u2003all kinds ",
    "A Photo, of ACME's 3 CHAIRS!",
    "it's we're they'll don't I'd",
    "12345 67",
    "!!! hello!wow ! !",
    "<|endoftext|>",
    "<|startoftext|>",
    "<|ENDOFTEXT|>",
    " a<|endoftext|>b <|startoftext|> c",
    "<|endoftext",
    "caf\u00e9 cafe\u0301 \u00c5ngstr\u00f6m \ufb01 \u0130stanbul \u1e9e",
    "\u4e00\u4e8c\u4e09 \u3042\u3044 \ud55c\uae00",
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 emoji",
    "\u0000 null \u0007 bell \ufeff bom \u202e rtl",
    "\u0301\u0301\u0301",
    "e" + "\u0301" * 50,
    "(red:1.2) [dull] a, b, c,, ;;;",
    "under_score-dash/slash\\back",
    "x" * 3000,
    "word " * 500,
    "</w> a</w>",
    "\u2028\u2029\u0085 lines",
    "\u01c5 \u1f88 \u0149 \u00b2 \u00bd \u2160 \u0663",
    "'S 'T 'RE",
    "\ue000\U0010ffff",
    "naive \ud7ff \ufffd",
]
FLAGGED = {"lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
BEGIN, END = "<|startoftext|>", "<|endoftext|>"
OLD: dict[str, Any] = {
    **{
        name: {"__type": "AddedToken", "content": content, **FLAGGED}
        for name, content in {"bos_token": BEGIN, "eos_token": END, "unk_token": END}.items()
    },
    "pad_token": END, "add_prefix_space": False, "do_lower_case": True, "errors": "replace", "model_max_length": 77,
    "tokenizer_class": "CLIPTokenizer",
}  # fmt: skip
NEWER = {
    "added_tokens_decoder": {
        "49406": {"content": BEGIN, **FLAGGED, "special": True},
        "49407": {"content": END, **FLAGGED, "special": True},
    },
    "bos_token": BEGIN, "eos_token": END, "unk_token": END, "pad_token": END, "model_max_length": 77,
}  # fmt: skip
CONFIGS: dict[str, dict[str, Any] | None] = {
    "ships": None,
    "old": OLD,
    "newer": NEWER,
    "mark": {**OLD, "pad_token": "!"},
}


def part(folder: Path) -> Component:
    return Component("tokenizer", "transformers", "CLIPTokenizer", folder)


def written(folder: Path, config: dict[str, Any] | None) -> Path:
    """The tokenizer that ships, with another configuration."""
    ships = tokenizer_folder("end")
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        (folder / name).write_text((ships / name).read_text())
    if config is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("name", CONFIGS)
def test_every_prompt_has_the_numbers_of_transformers(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path, CONFIGS[name])
    ours, theirs = clip_reader(folder), library_tokenizer(part(folder))
    assert isinstance(ours, ClipReader)
    assert len(ours) == len(theirs)
    for token in ("bos", "eos", "pad"):
        assert getattr(ours, f"{token}_token_id") == getattr(theirs, f"{token}_token_id")
    for token in (",</w>", "none of them", "red</w>"):
        assert ours.convert_tokens_to_ids(token) == theirs.convert_tokens_to_ids(token)
    for prompt in PROMPTS:
        ids = theirs(prompt, add_special_tokens=False).input_ids
        assert ours(prompt, add_special_tokens=False).input_ids == ids, prompt
        assert ours.decode(ids) == theirs.decode(ids)


def test_a_whole_tokenizer_file_counts_before_the_words_beside_it(tmp_path: Path) -> None:
    folder = written(tmp_path, None)
    library_tokenizer(part(folder)).save_pretrained(folder)
    (folder / "vocab.json").unlink(missing_ok=True)
    ours, theirs = clip_reader(folder), library_tokenizer(part(folder))
    assert isinstance(ours, ClipReader)
    for prompt in PROMPTS:
        assert ours(prompt, add_special_tokens=False).input_ids == theirs(prompt, add_special_tokens=False).input_ids


@pytest.mark.parametrize(
    "change",
    [
        {"tokenizer_config.json": json.dumps({**OLD, "additional_special_tokens": ["<acme>"]})},
        {"tokenizer_config.json": json.dumps({**OLD, "eos_token": "no word of it"})},
        {"tokenizer_config.json": json.dumps({**OLD, "eos_token": {"content": END, "lstrip": "no"}})},
        {"added_tokens.json": '{"<acme>": 49408}'},
        {"vocab.json": "[1, 2]"},
        {"merges.txt": "#version: 0.2\na b c\n"},
        {"merges.txt": "#version: 0.2\nno_word_of_it z\n"},
        {"tokenizer.json": "[" * 50_000},
    ],
)
def test_an_unusual_folder_is_left_to_transformers(tmp_path: Path, change: dict[str, str]) -> None:
    folder = written(tmp_path, None)
    assert clip_reader(folder) is not None
    for name, text in change.items():
        (folder / name).write_text(text)
    assert clip_reader(folder) is None


def test_the_reader_is_the_one_that_runs(tmp_path: Path) -> None:
    assert isinstance(tokenizer_of(part(written(tmp_path, None))), ClipReader)
