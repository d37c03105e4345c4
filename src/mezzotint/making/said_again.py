"""Words that ``read`` gives -> the request of the command, with the files at hand in their places."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mezzotint.conditioning.prompts import Prompts
from mezzotint.errors import UsageError
from mezzotint.making.recalled.words import Words
from mezzotint.making.request import How, Request, of_words

SEVERAL = {"parts", "then", "lora", "embedding", "control", "control_image", "ip_adapter", "ip_image"}
WHOLE = {"n", "seed", "steps", "batch", "threads", "by", "noise_level", "tile", "overlap", "candidates"}
REAL = {"scale", "strength", "refiner_at", "cache", "classifier_scale"}
LARGER = ("by", "strength", "noise_level", "tile", "overlap")
TEXTS = ("prompt", "negative_prompt")
OTHERWISE = {"compile": "compiled"}
"""Options whose value has another name than theirs."""


def placed(words: Words, there: Mapping[str, Path]) -> tuple[dict[str, Any], list[Path]]:
    """(the options' values by name, the pictures), files that stand for words put in.

    there: word -> file.   Raises UsageError for a word of it that the command does not have.
    """
    arguments = words.arguments
    end = arguments.index("--")
    fields: dict[str, Any] = {}
    for argument in arguments[1:end]:
        option, equals, text = argument.removeprefix("--").partition("=")
        name = option.replace("-", "_")
        name, value = OTHERWISE.get(name, name), _value(option, text, there) if equals else True
        fields[name] = (*fields.get(name, ()), value) if name in SEVERAL else value
    left = set(there) - _words(arguments) - set(words.pictures)
    if left:
        known = ", ".join(dict.fromkeys(need.word for need in words.needs))
        raise UsageError(f"--have {sorted(left)[0]}: the receipt needs no such file; it needs {known}")
    return fields, [there.get(word, Path(word)) for word in words.pictures]


def _value(option: str, text: str, there: Mapping[str, Path]) -> Any:
    name = option.replace("-", "_")
    if name in WHOLE:
        return int(text)
    if name in REAL:
        return float(text)
    if name in (*TEXTS, "prompt_2", "prompt_3", "negative_prompt_2", "negative_prompt_3"):
        return text
    word, colon, rest = text.partition(":")
    if word in there:
        return f"{there[word]}{colon}{rest}"
    last = _last(text)
    return f"{text.removesuffix(last)}{there[last]}" if last in there else text


def _last(text: str) -> str:
    """What a value ends with: RECEIPT of learned:from=RECEIPT, WEAK of auto:weak=WEAK."""
    return re.split("[:=]", text)[-1]


def _words(arguments: Sequence[str]) -> set[str]:
    said = [argument.partition("=")[2] for argument in arguments]
    return {word for text in said for word in (text.partition(":")[0], _last(text))}


def request_of(words: Words, fields: Mapping[str, Any]) -> Request:
    """Of ``generate``."""
    return of_words(Request, {"prompt": words.prompt, **fields})


def how_of(fields: Mapping[str, Any]) -> tuple[How, dict[str, Any]]:
    """Of ``upscale`` and ``vary``: (the words they share, those that say how much larger)."""
    said = Prompts(*(fields.get(name, "") for name in TEXTS))
    larger = {name: fields[name] for name in LARGER if name in fields}
    rest = {name: value for name, value in fields.items() if name not in (*LARGER, *TEXTS)}
    return of_words(How, {**rest, "said": said}), larger
