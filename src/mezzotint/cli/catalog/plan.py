"""``mezzotint catalog plan MANIFEST``: assets, calls, time, money, licences, before anything is made."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mezzotint.cli.catalog.words import asked_of, place_of, plan_options, probing
from mezzotint.cli.options import print_json
from mezzotint.cli.paths import PATH
from mezzotint.cli.pictures import loading
from mezzotint.errors import UsageError

if TYPE_CHECKING:
    from mezzotint.catalog.planning import Priced

SCHEMA = "mezzotint/catalog-plan/1"


@click.command("plan")
@plan_options
@click.option("--csv", "sheet", type=PATH, help="Also write every asset as a row of a CSV.")
def command(sheet: Path | None, out: str | None, ledger: str | None, as_json: bool, quiet: bool, **words: Any) -> None:
    """Plan a run of MANIFEST and say what it takes: assets, network calls, time, money, licences; make nothing.

    Batches are made for some seconds, to see, and thrown away. A budget that does not do goes down the brief's ladder:
    fewer variants, fewer calls, less size.
    """
    if sheet is not None and sheet.exists():
        raise UsageError(f"--csv {sheet} exists; nothing is overwritten, choose another name")
    asked = asked_of(words)
    with loading():
        from mezzotint.catalog.ledger.runs import kept_ids
        from mezzotint.catalog.planning import plan, read
        from mezzotint.pretrained.model import load

        found, model = read(asked), load(asked.words.model)
    kept = kept_ids(place_of(out, ledger, asked.manifest).db) if _is_there(out, asked.manifest, ledger) else set()
    with probing(asked.probe, shown=not quiet) as told:
        priced = plan(asked, found, model, kept, told)
    if sheet is not None:
        write_sheet(sheet, priced)
    if as_json:
        print_json(document(asked.manifest, priced))
    else:
        show(priced, quiet)


def _is_there(out: str | None, manifest: str, ledger: str | None) -> bool:
    """Whether there is a ledger; a plan makes none."""
    from mezzotint.catalog.running import LEDGER, default_out

    return ledger is not None or (Path(out or default_out(manifest)) / LEDGER).is_file()


def write_sheet(path: Path, found: Priced) -> None:
    """Every asset as a row: for testing tools.  Raises StorageError."""
    from mezzotint.catalog.sheet import Cell, csv_text
    from mezzotint.files import write_atomic

    names = found.plan.brief.names
    rows: list[tuple[Cell, ...]] = [
        (one.id, asset.row.sku, asset.variant, asset.bucket, asset.seed, asset.prompt, *asset.levels)
        for one in found.plan.assets
        for asset in [one.asset]
    ]
    columns = ("asset", "sku", "variant", "bucket", "seed", "prompt", *names)
    write_atomic(path, csv_text(columns, rows), replace=False)


def show(found: Priced, quiet: bool) -> None:
    """For people."""
    for note in () if quiet else found.notes:
        print(f"mezzotint: {note}", file=sys.stderr)
    click.echo(text(found))


def text(found: Priced) -> str:
    """The plan in lines."""
    from mezzotint.cli.cost import long_time

    plan = found.plan
    skus = len({one.asset.row.sku for one in plan.assets})
    kept = sum(one.kept for one in plan.assets)
    lines = [
        f"assets    {len(plan.assets):,} of {skus:,} products, {kept:,} there already; {plan.made:,} to make",
        f"batches   {len(plan.batches):,}, {plan.calls:,} network calls",
    ]
    if plan.composed:
        lines.append(f"composed  {plan.composed:,} on plain backgrounds: no network is called for them")
    if found.timed:
        span = found.seconds
        lines.append(f"time      {long_time(span.value)} ({long_time(span.low)} … {long_time(span.high)})")
    else:
        lines.append("time      not known: --probe makes some batches to see")
    lines.append(f"money     {_money(found)}")
    lines += [f"memory    {found.memory}"] if found.memory else []
    lines += [f"licence   {name}: {licence}" for name, licence in found.licences]
    lines += [f"factor    {name}: {counted}" for name, counted in _factors(found)]
    lines += [f"given up  for the budget: {', '.join(map(str, plan.rungs))}"] if plan.rungs else []
    if found.needed is not None:
        lines.append(f"test      {found.needed:,} views of each arm, for the lift that the brief wants to see")
    return "\n".join(lines)


def _money(found: Priced) -> str:
    if found.per_hour is None:
        return 'not known: say --per-hour "0.40 USD", or per_hour in [cost] of the brief or of mezzotint.toml'
    if found.money is None:
        return f"not known, as the time is not; at {found.per_hour} an hour"
    expected, most = found.money
    budget = "" if found.budget is None else f"; the budget is {found.budget}"
    return f"{expected}, at most {most}, at {found.per_hour} an hour{budget}"


def _factors(found: Priced) -> list[tuple[str, str]]:
    """How often each level is planned."""
    names = found.plan.brief.names
    counts = [Counter(one.asset.levels[k] for one in found.plan.assets) for k in range(len(names))]
    return [
        (n, ", ".join(f"{level} {c}" for level, c in sorted(of.items()))) for n, of in zip(names, counts, strict=True)
    ]


def document(manifest: str, found: Priced) -> dict[str, Any]:
    """As JSON."""
    plan = found.plan
    counts = [Counter(one.asset.levels[k] for one in plan.assets) for k in range(len(plan.brief.names))]
    money = None if found.money is None else {"expected": str(found.money[0]), "most": str(found.money[1])}
    return {
        "schema": SCHEMA,
        "manifest": manifest,
        "products": len({one.asset.row.sku for one in plan.assets}),
        "assets": len(plan.assets),
        "kept": sum(one.kept for one in plan.assets),
        "to_make": plan.made,
        "batches": [
            {"recipe": b.recipe, "rows": plan.recipes[b.recipe].rows, "assets": len(b.assets)} for b in plan.batches
        ],
        "calls": plan.calls,
        "composed": plan.composed,
        "seconds": asdict(found.seconds) if found.timed else None,
        "probed": found.pace.probed,
        "per_hour": None if found.per_hour is None else str(found.per_hour),
        "budget": None if found.budget is None else str(found.budget),
        "money": money,
        "rungs": list(map(str, plan.rungs)),
        "memory": found.memory or None,
        "licences": [{"name": name, "licence": licence} for name, licence in found.licences],
        "factors": {name: dict(sorted(count.items())) for name, count in zip(plan.brief.names, counts, strict=True)},
        "views_needed": found.needed,
        "notes": list(found.notes),
    }
