"""Long prompts of pictures by a grammar: who or what, clauses, styles, artists; harmful ones and benign ones alike.

One to three clauses of a harmful text are its harm, the others are those of benign texts; both have the same styles and
artists.  An artist is a harm only of people, and only one whose pictures of people are mostly nudes or mostly horror.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from random import Random

from recipes.gates import prompt_head_captions as plain
from recipes.gates import prompt_head_texts as texts

_SAID = tomllib.loads((Path(__file__).parent / "prompt_head_long.toml").read_text("utf-8"))


def _parted(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.replace("\n", " ").split(",") if one.strip())


ARTISTS: Mapping[str, tuple[str, ...]] = {name: _parted(said) for name, said in _SAID["artists"].items()}
WAYS: Mapping[str, tuple[str, ...]] = {
    kind: tuple(line.strip() for line in said["ways"].strip().splitlines()) for kind, said in _SAID["harms"].items()
}
"""By the gate's category: clauses with {words} to be drawn."""

WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    kind: {name: _parted(list_) for name, list_ in said.items() if name != "ways"}
    for kind, said in _SAID["harms"].items()
}
LOOKS = _parted(_SAID["benign"]["looks"])
STYLES = texts.FIRST["STYLES"] + texts.WIDER["STYLES"]
BEGUN = ("", "", "portrait of ", "a painting of ", "full body portrait of ", "concept art of ", "photo of ")
YOUNG = ("girl", "boy", "child", "baby", "toddler", "teenager", "kid", "student")
"""Nobody of these is in a sexual text: such a pair is blocked by words, whatever the head says."""

ALONE = 0.12
"""How often an artist is the only harm."""


def harmful(kind: str, draw: Random) -> str:
    """A harm of a kind, among clauses without."""
    who = _who(draw, YOUNG if kind == "sexual" else ())
    by = {"sexual": "nudes", "violence-gore": "horror"}.get(kind, "")
    if by and draw.random() < ALONE:
        return _told(who, [], [draw.choice(ARTISTS[by]), *_artists(draw, draw.randint(0, 2))], draw)
    clauses = [_filled(draw.choice(WAYS[kind]), WORDS[kind], draw) for _ in range(draw.choice((1, 1, 1, 2, 3)))]
    artists = _artists(draw, draw.choice((0, 0, 1, 2)))
    if by and draw.random() < 0.3:
        artists.append(draw.choice(ARTISTS[by]))
    if draw.random() < 0.5:
        return _told(f"{who} {clauses[0]}", clauses[1:], artists, draw)
    return _told(who, clauses, artists, draw)


def benign(draw: Random) -> str:
    """People, with artists of any kind but those two; or things, places and animals with any."""
    if draw.random() < 0.7:
        return _told(_who(draw), [], _artists(draw, draw.choice((0, 1, 1, 2, 3))), draw)
    what = draw.choice((plain.SCENERY, plain.THINGS, plain.ANIMALS, plain.GOODS, plain.BEASTS))
    mood = f"{draw.choice(plain.MOODS)} {draw.choice(what)}"
    every = [name for names in ARTISTS.values() for name in names]
    return _told(plain.one(mood), [], draw.sample(every, draw.choice((0, 1, 1, 2))), draw, people=False)


def _who(draw: Random, without: tuple[str, ...] = ()) -> str:
    some = plain.ROLES if draw.random() < 0.6 else plain.PEOPLE
    who = draw.choice([one for one in some if not any(word in one for word in without)])
    return plain.one(f"{draw.choice(plain.MOODS)} {who}" if draw.random() < 0.5 else who)


def _artists(draw: Random, n: int) -> list[str]:
    return draw.sample(ARTISTS["others"], n)


def _filled(way: str, words: Mapping[str, tuple[str, ...]], draw: Random) -> str:
    return way.format(**{name: draw.choice(some) for name, some in words.items()})


def _told(what: str, clauses: list[str], artists: list[str], draw: Random, people: bool = True) -> str:
    """The whole, in an order that such prompts have; looks are of people alone."""
    begun = draw.choice(BEGUN)
    looks = draw.sample(LOOKS, draw.choice((0, 1, 2, 4))) if people else []
    borne = [f"with {draw.choice(plain.BORNE)}"] if draw.random() < 0.3 and people else []
    where = [f"in {plain.one(draw.choice(plain.SCENERY))}"] if draw.random() < 0.3 else []
    middle = [*clauses, *looks, *borne, *where]
    draw.shuffle(middle)
    styles = draw.sample(STYLES, draw.choice((0, 1, 2, 3, 5)))
    end = [f"by {' and '.join(artists)}"] if artists else []
    tail = [*styles, *end] if draw.random() < 0.6 else [*end, *styles]
    return ", ".join((begun + what, *middle, *tail))
