"""An organisation's own rules, ``brand.toml``: what its prompts may not say, and what they must."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mezzotint.files import read_bytes, sha256
from mezzotint.governance.licence.reading import MAX_BYTES, fields, parsed, said, several, wrong
from mezzotint.governance.safety.prompt.lexicon import Lexicon, read_words
from mezzotint.governance.safety.prompt.match import in_views
from mezzotint.governance.safety.prompt.verdict import Finding
from mezzotint.governance.safety.prompt.views import Views
from mezzotint.governance.safety.prompt.words import Decision

RULES = ("banned", "competitors", "claims", "tone")
COLOURS = "colours"
_CODES = {"banned": "word", "competitors": "competitor", "claims": "claim"}


@dataclass(frozen=True)
class Brand:
    """banned, competitors, claims: what may not be said, ``word*`` for all that begin so.  tone: at least one of these
    must be said, where there are any.  sha256: of the file.  colours: what the output gate makes of ``[colours]``.
    """

    rules: dict[str, Lexicon]
    tone: Lexicon
    sha256: str
    colours: Mapping[str, Any] = field(default_factory=dict)

    def findings(self, read: Views, field: str) -> Iterator[Finding]:
        """What a text breaks.  Codes: MZ-P-brand-word, -competitor, -claim."""
        for rule, lexicon in self.rules.items():
            if any(in_views(read, lexicon)):
                yield Finding("brand", _CODES[rule], field, Decision.BLOCK, 1.0)

    def toneless(self, prompts: Iterable[Views]) -> Iterator[Finding]:
        """MZ-P-brand-tone for a prompt without any of the words that its tone asks for."""
        if self.tone.terms and any(not any(in_views(one, self.tone)) for one in prompts):
            yield Finding("brand", "tone", "prompt", Decision.REVIEW, 0.6)


def read_brand(path: Path) -> Brand:
    """The rules of a file.  Raises InputError for one that is missing or damaged."""
    data = read_bytes(path, MAX_BYTES)
    checks = {**dict.fromkeys(RULES, several(said)), COLOURS: _table}
    table = fields(parsed(data, str(path)), checks, (), str(path))
    words = {rule: _lexicon(table.get(rule, ()), str(path)) for rule in RULES}
    tone = words.pop("tone")
    return Brand(words, tone, sha256(data), table.get(COLOURS, {}))


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise wrong(where, f"{value!r}", "a table, [colours]")
    return value


def _lexicon(words: Sequence[str], where: str) -> Lexicon:
    return read_words(words, "brand", "strong", where)
