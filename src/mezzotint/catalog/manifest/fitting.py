"""What a model lets rows say: its labels, its sizes; looked up once for each thing that is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mezzotint.catalog.manifest.problem import WrongError, nearest
from mezzotint.conditioning.labels import Labels
from mezzotint.errors import MezzotintError, UsageError
from mezzotint.making.sizes import size_of
from mezzotint.pretrained.adapters import weighed
from mezzotint.pretrained.search import lookup
from mezzotint.pretrained.system import System


@dataclass(frozen=True)
class Fitting:
    """A model's system, its files unread."""

    system: System

    @cached_property
    def labels(self) -> Labels | None:
        """Of a class-conditional model."""
        found = {label.name: label.synonyms for label in self.system.labels}
        return Labels(tuple(found), found) if found and self.system.text is None else None

    def check_prompt(self, text: str) -> None:
        """Raises WrongError for an empty prompt, and for one that is no label of a model of labels."""
        if not text.strip():
            raise WrongError("says nothing; expected what to make")
        if self.labels is None:
            return
        try:
            self.labels.index(text)
        except UsageError as error:
            near = str(error).partition("did you mean '")[2].partition("'")[0]
            raise WrongError(f"is no label of {self.system.name}", near or self.labels.names[0]) from None

    def check_size(self, size: tuple[int, int]) -> None:
        """Raises WrongError for one that the model cannot make."""
        try:
            size_of(self.system, f"{size[0]}x{size[1]}")
        except UsageError as error:
            what = str(error).removeprefix(f"size {size[0]}x{size[1]} ")  # a problem says the value itself
            raise WrongError(what, "{}x{}".format(*self.system.size)) from None

    def check_adapter(self, text: str) -> None:
        """Raises WrongError where there is no such file, or its weight is no number."""
        try:
            path = lookup("lora", str(weighed(text)[0]))
        except MezzotintError as error:
            raise WrongError(str(error)) from None
        if not path.exists():
            near = nearest(path.name, beside(path.parent))
            raise WrongError(
                "is no file; expected a LoRA, FILE or FILE:WEIGHT", None if near is None else str(path.parent / near)
            )


def inside(root: Path, text: str, files: Callable[[Path], Sequence[str]]) -> Path:
    """A file of the manifest's folder.   files: of a folder, their names.  Raises WrongError: elsewhere, or not
    there."""
    path = (root / text).resolve()
    if Path(text).is_absolute() or not path.is_relative_to(root.resolve()):
        raise WrongError("leads out of the manifest's folder; expected a file in it")
    if not path.is_file():
        near = nearest(path.name, files(path.parent))
        raise WrongError("is no file", None if near is None else str((path.parent / near).relative_to(root.resolve())))
    return path


def beside(folder: Path) -> list[str]:
    """The names of a folder's files."""
    return [one.name for one in folder.iterdir() if one.is_file()] if folder.is_dir() else []
