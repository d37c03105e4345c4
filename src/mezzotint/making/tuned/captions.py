"""Captions before the prompt gate, one by one: who is refused is told whose it is."""

from __future__ import annotations

from collections.abc import Mapping

from mezzotint.errors import PromptBlockedError, PromptReviewError, PromptUncheckedError
from mezzotint.making.checked import checked


def check_captions(captions: Mapping[str, str]) -> None:
    """Raises as ``making.checked.checked``, and says where.   captions: each with where it is read from."""
    for caption, where in captions.items():
        try:
            checked([caption], field="caption")
        except (PromptBlockedError, PromptReviewError, PromptUncheckedError) as error:
            raise type(error)(f"{where}: {error}") from error
