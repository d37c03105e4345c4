"""A manifest's rows and a brief's factors as assets: what each is told, its seed, its bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import prod

from mezzotint.catalog.brief import Brief
from mezzotint.catalog.manifest.columns import scale_of, size_of
from mezzotint.catalog.manifest.row import Row
from mezzotint.catalog.manifest.template import Template, single_spaced, template
from mezzotint.catalog.variants.design import Run, design
from mezzotint.catalog.variants.identity import bucket_of, digest, seed_of, variant_name
from mezzotint.errors import UsageError

MAX_ASSETS = 1_000_000


@dataclass(frozen=True, slots=True)
class Asset:
    """One picture of a catalog, not made yet.

    variant: what tells it from its siblings.   levels: of the brief's factors.   prompt, negative_prompt: filled in.
    adapter, size, scale: as the row or a factor has them; None, "" are the model's.
    backdrop: of a locked product; "" is painted.
    """

    row: Row
    variant: str
    levels: tuple[str, ...]
    prompt: str
    negative_prompt: str
    adapter: str
    size: tuple[int, int] | None
    scale: float | None
    seed: int
    bucket: int
    backdrop: str = ""


def assets_of(rows: Sequence[Row], brief: Brief, seed: int, most: int | None = None) -> list[Asset]:
    """All of a manifest.   seed: the run's.   most: of a row's variants, where a budget leaves no more.

    Raises UsageError for more than a million.
    """
    counts = tuple(len(factor.levels) for factor in brief.factors)
    wanted = [_wanted(row.variants if row.variants is not None else brief.variants, counts, most) for row in rows]
    if sum(wanted) > MAX_ASSETS:
        raise UsageError(f"the plan has more than {MAX_ASSETS:,} assets; split the manifest, or plan fewer variants")
    found, used = list[Asset](), [0] * len(counts)
    for row, number in zip(rows, wanted, strict=True):
        turns = _turns(row, brief, counts, used, seed) if number % prod(counts) else [0] * len(counts)
        found += _of(row, _planned(counts, number, seed), turns, brief, seed)
        used = [(turn + number) % n for turn, n in zip(used, counts, strict=True)]
    return found


def _wanted(said: int | None, counts: Sequence[int], most: int | None) -> int:
    """Variants of a row: what is said, or every combination; at most ``most``."""
    number = prod(counts) if said is None else said
    return number if most is None else min(number, most)


@cache
def _planned(counts: tuple[int, ...], wanted: int, seed: int) -> list[tuple[Run, int]]:
    """Made once for rows that want as many."""
    return design(counts, wanted, digest("design", seed))


def _turns(row: Row, brief: Brief, counts: Sequence[int], used: Sequence[int], seed: int) -> Sequence[int]:
    """By how far each factor's levels are turned for a row, so that those that come once more are not always the first.

    By the SKU no row changes another's; by what was used before, counts of the whole catalog are even.
    """
    if brief.balance == "catalog":
        return used
    return [digest("turn", seed, row.sku, f.name) % n for f, n in zip(brief.factors, counts, strict=True)]


def _of(row: Row, planned: Sequence[tuple[Run, int]], turns: Sequence[int], brief: Brief, seed: int) -> Iterator[Asset]:
    names, factors = brief.names, [factor.levels for factor in brief.factors]
    for run, copy in planned:
        levels = tuple([of[(k + turn) % len(of)] for of, k, turn in zip(factors, run, turns, strict=True)])
        yield _asset(row, *_told(names, levels, copy), copy, brief, seed)


def _asset(row: Row, levels: Mapping[str, str], variant: str, copy: int, brief: Brief, seed: int) -> Asset:
    cells = {**row.cells, **levels}
    size, scale = levels.get("size"), levels.get("scale")
    return Asset(
        row=row,
        variant=variant,
        levels=tuple(levels.values()),
        prompt=_filled(row.prompt, cells),
        negative_prompt=_filled(_said(row.negative_prompt, "negative_prompt", levels), cells),
        adapter=levels.get("adapter", row.adapter),
        size=row.size if size is None else size_of(size),
        scale=row.scale if scale is None else scale_of(scale),
        seed=_seed(row, copy, variant, brief, seed),
        bucket=bucket_of(str(seed), row.sku, variant, brief.buckets),
        backdrop=_filled(_said(row.backdrop, "backdrop", levels), cells) if row.lock else "",
    )


@lru_cache(maxsize=4096)
def _told(names: tuple[str, ...], levels: tuple[str, ...], copy: int) -> tuple[Mapping[str, str], str]:
    """(levels by name, the variant's name): many rows have the same."""
    told = dict(zip(names, levels, strict=True))
    return told, variant_name(told, copy)


def _said(own: Template, column: str, levels: Mapping[str, str]) -> Template:
    """What a row says in a column, or a factor in its place."""
    return template(levels[column]) if column in levels else own


def _filled(said: Template, cells: Mapping[str, str]) -> str:
    return single_spaced(said.filled(cells)) if said.names else said.constant


def _seed(row: Row, copy: int, variant: str, brief: Brief, seed: int) -> int:
    """The column's, copies counted on from it; else by SKU, and by variant where siblings have noise of their own."""
    if row.seed is not None:
        return (row.seed + copy) % 2**63
    shared = f"#{copy + 1}" if brief.seeds == "shared" else variant
    return seed_of(seed, row.sku, shared)
