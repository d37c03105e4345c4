"""The lists that ship, each checked against its hash before it is read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from mezzotint.errors import GateError, InputError
from mezzotint.files import sha256
from mezzotint.governance.safety.prompt.lexicon import Lexicon, read_lexicon, together
from mezzotint.governance.safety.prompt.pinned import FILES

PACKAGE = "mezzotint.governance.safety.prompt.lexicon_data"


def shipped(name: str) -> bytes:
    """A file's bytes.  Raises GateError where it is missing, or not the one that was shipped."""
    try:
        data = (resources.files(PACKAGE) / name).read_bytes()
    except (OSError, ModuleNotFoundError) as error:
        raise GateError(
            f"the prompt gate's file {name} is missing, so nothing is made; install mezzotint again"
        ) from error
    if sha256(data) != FILES[name]:
        raise GateError(
            f"the prompt gate's file {name} was changed, so nothing is made; install mezzotint again, and keep rules of"
            " your own in the files that [safety] of mezzotint.toml names"
        )
    return data


@cache
def lexicon() -> Lexicon:
    """Of all languages.  Raises GateError."""
    try:
        return together(read_lexicon(shipped(name), name) for name in FILES if name.endswith(".toml"))
    except InputError as error:
        raise GateError(f"the prompt gate cannot read its lists, so nothing is made: {error}") from error


def hashes() -> Mapping[str, str]:
    """SHA-256 of each."""
    return FILES
