"""Requests of flat words, as commands say them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mezzotint.making.request import How, Request, of_words


def request_of(prompt: str | Sequence[str], **words: Any) -> Request:
    """Of ``generate``."""
    return of_words(Request, {"prompt": prompt, **words})


def how_of(model: Any, **words: Any) -> How:
    """Of ``upscale`` and ``vary``."""
    return of_words(How, {"model": model, **words})
