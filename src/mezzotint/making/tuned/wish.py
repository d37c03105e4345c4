"""The words of ``tune``, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mezzotint.errors import UsageError
from mezzotint.tuning.settings import Settings
from mezzotint.tuning.words import Subject, subject

MOST_PICTURES = 1000


@dataclass(frozen=True)
class Wish:
    """What is to be learnt, and how.

    photos: of each subject, a folder.  model: the base, by name or path.
    judge_by: a folder of further photographs of the one subject that are never learnt from; None holds some of
    ``photos`` apart.   n: pictures of each sort that evidence is of.  prior_pictures: made by the base, of what must
    stay as it is; 0 has the photographs stand in for them, None makes 32 where the base is small.
    photo_licence: as people declare it, for the passport.   device, dtype: of the base's network; "fastest" measures.
    size: "WxH" of the pictures that are learnt from and judged; None is the model's own.
    use: what the adapter is for; None is what mezzotint.toml declares.  licence_mode: enforce, or warn where licences,
    that of the photographs among them, do not allow that.
    gradient_checkpointing: blocks are computed once more for their gradients, which takes less memory and more time.
    Raises UsageError.
    """

    photos: Mapping[Subject, Path]
    model: str | Path
    settings: Settings = field(default_factory=Settings)
    judge_by: Path | None = None
    n: int = 12
    prior_pictures: int | None = None
    photo_licence: str = ""
    device: str = "auto"
    dtype: str = "fastest"
    gradient_checkpointing: bool = False
    size: str | None = None
    use: str | None = None
    licence_mode: str | None = None

    def __post_init__(self) -> None:
        prior = self.prior_pictures or 0
        if not 2 <= self.n <= MOST_PICTURES or not 0 <= prior <= MOST_PICTURES:
            raise UsageError(
                f"{self.n} pictures to judge by, {prior} of the prior; expected 2 to {MOST_PICTURES}, and"
                f" 0 to {MOST_PICTURES}"
            )
        if self.judge_by is not None and len(self.photos) > 1:
            raise UsageError("--judge-by is for one subject; leave it out where there are several")
        if self.settings.method.inverts and len(self.photos) > 1:
            raise UsageError(f"{self.settings.method.name} learns one word a run; leave --also out")
        if len({s.name.lower() for s in self.photos}) < len(self.photos):
            raise UsageError("two subjects have one name; give each its own")

    @property
    def subjects(self) -> tuple[Subject, ...]:
        return tuple(self.photos)

    @property
    def title(self) -> str:
        """The names of what is learnt."""
        return ", ".join(s.name for s in self.photos)


def subjects_of(photos: Path, name: str, kind: str | None, also: tuple[str, ...]) -> dict[Subject, Path]:
    """Subjects and their folders.   also: "FOLDER=NAME" or "FOLDER=NAME:CLASS" each.  Raises UsageError."""
    found = {subject(name, kind): photos}
    for one in also:
        folder, equals, said = one.partition("=")
        other, _, of_kind = said.partition(":")
        if not (folder and equals and other.strip()):
            raise UsageError(f"--also {one!r}; expected FOLDER=NAME or FOLDER=NAME:CLASS")
        found[subject(other, of_kind or None)] = Path(folder)
    if len(found) < 1 + len(also):
        raise UsageError("two subjects have one name; give each its own")
    return found
