"""What the commands of a catalog share: the manifest, its brief, the words of a run, where it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mezzotint.cli.options import (
    chain,
    json_option,
    licence_options,
    machine_options,
    mark_option,
    model_option,
    quiet_option,
    ranker_options,
    sampling_options,
    settled,
)
from mezzotint.cli.output import Bar
from mezzotint.cli.paths import PATH
from mezzotint.errors import UsageError

if TYPE_CHECKING:
    from mezzotint.catalog.brief import Brief
    from mezzotint.catalog.planning import Asked
    from mezzotint.catalog.running import Place

manifest_options = chain(
    click.argument("manifest"),
    click.option(
        "--brief",
        type=PATH,
        help="What is varied, as TOML.  [beside the manifest, with its name]",
    ),
    click.option("--pictures", type=PATH, help="The folder of photographs.  [the manifest's]"),
)
ledger_option = click.option("--ledger", metavar="FILE|URL", help="The ledger: SQLite, or postgresql://…  [in OUT]")
plan_options = chain(
    manifest_options,
    licence_options,
    model_option,
    click.option("--seed", type=int, default=0, show_default=True, help="Seeds of assets are hashes of it."),
    sampling_options,
    ranker_options,
    click.option("--strength", type=float, help="Of photographs without a mask: the share of the steps that is run."),
    click.option("--budget", metavar="AMOUNT", help="What it may cost at most; less is made where that does not do."),
    click.option("--per-hour", metavar="AMOUNT", help="What an hour of the machine costs.  [as brief or settings say]"),
    click.option(
        "--probe", type=float, default=20.0, show_default=True, help="Seconds to see how fast it is; 0: none."
    ),
    machine_options,
    mark_option,
    click.option("--batch", type=int, help="Pictures computed together.  [16]"),
    click.option("--out", metavar="DIR|ADDRESS", help="The catalog's folder.  [./mezzotint-out/catalog-<manifest>]"),
    ledger_option,
    json_option,
    quiet_option,
)
place_options = chain(click.argument("out"), ledger_option)


def brief_of(manifest: str, brief: Path | None) -> Brief:
    """The brief that is given, or the one beside the manifest.  Raises InputError, UsageError."""
    from mezzotint.catalog.brief import beside, read_brief

    return read_brief(beside(manifest) if brief is None else brief)


def asked_of(words: Mapping[str, Any]) -> Asked:
    """The options of a plan as its words, by settings where they are left out.  Raises UsageError, InputError."""
    from mezzotint.catalog.plan.words import BATCH, Words
    from mezzotint.catalog.planning import Asked
    from mezzotint.making.counts import threads_for
    from mezzotint.making.request import Request, Sampling, of_words

    brief = brief_of(words["manifest"], words["brief"])
    own = {"model": brief.model, "candidates": brief.candidates}
    told = {name: value if words[name] is None else words[name] for name, value in own.items()}
    said = settled({**words, **told}, "model", "quality", "device", "dtype", "threads", "batch", "mark")
    said["batch"] = BATCH if said["batch"] is None else said["batch"]
    if not 1 <= said["batch"] <= 4096:
        raise UsageError(f"--batch {said['batch']}: expected 1 to 4096")
    if not 0 <= said["probe"] <= 3600:
        raise UsageError(f"--probe {said['probe']:g}: expected 0, which is none, to 3600 seconds")
    if not 0 <= said["seed"] < 2**63:
        raise UsageError(f"--seed {said['seed']}: expected 0 to 2^63 - 1")
    # Threads round too: they go by the usual batch, so that ids are the same at any.
    threads = Sampling(threads=said["threads"])
    said["threads"] = threads_for(Request("", model=said["model"], batch=BATCH, sampling=threads))
    names = ("manifest", "brief", "pictures", "budget", "per_hour", "probe")
    asked = {name: said.pop(name) for name in names}
    return Asked(words=of_words(Words, said), **asked)


def place_of(out: str | None, ledger: str | None, manifest: str) -> Place:
    """Where a catalog is.  Raises UsageError, StorageError, LedgerError."""
    from mezzotint.catalog.running import default_out, open_place

    return open_place(out or default_out(manifest), ledger)


@contextmanager
def probing(seconds: float, shown: bool) -> Iterator[Any]:
    """Progress of the probe."""
    with Bar(0, "s", shown) as bar:
        yield lambda spent, batches: bar.at(
            min(round(spent), round(seconds)), f"{batches} batches", max(1, round(seconds))
        )
