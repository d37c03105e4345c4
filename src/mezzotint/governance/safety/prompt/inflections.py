"""The words that a stem of a list is known to go on to: a disguise must spell one of them, for without its spelling a
stem is the beginning of anything."""

from __future__ import annotations

from collections.abc import Iterator

from mezzotint.governance.safety.prompt.term import Term

_ENDINGS = (
    *("", "s", "es", "e", "y", "ies", "ic", "ics", "a", "ia", "ias", "ed", "d", "er", "ers", "r", "rs", "ing", "ings"),
    *("ion", "ions", "or", "ors", "al", "ally", "ism", "ist", "ists", "us", "ment", "ly"),
)  # fmt: skip
_OWN = {
    "porn": "o os ography ographic ographer ographers ographically star stars site sites hub video videos film",
    "hentai": "porn girl girls",
    "copulat": "ory",
    "blowjob": "bing",
    "masturbat": "ory atory",
    "orgasm": "ing ed",
    "gangbang": "bed",
    "genital": "ia",
    "erotic": "ized ised",
    "incest": "uous uously",
    "zoophil": "iac iacs es",
    "necrophil": "iac iacs ile",
    "sodom": "ize ized izing ise ised ite ites",
    "prostitut": "ional",
    "whore": "house houses dom",
    "voyeur": "istic istically",
    "exhibitionist": "ically",
    "molest": "ation ations",
    "pedophil": "iac iacs es",
    "paedophil": "iac iacs es",
    "disembowel": "led ling ments",
    "cannibal": "istic ize ized ise ised ization",
    "antisemit": "es",
    "homophobi": "c cs",
    "islamophobi": "c cs",
    "hitler": "ian jugend",
    "fuck": "face faces head heads up ups wit boy boys girl girls able",
    "nigga": "z",
    "stripteas": "ers",
    "kindergart": "en ens ner ners",
    "kindergarden": "er",
    "schoolchild": "ren",
    "teenage": "r rs",
}
"""What some go on to besides."""
ENGLISH = ("en", "any")
"""Languages of lists whose stems go on so; a brand's own list is of any."""


def forms(term: Term) -> Iterator[str]:
    """The words of a term of one word: itself, or what its stem goes on to; a stem of another language alone."""
    stem = term.tokens[0]
    yield stem
    if term.stem and term.language in ENGLISH:
        for ending in dict.fromkeys((*_ENDINGS, *_OWN.get(stem, "").split())):
            if ending:
                yield stem + ending
