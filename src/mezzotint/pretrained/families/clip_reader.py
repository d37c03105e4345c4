"""CLIP's tokenizer of a diffusers folder by the ``tokenizers`` library alone: the numbers that transformers' gives.

Only for folders that say nothing unusual; any other is left to transformers, whose import takes seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mezzotint.errors import InputError, ModelError
from mezzotint.files import read_bytes

MAX_BYTES = 1 << 24
NAMED = ("bos_token", "eos_token", "unk_token", "pad_token")
BEGIN, END = "<|startoftext|>", "<|endoftext|>"
FLAGS = ("lstrip", "normalized", "rstrip", "single_word", "special")
IGNORED = frozenset(
    {
        "add_prefix_space", "do_lower_case", "errors", "model_max_length", "name_or_path", "special_tokens_map_file",
        "tokenizer_class", "backend", "is_local", "local_files_only", "clean_up_tokenization_spaces",
        "tokenizer_file", "processor_class",
    }
)  # fmt: skip
PATTERN = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


class UnusualError(Exception):
    """A folder that says something which this reader does not know."""


class Encoded(NamedTuple):
    input_ids: list[int]


class ClipReader:
    """Called as transformers' tokenizer is, of which it has what prompts need."""

    def __init__(self, core: Any, ids: Mapping[str, int]) -> None:
        self._core = core
        self.bos_token_id, self.eos_token_id, self._unknown, self.pad_token_id = (ids[name] for name in NAMED)

    def __call__(self, text: str, *, add_special_tokens: bool) -> Encoded:
        return Encoded(self._core.encode(text, add_special_tokens=add_special_tokens).ids)

    def __len__(self) -> int:
        return int(self._core.get_vocab_size(with_added_tokens=True))

    def convert_tokens_to_ids(self, token: str) -> int:
        found = self._core.token_to_id(token)
        return self._unknown if found is None else int(found)

    def decode(self, ids: Sequence[int]) -> str:
        text: str = self._core.decode(list(ids), skip_special_tokens=False)
        return text.replace("</w>", " ").strip()


def clip_reader(folder: Path) -> ClipReader | None:
    """The reader of a folder; None where transformers has to read it."""
    try:
        said = _table(folder / "tokenizer_config.json")
        vocabulary, merges = _words(folder)
        tokens = _named(said, _table(folder / "special_tokens_map.json"))
    except (UnusualError, ValueError, InputError, ModelError, RecursionError):
        return None
    if not all(isinstance(token["content"], str) and token["content"] in vocabulary for token in tokens.values()):
        return None
    try:
        core = _core(vocabulary, merges, tokens)
    except Exception:
        return None
    return ClipReader(core, {name: vocabulary[token["content"]] for name, token in tokens.items()})


def _table(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    found = json.loads(read_bytes(path, MAX_BYTES))
    if not isinstance(found, dict):
        raise UnusualError(path.name)
    return found


def _words(folder: Path) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """(token -> number, pairs that are merged, the first first)."""
    if (folder / "added_tokens.json").exists():
        raise UnusualError("added_tokens.json")
    whole = _table(folder / "tokenizer.json")
    if whole:
        model = whole.get("model")
        if not isinstance(model, dict) or model.get("type", "BPE") != "BPE":
            raise UnusualError("tokenizer.json")
        if whole.get("truncation") or whole.get("padding"):
            raise UnusualError("truncation")
        return _checked(model.get("vocab"), model.get("merges"))
    lines = read_bytes(folder / "merges.txt", MAX_BYTES).decode().split("\n")
    return _checked(_table(folder / "vocab.json"), [line for line in lines if line and not line.startswith("#version")])


def _checked(vocabulary: Any, merges: Any) -> tuple[dict[str, int], list[tuple[str, str]]]:
    if not isinstance(vocabulary, dict) or not all(type(v) is int and 0 <= v < 1 << 31 for v in vocabulary.values()):
        raise UnusualError("vocab")
    if not vocabulary or not isinstance(merges, list):
        raise UnusualError("merges")
    pairs = [tuple(pair.split(" ")) if isinstance(pair, str) else tuple(pair) for pair in merges]
    if not all(len(pair) == 2 and all(isinstance(part, str) for part in pair) for pair in pairs):
        raise UnusualError("merges")
    return vocabulary, pairs  # type: ignore[return-value]


def _named(said: Mapping[str, Any], mapped: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Each named token: its content and, where the folder says them, its flags.  Raises UnusualError."""
    if set(said) - IGNORED - set(NAMED) - {"added_tokens_decoder"} or set(mapped) - set(NAMED):
        raise UnusualError("tokenizer_config.json")
    listed = said.get("added_tokens_decoder", {})
    by_content = {t.get("content"): t for t in map(_token, listed.values())} if isinstance(listed, dict) else {}
    found = {}
    for name, otherwise in zip(NAMED, (BEGIN, END, END, END), strict=True):
        token = _token(said.get(name, mapped.get(name, otherwise)))
        if name in mapped and _token(mapped[name])["content"] != token["content"]:
            raise UnusualError(name)
        found[name] = by_content.get(token["content"], token)
    if set(by_content) - {token["content"] for token in found.values()}:
        raise UnusualError("added_tokens_decoder")
    return found


def _token(value: Any) -> dict[str, Any]:
    """A token as a table.  Raises UnusualError."""
    if isinstance(value, str):
        return {"content": value, "normalized": False}
    if not isinstance(value, dict) or not isinstance(value.get("content"), str):
        raise UnusualError("token")
    flags = {flag: value[flag] for flag in FLAGS if flag in value}
    if not all(type(flag) is bool for flag in flags.values()):
        raise UnusualError("token")
    return {"content": value["content"], **flags}


def _core(vocabulary: dict[str, int], merges: list[tuple[str, str]], tokens: Mapping[str, Mapping[str, Any]]) -> Any:
    """The library's tokenizer: spaces as one, small letters, CLIP's pattern, pairs of bytes."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    core = Tokenizer(
        models.BPE(
            vocab=vocabulary, merges=merges, continuing_subword_prefix="", end_of_word_suffix="</w>",
            unk_token=tokens["unk_token"]["content"],
        )
    )  # fmt: skip
    core.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PATTERN), "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens([AddedToken(**{**token, "special": True}) for token in tokens.values()])
    return core
