"""Which method?  One product that the base has never seen, tuned by every method at equal steps, as users do it.

The product is one of those held out of the products data: a few of its unpainted pictures are learnt from, the others
judge (``mezzotint tune --judge-by``), on the same noise for all.  Every run is a process of its own and leaves its
result under ``<out>/work``; those that are there are not made again, one that was killed begins anew, so that its cost
is that of the whole run.  Rates are the default's but where ``--rates`` says otherwise.

    python benchmarks/tune_methods.py --data PRODUCTS [--subject ID] [--steps 320] [--methods lora dora …]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness
from quality import kept, note

from mezzotint.config import DEFAULT_MODEL

METHODS = ("lora", "rslora", "tlora", "dora", "pissa", "lokr", "loha", "oft", "full")
SUBJECT, NAME, VIEWS = "blendswap-cc-0-stool2", "zorbo", 5
SIDE = 512
"""At which photographs are read to see whether two are one picture."""

RATES = ()
"""None: each is given the rate that ``tune`` gives it (``tuning.settings.usual_rate``)."""

JUDGE = "drafts"
"""What ``tune`` judges: results of another judge are kept apart and never paired with these."""

HEAD = ("method", "gain", "fidelity", "backgrounds", "colours", "drift", "copies", "holds", "KiB", "CPU s")


@dataclass(frozen=True)
class Product:
    """learnt, judges: folders.   name: a prompt's, with its kind as the last word.  kind: what it is one of."""

    learnt: Path
    judges: Path
    name: str
    kind: str


def short(value: object) -> str:
    """Of what is written as the same text."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:12]


def product(data: Path, subject: str, views: int, place: Path) -> Product:
    """The unpainted pictures of a held-out product, ``views`` of them spread over all to learn from."""
    from mezzotint.products.source import chosen, photographs

    known = chosen(photographs(data), "subjects")
    mine = [p for p in known if p.product == subject and not p.painted]
    if len(mine) <= views:
        names = ", ".join(sorted({p.product for p in known}))
        raise SystemExit(f"{subject} has {len(mine)} unpainted pictures, {views} to learn from; held out are {names}")
    taken = {round(k * (len(mine) - 1) / max(1, views - 1)) for k in range(views)}
    folders = place / "learnt", place / "judges"
    for k, p in enumerate(mine):
        folder = folders[k not in taken]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(data / subject / f"{p.number:02}.png", folder)
    return Product(*folders, f"{NAME} {mine[0].kind}", mine[0].kind)


def check_judges(one: Product, taken: int, notes: Sequence[str]) -> None:
    """Raises SystemExit, with the last of some notes, where fewer photographs judge than were given."""
    given = len(list(one.judges.glob("*.png")))
    if taken < given:
        why = notes[-1] if notes else "some are left out"
        raise SystemExit(f"{taken} of {given} photographs judge, so no other run compares: {why}")


def apart(one: Product) -> None:
    """Raises SystemExit where ``tune`` would leave out some of the judges, of which ``--quiet`` says nothing."""
    from mezzotint.tuning.apart import never_learnt
    from mezzotint.tuning.photos import read_shoot

    learnt, judges = (read_shoot(folder, SIDE) for folder in (one.learnt, one.judges))
    left, known = never_learnt(judges.photos, learnt.photos)
    check_judges(one, len(left), [*judges.notes, *known])


def tuned(one: Product, method: str, out: Path, given: argparse.Namespace) -> dict[str, Any]:
    """``mezzotint tune`` with one method: what was found, the adapter's bytes, processor seconds of the process."""
    shutil.rmtree(out, ignore_errors=True)  # of a run that was killed
    out.mkdir(parents=True)
    rates = dict(said.split("=") for said in given.rates)
    command = [
        harness.program(), "tune", str(one.learnt), "--name", one.name, "--class", one.kind,
        "--judge-by", str(one.judges), "--method", method, "--out", str(out / "run"), "--quiet",
    ]  # fmt: skip
    for word in ("model", "rank", "steps", "moments", "n", "seed", "threads"):
        command += [f"--{word}", str(getattr(given, word))]
    command += [] if given.batch is None else ["--batch", str(given.batch)]
    command += ["--rate", rates[method]] if method in rates else []
    usage = harness.child(command, harness.quiet_environment(given.threads))
    document = json.loads((out / "run/tune.json").read_text())
    found = {name: document[name] for name in ("choice", "evidence", "seconds")}
    return {"found": found, "bytes": (out / "run/adapter.safetensors").stat().st_size, "cpu": usage.cpu}


def row(method: str, one: Mapping[str, Any]) -> tuple[str, ...]:
    """Cells of the table, of the moment that was kept."""
    choice = one["found"]["choice"]
    kept = one["found"]["evidence"][str(choice["step"])]

    def cell(field: str) -> str:
        said = kept[field]
        return f"{said['value']:.3g} ({said['low']:.3g} … {said['high']:.3g})"

    said = [cell(field) for field in ("gain", "fidelity", "adherence", "painted", "drift")]
    holds = "yes" if choice["kept"] else "no"
    return (method, *said, f"{kept['copies']['value']:.0%}", holds, f"{one['bytes'] / 1024:.0f}", f"{one['cpu']:.0f}")


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """For people, with 95 % intervals."""
    return harness.table([row(method, one) for method, one in found.items()], HEAD)


def arguments() -> argparse.ArgumentParser:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, required=True, help="a folder of mezzotint render")
    asked.add_argument("--subject", default=SUBJECT, help=f"one that is held out  [{SUBJECT}]")
    asked.add_argument("--views", type=int, default=VIEWS, help=f"pictures to learn from  [{VIEWS}]")
    asked.add_argument("--model", default=DEFAULT_MODEL)
    asked.add_argument("--methods", nargs="*", default=list(METHODS), choices=METHODS)
    asked.add_argument("--rank", type=int, default=16)
    asked.add_argument("--steps", type=int, default=320)
    asked.add_argument("--batch", type=int, help="rows of an update  [tune's own]")
    asked.add_argument("--moments", type=int, default=4)
    asked.add_argument("--rates", nargs="*", default=list(RATES), metavar="METHOD=RATE", help=f"[{' '.join(RATES)}]")
    asked.add_argument("-n", type=int, default=32, help="pictures of each sort")
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--threads", type=int, default=1)
    asked.add_argument("--out", type=Path, default=harness.RESULTS)
    return asked


def main(argv: Sequence[str] | None = None) -> int:
    """Runs what is not there yet, prints the table, writes ``<out>/tune-methods.json``."""
    given = arguments().parse_args(argv)
    settings = {k: str(v) if isinstance(v, Path) else v for k, v in vars(given).items() if k not in ("out", "methods")}
    settings["judge"] = JUDGE
    work = given.out / "work" / f"tune-methods-{short(settings)}"
    shutil.rmtree(work / "product", ignore_errors=True)
    one = product(given.data, given.subject, given.views, work / "product")
    apart(one)
    found = {}
    for method in given.methods:
        found[method] = kept(work / f"{method}.json", lambda method=method: tuned(one, method, work / method, given))
        note(" · ".join(row(method, found[method])))
    more = {"methods": found, "table": table(found)}
    outcome = harness.Outcome("tune-methods", harness.machine(given.threads), settings, [], more)
    return harness.finish(outcome, given.out)


if __name__ == "__main__":
    sys.exit(main())
