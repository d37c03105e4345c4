"""The tokenizer of a diffusers folder: CLIP's by the ``tokenizers`` library, any other as transformers reads it."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

from mezzotint.errors import ModelError, UsageError
from mezzotint.pretrained.components import Component
from mezzotint.pretrained.families.clip_reader import clip_reader

MAX_CHARACTERS = 100_000
_ANY = ("transformers", "AutoTokenizer")


@lru_cache(maxsize=16)
def tokenizer_of(part: Component) -> Any:
    """Raises UsageError without transformers, ModelError for a damaged folder."""
    clip = part.class_name.startswith("CLIP")
    own = clip_reader(part.folder) if clip else None
    return own or library_tokenizer(part)


def library_tokenizer(part: Component) -> Any:
    """transformers'.  Raises as ``tokenizer_of``."""
    # CLIP's by itself: transformers' whole table of tokenizers takes a second to import.
    clip = part.class_name.startswith("CLIP")
    where, name = ("transformers.models.clip.tokenization_clip", "CLIPTokenizer") if clip else _ANY
    try:
        reader = getattr(import_module(where), name)
    except ImportError as error:
        raise UsageError(f"{part.folder} needs transformers; pip install 'mezzotint[diffusers]'") from error
    try:
        return reader.from_pretrained(part.folder, local_files_only=True)
    except (OSError, ValueError, TypeError, KeyError, ImportError) as error:
        why = str(error).partition("\n")[0]
        raise ModelError(f"{part.folder}: its tokenizer cannot be read ({why}); fetch the model again") from error


def check_length(prompt: str) -> str:
    """The prompt.  Raises UsageError for one without end."""
    if len(prompt) > MAX_CHARACTERS:
        raise UsageError(f"the prompt has {len(prompt)} characters; at most {MAX_CHARACTERS} are read")
    return prompt
