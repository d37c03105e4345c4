"""Every row checked before any work; all that is wrong is listed at once, with the nearest value that would do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, product
from pathlib import Path
from typing import TypeVar

from mezzotint.catalog.brief import Brief
from mezzotint.catalog.manifest.columns import (
    KNOWN,
    MAX_PROMPT,
    REQUIRED,
    backdrop_of,
    colour_of,
    lock_of,
    scale_of,
    seed_of,
    size_of,
    sku_of,
    variants_of,
)
from mezzotint.catalog.manifest.fitting import Fitting, beside, inside
from mezzotint.catalog.manifest.problem import Problem, WrongError, nearest
from mezzotint.catalog.manifest.row import Row
from mezzotint.catalog.manifest.table import Table, is_remote
from mezzotint.catalog.manifest.template import Template, template
from mezzotint.files import user_path

T = TypeVar("T")
TRIED = 256
"""Combinations of levels that a prompt of labels is tried with."""

HINTED = 200
"""Problems, before which the nearest of a folder's files is looked for."""

MISSPELT = 0.75
"""How much a free column must be like a known one to be thought that."""


@dataclass(frozen=True)
class Checked:
    """rows: all, where there are no problems.   notes: what is not wrong and may not be meant."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()


@dataclass
class Check:
    """The check of one manifest.   root: the folder of its pictures."""

    table: Table
    brief: Brief
    fitting: Fitting
    root: Path
    problems: list[Problem] = field(default_factory=list)
    _seen: dict[tuple[str, str], Problem | None] = field(default_factory=dict)
    _listed: dict[Path, list[str]] = field(default_factory=dict)

    def __call__(self) -> Checked:
        self.problems += self.table.problems
        missing = [name for name in REQUIRED if name not in self.table.columns]
        for name in missing:
            what = "is missing; expected a column of that name"
            self.problems.append(Problem(1, name, "", what, nearest(name, self.table.columns)))
        rows = [] if missing else [self._row(*one) for one in self.table.rows]
        self._twice(rows)
        self._effects(rows)
        ordered = sorted(self.problems, key=lambda one: (one.row, one.column))
        wrong = {one.row for one in self.problems}
        sound = tuple(row for row in rows if row.number not in wrong)
        return Checked(sound, tuple(ordered), tuple(self._notes(rows)))

    def _row(self, number: int, cells: Mapping[str, str]) -> Row:
        before = len(self.problems)

        def cell(column: str, read: Callable[[str], T], otherwise: T) -> T:
            try:
                return read(cells.get(column, ""))
            except WrongError as wrong:
                self._add(number, column, cells.get(column, ""), wrong)
                return otherwise

        row = Row(
            number,
            cell("sku", sku_of, ""),
            cells,
            cell("prompt", template, Template(())),
            cell("negative_prompt", template, Template(())),
            cell("image", lambda text: self._file(text, cells), None),
            cell("mask", lambda text: self._file(text, cells), None),
            cell("lock", lock_of, False),
            cell("adapter", self._adapter, ""),
            cell("size", self._size, None),
            cell("scale", scale_of, None),
            cell("seed", seed_of, None),
            cell("variants", variants_of, None),
            cell("key", colour_of, ""),
            cell("backdrop", template, Template(())),
        )
        self._sense(row, {one.column for one in self.problems[before:]})
        return row

    def _add(self, number: int, column: str, value: str, wrong: WrongError) -> None:
        self.problems.append(Problem(number, column, value, wrong.what, wrong.nearest))

    def _file(self, text: str, cells: Mapping[str, str]) -> Path | None:
        """A picture's file, by a template of columns."""
        if not text:
            return None
        said = template(text)
        unknown = [name for name in said.names if name not in cells]
        if unknown:
            raise WrongError(f"names {{{unknown[0]}}}, which is no column", nearest(unknown[0], cells))
        return inside(self.root, said.filled(cells), self._files)

    def _files(self, folder: Path) -> Sequence[str]:
        """Of a folder, by name, to find the nearest; none once there are many problems, for that takes long."""
        if len(self.problems) >= HINTED:
            return ()
        if folder not in self._listed:
            self._listed[folder] = beside(folder)
        return self._listed[folder]

    def _adapter(self, text: str) -> str:
        if text:
            self._once("adapter", text, partial(self.fitting.check_adapter, text))
        return text

    def _size(self, text: str) -> tuple[int, int] | None:
        size = size_of(text)
        if size is not None:
            self._once("size", text, partial(self.fitting.check_size, size))
        return size

    def _once(self, kind: str, text: str, look: Callable[[], None]) -> None:
        """Looks at a value the first time that it is said.  Raises WrongError each time."""
        if (kind, text) not in self._seen:
            try:
                look()
                self._seen[kind, text] = None
            except WrongError as wrong:
                self._seen[kind, text] = Problem(0, kind, text, wrong.what, wrong.nearest)
        found = self._seen[kind, text]
        if found is not None:
            raise WrongError(found.what, found.nearest)

    def _sense(self, row: Row, wrong: set[str]) -> None:
        """What cells say together.   wrong: columns whose cells say nothing."""
        if row.image is None and "image" not in wrong:
            for column, said in (("mask", row.mask), ("lock", row.lock), ("key", row.key)):
                if said:
                    self._add(row.number, column, row.cells[column], WrongError("is for a photograph; say image too"))
        if row.key and row.mask is not None:
            self._add(row.number, "key", row.key, WrongError("is beside a mask, which says it already; leave one out"))
        if not wrong & {"image", "lock", "backdrop"}:
            self._laid_on(row)
        for column in {"prompt", "negative_prompt"} - wrong:
            self._filled(row, column, getattr(row, column))
        for name in set(self.brief.names) & set(row.cells):
            if row.cells[name]:
                twice = WrongError("is a factor of the brief too; leave the cell empty, or the factor out")
                self._add(row.number, name, row.cells[name], twice)

    def _laid_on(self, row: Row) -> None:
        """What a backdrop says, by some of its variants."""
        said, cell = row.backdrop, row.cells.get("backdrop", "")
        if not row.lock and (cell or "backdrop" in self.brief.names):
            self._add(row.number, "backdrop", cell, WrongError("is for a product that is kept; say image and lock too"))
        elif cell and self._named(row, "backdrop", said):
            for text in self._variants(row, said):
                try:
                    self._once("backdrop", text, partial(self._plain, text))
                except WrongError as wrong:
                    return self._add(row.number, "backdrop", text, wrong)
        return None

    def _filled(self, row: Row, column: str, said: Template) -> None:
        if self._named(row, column, said) and (
            column == "prompt" or (self.fitting.labels is not None and row.cells.get(column))
        ):
            self._says(row, column, said)

    def _named(self, row: Row, column: str, said: Template) -> bool:
        """Whether a template's names are all there, and say something."""
        names = {**row.cells, **dict.fromkeys(self.brief.names, "")}
        for name in said.names:
            if name not in names:
                wrong = WrongError(f"names {{{name}}}, which is neither a column nor a factor", nearest(name, names))
                self._add(row.number, column, row.cells[column], wrong)
                return False
            if name not in self.brief.names and not row.cells[name]:
                self._add(row.number, name, "", WrongError(f"is empty, and the {column} says {{{name}}}"))
                return False
        return True

    def _variants(self, row: Row, said: Template, most: int = TRIED) -> Iterator[str]:
        """A template by some of its factors' levels."""
        varied = [factor for factor in self.brief.factors if factor.name in said.names]
        for levels in islice(product(*(factor.levels for factor in varied)), most):
            yield said.filled({**row.cells, **{f.name: v for f, v in zip(varied, levels, strict=True)}})

    def _says(self, row: Row, column: str, said: Template) -> None:
        """A prompt as the model is told it, by some of its variants."""
        for text in self._variants(row, said, TRIED if self.fitting.labels else 1):
            try:
                if len(text) > MAX_PROMPT:
                    raise WrongError(f"has {len(text)} letters; at most {MAX_PROMPT} are taken")
                self._once("prompt", text, partial(self.fitting.check_prompt, text))
            except WrongError as wrong:
                return self._add(row.number, column, text, wrong)
        return None

    def _twice(self, rows: list[Row]) -> None:
        first: dict[str, int] = {}
        for row in rows:
            if row.sku and row.sku in first:
                wrong = WrongError(f"is in row {first[row.sku]} already; expected each once")
                self._add(row.number, "sku", row.sku, wrong)
            first.setdefault(row.sku, row.number)

    def _effects(self, rows: list[Row]) -> None:
        """Factors that change nothing, and values of them that will not do."""
        named = {n for row in rows for said in (row.prompt, row.negative_prompt, row.backdrop) for n in said.names}
        looks = {"adapter": self._adapter, "size": self._size, "scale": scale_of, "negative_prompt": self._away}
        looks["backdrop"] = self._plain
        for factor in self.brief.factors:
            if rows and factor.name not in named and factor.name not in KNOWN:
                what = f"no prompt says {{{factor.name}}}, and no backdrop, so the factor changes nothing"
                self.problems.append(Problem(0, factor.name, "", what, None))
            for level in factor.levels if factor.name in looks else ():
                try:
                    looks[factor.name](level)
                except WrongError as wrong:
                    self._add(0, factor.name, level, wrong)

    def _plain(self, text: str) -> None:
        """A level of a backdrop."""
        if not template(text).names:
            backdrop_of(text)

    def _away(self, text: str) -> None:
        """A level of a negative prompt, where the model knows labels alone."""
        if text and self.fitting.labels is not None and not template(text).names:
            self.fitting.check_prompt(text)

    def _notes(self, rows: list[Row]) -> Iterator[str]:
        """Columns that look as if they were meant to be others."""
        named = {name for row in rows for said in (row.prompt, row.negative_prompt) for name in said.names}
        for column in self.table.columns:
            near = nearest(column.replace(" ", "_"), KNOWN, MISSPELT)
            if column and column not in KNOWN and column not in named and near is not None:
                yield f"column {column!r} is free and no prompt says it; was {near!r} meant?"


def check(table: Table, brief: Brief, fitting: Fitting, pictures: Path | None = None) -> Checked:
    """Every row of a manifest, checked.   pictures: the folder of its pictures, where that is not the manifest's."""
    root = pictures
    if root is None:
        root = Path.cwd() if is_remote(table.address) else user_path(table.address).parent
    return Check(table, brief, fitting, root)()
