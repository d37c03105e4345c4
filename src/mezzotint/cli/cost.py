"""``mezzotint cost``: what was spent against caps; what pictures will take here; what they cost elsewhere."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mezzotint.cli.options import (
    guidance_options,
    json_option,
    machine_options,
    model_option,
    print_json,
    quiet_option,
    ranker_options,
    sampling_options,
    settled,
)
from mezzotint.cli.output import Bar
from mezzotint.cli.paths import PATH
from mezzotint.errors import UsageError

if TYPE_CHECKING:
    from mezzotint.costs.plan import Span
    from mezzotint.costs.prices import Elsewhere
    from mezzotint.governance.licence.money import Money
    from mezzotint.making.costed import Costed

SCHEMA = "mezzotint/cost-plan/1"


@click.command("cost")
@click.argument("what", type=click.Choice(["spent", "plan", "compare"]), default="spent")
@click.argument("prompt", nargs=-1)
@model_option
@click.option("-n", "--n", type=int, default=1, show_default=True, help="Pictures of each prompt.")
@sampling_options
@guidance_options
@ranker_options
@click.option("--size", metavar="WxH", help="Of the pictures, in pixels.  [the model's]")
@click.option("--batch", type=int, help="Pictures computed together.")
@click.option("--probe", type=float, default=20.0, show_default=True, help="Seconds in which pictures are made to see.")
@machine_options
@click.option("--out", type=PATH, help="Of compare: a new HTML file.")
@json_option
@quiet_option
def command(
    what: str, prompt: tuple[str, ...], probe: float, out: Path | None, as_json: bool, quiet: bool, **words: Any
) -> None:
    """Spent (the default): what was spent here, by month and project, against the caps of mezzotint.toml.

    Compare: what -n pictures cost here, at a photographer's and by hosted services, each price with its date.

    Plan: say what a run of `generate` with the same words would take here: calls, time, energy, money.

    Makes pictures for a few seconds, to see, and keeps nothing of them. What an hour of the machine costs, its power,
    what a photographer asks and what others ask for a picture are said in [cost] of mezzotint.toml.
    """
    if what != "plan":
        _of_the_book(what, prompt, words["n"], out, as_json)
        return
    if not prompt or out is not None:
        raise UsageError('cost plan takes a prompt, and no --out: mezzotint cost plan "ankle boot" -n 1000')
    said = settled(words, "model", "quality", "device", "dtype", "threads", "batch")

    from mezzotint.making.costed import cost_plan
    from mezzotint.making.request import Request, of_words

    with Bar(0, "s", shown=not quiet) as bar:

        def told(spent: float, batches: int) -> None:
            bar.at(min(round(spent), round(probe)), f"{batches} batches", max(1, round(probe)))

        asked = of_words(Request, {"prompt": prompt, **said})
        found = cost_plan(asked, probe, told)
    if as_json:
        print_json(document(found))
    else:
        click.echo(text(found))


def _of_the_book(what: str, prompt: tuple[str, ...], n: int, out: Path | None, as_json: bool) -> None:
    """What needs no model."""
    from mezzotint.cli import spent
    from mezzotint.costs.caps import declared

    if prompt or (what == "spent" and out is not None):
        raise UsageError(f"cost {what} takes no {'prompt' if prompt else '--out'}; leave it out")
    if what == "compare":
        shown, said = spent.compare(n, out)
    else:
        found, caps = spent.lines(), declared()
        shown, said = spent.spent_document(found, caps), spent.spent_text(found, caps)
    if as_json:
        print_json(shown)
    else:
        click.echo(said)


def text(found: Costed) -> str:
    """For people."""
    made, prices = found.plan, found.prices
    shown = f"{made.pictures:,} pictures in {made.batches:,} batches, {made.calls:g} network calls each"
    lines = [
        f"{found.model}: {shown}",
        f"time      {_time(made.seconds)}: {made.a_picture:.3g} s a picture, by {found.probed} batches made to see",
        f"energy    {_energy(made.watt_hours, prices.watts)}",
        f"money     {_money(made.money, prices.per_hour)}",
    ]
    if made.money is not None:
        lines += [f"compared  {line}" for line in _compared(found)]
    return "\n".join(lines)


def _time(span: Span) -> str:
    return f"{long_time(span.value)} ({long_time(span.low)} … {long_time(span.high)})"


def long_time(seconds: float) -> str:
    """12 s, 3 min 20 s, 5 h 3 min."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60} min"


def _energy(watt_hours: float | None, watts: float | None) -> str:
    if watt_hours is None:
        return "not known: say watts in [cost] of mezzotint.toml"
    return f"about {watt_hours:.3g} Wh, at {watts:g} W (an estimate: nothing is metered)"


def _money(amounts: tuple[Money, Money] | None, per_hour: Money | None) -> str:
    if amounts is None or per_hour is None:
        return 'not known: say per_hour = "0.40 USD", or what the machine costs, in [cost] of mezzotint.toml'
    expected, most = amounts
    return f"{expected}, at most {most}, at {per_hour} an hour"


def _compared(found: Costed) -> list[str]:
    """What as many pictures cost elsewhere."""
    n, prices = found.plan.pictures, found.prices
    lines = [_other(n, one) for one in prices.elsewhere]
    if prices.photograph is not None:
        one = prices.photograph
        lines.append(f"photographed, at {one} each: {n * one.amount:,.2f} {one.currency}")
    return lines


def _other(n: int, one: Elsewhere) -> str:
    span = f"{n * one.low.amount:,.2f} to {n * one.high.amount:,.2f} {one.low.currency}"
    return f"{one.name}: {span} (list prices, {one.date}, {one.source})"


def document(found: Costed) -> dict[str, Any]:
    """As JSON."""
    made, prices = found.plan, found.prices
    money = None if made.money is None else {"expected": str(made.money[0]), "most": str(made.money[1])}
    return {
        "schema": SCHEMA,
        "model": found.model,
        "pictures": made.pictures,
        "batches": made.batches,
        "calls": made.calls,
        "seconds": asdict(made.seconds),
        "watt_hours": made.watt_hours,
        "money": money,
        "probed": found.probed,
        "prices": {
            "per_hour": _said(prices.per_hour),
            "watts": prices.watts,
            "photograph": _said(prices.photograph),
            "elsewhere": [{**asdict(one), "low": str(one.low), "high": str(one.high)} for one in prices.elsewhere],
        },
    }


def _said(amount: Money | None) -> str | None:
    return None if amount is None else str(amount)
