"""What people put beside a base for one request: controls, pictures as prompts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Attached(Protocol):
    """One of them; the base's weights stay as they are."""

    @property
    def said(self) -> Mapping[str, object]:
        """For receipts: kind, name, sha256, weight, and what else determines its effect."""
        ...

    def held(self, itemsize: int) -> Mapping[str, int]:
        """Bytes of its weights by name, where the denoiser's numbers take ``itemsize`` each."""
        ...
