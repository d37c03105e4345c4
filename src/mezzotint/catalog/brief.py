"""What holds for all rows of a manifest: factors and their levels, how variants are planned, what may be given up.

A TOML file beside the manifest, with its name:

    [factors]
    background = ["white", "grey", "wood"]
    view = ["front view", "side view"]

    [plan]
    variants = 6
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mezzotint.catalog.ladder import STEPS, Rung, rung
from mezzotint.catalog.manifest.columns import KNOWN
from mezzotint.catalog.manifest.template import NAME
from mezzotint.errors import InputError, UsageError, unknown
from mezzotint.files import read_bytes, sha256, user_path
from mezzotint.governance.licence.money import Money, money
from mezzotint.making.request import MOST_CANDIDATES

MAX_LEVELS, MAX_FACTORS, MAX_VARIANTS = 64, 12, 1000
BALANCE = ("sku", "catalog")
SEEDS = ("own", "shared")
SECTIONS = ("factors", "plan", "degrade", "test", "cost")
SETTABLE = tuple(name for name, column in KNOWN.items() if column.factor)
"""Columns that a factor may fill in."""


@dataclass(frozen=True)
class Factor:
    """Something that is varied.  levels: texts, no two the same."""

    name: str
    levels: tuple[str, ...]


@dataclass(frozen=True)
class Trial:
    """What a test is to find: a rate now, the share by which it is to rise, and how sure that is to be."""

    rate: float
    lift: float
    power: float = 0.8
    alpha: float = 0.05


@dataclass(frozen=True)
class Brief:
    """factors: none makes variants by seed alone.  variants: of a row that says none; None is every combination.

    balance: sku, level counts of each SKU differ by 1 at most and no row changes another's variants; catalog, those of
        all SKUs together too, and variants go by the rows before.
    seeds: own noise for each variant, or shared by siblings.  buckets: into which assets are hashed.
    distinct: how far siblings have to be apart, one minus the cosine of their features; 0 is not at all.
    model, candidates: that are for it, where the command says none; None is as settings and the preset say.
    ladder: what is given up for a budget, in order.  test: None where none is planned.
    per_hour: what the machine costs; None is as settings say.  sha256: of the file, "" where there is none.
    """

    factors: tuple[Factor, ...] = ()
    variants: int | None = None
    balance: str = "sku"
    seeds: str = "own"
    buckets: int = 100
    distinct: float = 0.0
    model: str | None = None
    candidates: int | None = None
    ladder: tuple[Rung, ...] = STEPS
    test: Trial | None = None
    per_hour: Money | None = None
    sha256: str = ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of its factors."""
        return tuple(factor.name for factor in self.factors)


def beside(manifest: str) -> Path | None:
    """The brief beside a manifest of this machine; None where there is none."""
    path = user_path(manifest)
    found = path.with_suffix(".toml") if path.name else path
    return found if "://" not in manifest and found.is_file() else None


def read_brief(path: Path | None) -> Brief:
    """Raises InputError (no TOML), UsageError that names the file (wrong values)."""
    return brief_of(brief_text(path), str(path))


def brief_text(path: Path | None) -> bytes:
    """Its bytes, none where there is no file.  Raises InputError."""
    return b"" if path is None else read_bytes(path, 1 << 20)


def brief_of(data: bytes, where: str) -> Brief:
    """The brief of a file's bytes.   where: its name.  Raises as ``read_brief``."""
    if not data:
        return Brief()
    try:
        table = tomllib.loads(data.decode("utf-8-sig"))
    except ValueError as error:
        raise InputError(f"cannot read {where}: {error}; expected a brief as TOML") from error
    return _brief(table, where, sha256(data))


def _brief(table: Mapping[str, Any], where: str, digest: str) -> Brief:
    for name, value in table.items():
        if name not in SECTIONS:
            raise UsageError(f"{where}: {unknown('section', name, SECTIONS)}")
        if not isinstance(value, dict):
            raise UsageError(f"{where}: {name} is {value!r}; expected a table, [{name}]")
    said = dict(table.get("plan", {}))
    _known(said, ("variants", "balance", "seeds", "buckets", "distinct", "model", "candidates"), f"{where}: [plan]")
    variants, candidates = said.get("variants"), said.get("candidates")
    return Brief(
        _factors(table.get("factors", {}), where),
        None if variants is None else _whole(variants, 1, MAX_VARIANTS, f"{where}: variants"),
        _choice(said.get("balance", "sku"), BALANCE, f"{where}: balance"),
        _choice(said.get("seeds", "own"), SEEDS, f"{where}: seeds"),
        _whole(said.get("buckets", 100), 1, 1_000_000, f"{where}: buckets"),
        _share(said.get("distinct", 0), f"{where}: distinct"),
        _name(said.get("model"), f"{where}: model"),
        None if candidates is None else _whole(candidates, 1, MOST_CANDIDATES, f"{where}: candidates"),
        _ladder(table.get("degrade", {}), where),
        _trial(table.get("test"), where),
        _price(table.get("cost", {}), where),
        digest,
    )


def _factors(said: Mapping[str, Any], where: str) -> tuple[Factor, ...]:
    if len(said) > MAX_FACTORS:
        raise UsageError(f"{where}: {len(said)} factors; at most {MAX_FACTORS} are planned")
    return tuple(_factor(name, levels, where) for name, levels in said.items())


def _factor(name: str, levels: Any, where: str) -> Factor:
    if not NAME.fullmatch(name):
        raise UsageError(f"{where}: factor {name!r}; expected letters, digits, spaces, hyphens")
    if name in KNOWN and name not in SETTABLE:
        raise UsageError(f"{where}: {name} cannot be varied; of the columns these can: {', '.join(SETTABLE)}")
    if not isinstance(levels, list) or not 2 <= len(levels) <= MAX_LEVELS:
        raise UsageError(f"{where}: factor {name}: expected a list of 2 to {MAX_LEVELS} levels")
    texts = tuple(str(level).strip() for level in levels)
    if len(set(texts)) < len(texts):
        raise UsageError(f"{where}: factor {name} has a level twice; expected each once")
    return Factor(name, texts)


def _ladder(said: Mapping[str, Any], where: str) -> tuple[Rung, ...]:
    _known(said, ("ladder",), f"{where}: [degrade]")
    rungs = said.get("ladder")
    if rungs is None:
        return STEPS
    if not isinstance(rungs, list):
        raise UsageError(f'{where}: ladder is {rungs!r}; expected a list, such as ["variants 4", "steps 8"]')
    return tuple(rung(str(one), where) for one in rungs)


def _trial(said: Mapping[str, Any] | None, where: str) -> Trial | None:
    if said is None:
        return None
    _known(said, ("rate", "lift", "power", "alpha"), f"{where}: [test]")
    if not {"rate", "lift"} <= set(said):
        raise UsageError(f"{where}: [test] needs rate and lift, such as rate = 0.03 and lift = 0.1")
    trial = Trial(**{name: _number(value, f"{where}: {name}") for name, value in said.items()})
    inside = all(0 < one < 1 for one in (trial.rate, trial.power, trial.alpha))
    if not inside or trial.lift <= 0 or trial.rate * (1 + trial.lift) >= 1:
        raise UsageError(f"{where}: [test]: expected rate, power, alpha in (0, 1), lift above 0, rate * (1 + lift) < 1")
    return trial


def _price(said: Mapping[str, Any], where: str) -> Money | None:
    _known(said, ("per_hour",), f"{where}: [cost]")
    value = said.get("per_hour")
    if value is not None and not isinstance(value, str):
        raise UsageError(f'{where}: per_hour is {value!r}; expected an amount and a currency, such as "0.40 USD"')
    return None if value is None else money(value, f"{where}: per_hour")


def _known(said: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in said:
        if name not in names:
            raise UsageError(f"{where}: {unknown('setting', name, names)}")


def _whole(value: Any, least: int, most: int, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise UsageError(f"{where} is {value!r}; expected a whole number from {least} to {most:,}")
    return value


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{where} is {value!r}; expected a number")
    return float(value)


def _share(value: Any, where: str) -> float:
    number = _number(value, where)
    if not 0 <= number <= 2:
        raise UsageError(f"{where} is {value!r}; expected 0 to 2, such as 0.05")
    return number


def _name(value: Any, where: str) -> str | None:
    if value is not None and (not isinstance(value, str) or not value):
        raise UsageError(f"{where} is {value!r}; expected a model's name, folder or file")
    return value


def _choice(value: Any, choices: tuple[str, ...], where: str) -> str:
    if value not in choices:
        raise UsageError(f"{where}: {unknown('choice', str(value), choices)}")
    return str(value)
