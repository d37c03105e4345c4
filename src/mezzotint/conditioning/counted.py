"""How much of a prompt an encoder read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from mezzotint.conditioning.prompts import Pair


@dataclass(frozen=True)
class Counted:
    """Tokens of one text for one encoder, the marks of its ends not counted.

    encoder: its name.  text: prompt or negative_prompt.  lost: what was dropped from the text's end, as it is read.
    """

    encoder: str
    text: str
    used: int
    dropped: int
    lost: str

    @property
    def said(self) -> dict[str, Any]:
        """For receipts."""
        return asdict(self)


class Counting(Protocol):
    """What reads texts."""

    @property
    def name(self) -> str: ...
    def count(self, text: str) -> tuple[int, int]:
        """(used, dropped), in tokens."""
        ...

    def dropped(self, text: str) -> str:
        """What was dropped, as it is read."""
        ...


def counted(encoders: Sequence[Counting], read: Sequence[Pair]) -> tuple[Counted, ...]:
    """Prompt and negative prompt of every encoder, in their order; empty texts are left out."""
    texts = [
        (encoder, kind, text)
        for encoder, pair in zip(encoders, read, strict=True)
        for kind, text in zip(("prompt", "negative_prompt"), pair, strict=True)
        if text
    ]
    return tuple(Counted(e.name, kind, *e.count(text), e.dropped(text)) for e, kind, text in texts)
