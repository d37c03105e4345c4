"""The photographs of every subject, read and looked over, and which of them are held apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from mezzotint.evaluation.features import Features
from mezzotint.making.tuned.wish import Wish
from mezzotint.tuning.apart import held_apart, left_out, never_learnt, too_few
from mezzotint.tuning.checks import notes as checked
from mezzotint.tuning.few import few
from mezzotint.tuning.photos import Photo, Shoot, read_shoot
from mezzotint.tuning.words import Subject

LARGER = 2
"""Photographs are kept at so many times the side of what is made: parts of them are enlarged."""

Photos = Mapping[Subject, tuple[Photo, ...]]


@dataclass(frozen=True, eq=False)
class Shoots:
    """learnt: what is learnt from.  held: what is judged by, nothing that is learnt from; () where too few are there.
    notes: for people.  sha256: of all of them, by subject.  further: whether there are photographs to judge by alone,
    held or not."""

    learnt: Photos
    held: Photos
    notes: tuple[str, ...]
    sha256: Mapping[str, str]
    further: bool = False

    @property
    def seen(self) -> str:
        """What evidence is held against, in words."""
        if all(self.held.values()):
            n = sum(map(len, self.held.values()))
            return f"{n} photograph{'s' if n > 1 else ''} that {'were' if n > 1 else 'was'} not learnt from"
        if self.further:
            return "the photographs that were learnt from: those to judge by are learnt from too"
        return "the photographs that were learnt from: give four or more that differ, and some are held apart"

    @property
    def captions(self) -> Mapping[str, str]:
        """Caption -> where it is read from first, of all photographs that have one."""
        found: dict[str, str] = {}
        for subject in self.learnt:
            for photo in (*self.learnt[subject], *self.held[subject]):
                where = photo.said_in or photo.name
                found.setdefault(photo.caption or "", f"{subject.name}: {where}" if len(self.learnt) > 1 else where)
        return {caption: where for caption, where in found.items() if caption}

    def judges(self, subject: Subject) -> tuple[Photo, ...]:
        """The photographs that a subject is judged by."""
        return self.held[subject] or self.learnt[subject]


def shoots(wish: Wish, side: int, features: Features) -> Shoots:
    """All photographs of a wish, for a model of ``side`` px.  Raises InputError."""
    read: dict[Subject, Shoot] = {s: read_shoot(folder, LARGER * side) for s, folder in wish.photos.items()}
    notes = [
        f"{s.name}: {note}" if len(read) > 1 else note
        for s, shoot in read.items()
        for note in (*shoot.notes, *checked(shoot.photos, side, features), *_unnamed(s, shoot))
    ]
    notes += _shared(read)
    parted, said = (
        _parted(read) if wish.judge_by is None else _judged_by(read, read_shoot(wish.judge_by, LARGER * side))
    )
    learnt, held = {s: a for s, (a, _) in parted.items()}, {s: b for s, (_, b) in parted.items()}
    notes += said
    known = {s.name: shoot.sha256 for s, shoot in read.items()}
    return Shoots(learnt, held, tuple(notes), known, wish.judge_by is not None)


Parted = Mapping[Subject, tuple[tuple[Photo, ...], tuple[Photo, ...]]]
"""Of each subject: what is learnt from, what it is judged by."""


def _parted(read: Mapping[Subject, Shoot]) -> tuple[Parted, list[str]]:
    """Photographs of which some are held apart, and what people should know."""
    found = {s: held_apart(shoot.photos, _beside(s, read)) for s, shoot in read.items()}
    notes = [
        f"{s.name}: {note}" if len(read) > 1 else note
        for s, (learnt, held) in found.items()
        for note in (
            *too_few(read[s].photos, held, _beside(s, read)),
            *left_out(read[s].photos, learnt, held),
        )
    ]
    return found, notes


def _beside(subject: Subject, read: Mapping[Subject, Shoot]) -> list[Photo]:
    """The photographs of all other subjects."""
    return [photo for other, shoot in read.items() if other != subject for photo in shoot.photos]


def _judged_by(read: Mapping[Subject, Shoot], further: Shoot) -> tuple[Parted, list[str]]:
    """The photographs of the one subject, judged by further ones."""
    ((only, shoot),) = read.items()
    held, known = never_learnt(further.photos, shoot.photos)
    return {only: (shoot.photos, held)}, [*further.notes, *known]


def _shared(read: Mapping[Subject, Shoot]) -> Iterator[str]:
    """Of every two subjects with the same photographs, one note."""
    for (one, mine), (other, theirs) in combinations(read.items(), 2):
        same = {photo.sha256 for photo in theirs.photos}
        both = [photo.name for photo in mine.photos if photo.sha256 in same]
        if both:
            yield (
                f"{one.name} and {other.name} share photographs ({', '.join(few(both))}): what they show is learnt by"
                " both names, and neither calls it alone"
            )


def _unnamed(subject: Subject, shoot: Shoot) -> tuple[str, ...]:
    """Of captions without the name, from which it is not learnt."""
    name = subject.name.lower()
    without = [photo.name for photo in shoot.photos if photo.caption is not None and name not in photo.caption.lower()]
    if not without:
        return ()
    who = f"{len(without)} captions do" if len(without) > 1 else "one caption does"
    return (f"{who} not say {subject.name!r}, {without[0]}'s first: prompts of that name will not call what is shown",)
