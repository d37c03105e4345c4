"""The packages of the extra ``provenance``, which pictures without credentials do not need."""

from __future__ import annotations

from importlib.util import find_spec

from mezzotint.errors import ProvenanceError


def needed(package: str) -> None:
    """Raises ProvenanceError where a package is not installed."""
    if find_spec(package) is None:
        raise ProvenanceError(
            f"{package} is not installed, which credentials need: pip install 'mezzotint[provenance]', or say"
            " credentials = off"
        )
