"""What a catalog costs beside its pictures: checking, planning, the ledger, the engine around bare batched sampling.

Nothing but the last has a peer; the others are held against what they may take, which stands as the peer.

    python benchmarks/catalog.py [--only check plan ledger engine] [--model fashion] [--n 512]
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness

PARTS = ("check", "plan", "ledger", "engine")
CHECK_ROWS, CHECK_SECONDS = 10_000, 2.0
ASSETS, PLAN_SECONDS, PLAN_MIB = 100_000, 10.0, 500.0
CHANGES_A_SECOND = 2000.0
OVERHEAD = 1.05

CHECK = """
import sys, time, json
from pathlib import Path
from mezzotint.catalog.brief import read_brief
from mezzotint.catalog.manifest.check import check
from mezzotint.catalog.manifest.fitting import Fitting
from mezzotint.catalog.manifest.table import read_table
from mezzotint.making.opened import described
began = time.process_time()
found = check(read_table(sys.argv[1]), read_brief(Path(sys.argv[2])), Fitting(described("products-pixel")))
assert not found.problems, found.problems[:3]
print(json.dumps(time.process_time() - began))
"""


def manifest(folder: Path, rows: int, variants: int) -> Path:
    """Products with a template, three backgrounds and two views."""
    folder.mkdir(parents=True, exist_ok=True)
    prompt = "a {colour} {name} on a {background} background, {view}"
    lines = [f'S-{k},chair {k % 97},red,"{prompt}",{variants}' for k in range(rows)]
    (folder / "m.csv").write_text("\n".join(["sku,name,colour,prompt,variants", *lines]) + "\n")
    brief = '[factors]\nbackground = ["white", "beige", "wood"]\nview = ["front view", "side view"]\n'
    (folder / "m.toml").write_text(brief)
    return folder / "m.csv"


def checking(folder: Path) -> harness.Comparison:
    """Processor seconds of 10,000 rows."""
    import subprocess

    path = manifest(folder / "check", CHECK_ROWS, 6)
    command = [sys.executable, "-c", CHECK, str(path), str(path.with_suffix(".toml"))]
    took = float(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return harness.compare("check of 10,000 rows", "CPU s", [took], [CHECK_SECONDS], 1.0)


def planning(folder: Path) -> list[harness.Comparison]:
    """The whole command, from its start to its end, without a probe."""
    path = manifest(folder / "plan", ASSETS // 5, 5)
    words = ["--model", "products-pixel", "--probe", "0", "--quiet", "--json", "--out", str(folder / "none")]
    used = harness.child([sys.executable, "-m", "mezzotint", "catalog", "plan", str(path), *words])
    return [
        harness.compare("plan of 100,000 assets", "CPU s", [used.cpu], [PLAN_SECONDS], 1.0),
        harness.compare("plan of 100,000 assets: memory", "MiB", [used.rss], [PLAN_MIB], 1.0),
    ]


def ledger(folder: Path, url: str | None, name: str, batches: int = 400, rows: int = 16) -> harness.Comparison:
    """State changes a second: a batch taken and paid for in the book, its assets done; no network between."""
    from mezzotint.catalog.ledger import tables as t
    from mezzotint.catalog.ledger.connect import connected
    from mezzotint.catalog.ledger.leases import Lease, Outcome, finish, lease
    from mezzotint.catalog.ledger.owner import owner
    from mezzotint.catalog.ledger.runs import counted
    from mezzotint.costs.caps import Caps
    from mezzotint.costs.till import till
    from mezzotint.governance.licence.money import money

    db = connected(url or folder / "ledger.sqlite")
    run = {"id": "bench", "created": 0.0, "state": "running", "address": "", "manifest_sha256": "", "words": "{}"}
    run |= {"factors": "[]", "columns": "[]", "rungs": "[]", "planned_seconds": 0.0, "currency": "USD", "per_hour": 1}
    run |= {"cap": 10**9, "book": None, "seconds": 0.0, "rate": 0.0, "distinct_by": 0.0}
    asset = {
        "run": "bench",
        "recipe": 0,
        "sku": "s",
        "variant": "v",
        "levels": "[]",
        "prompt": "p",
        "seed": 0,
        "bucket": 0,
    }
    fresh = {
        "run": "bench",
        "recipe": 0,
        "state": "waiting",
        "begin_after": 0.0,
        "tries": 0,
        "used": 0.0,
    }

    def fill(c) -> None:
        for table in (t.run, t.recipe, t.batch, t.asset, t.made):
            c.execute(table.delete())
        c.execute(t.run.insert(), run)
        c.execute(t.recipe.insert(), {"run": "bench", "number": 0, "id": "r", "said": "{}", "rows": rows, "work": 1})
        c.execute(t.batch.insert(), [{**fresh, "number": k} for k in range(batches)])
        many = [
            {**asset, "number": k, "id": f"{k:032x}", "batch": k // rows, "state": "waiting"}
            for k in range(batches * rows)
        ]
        c.execute(t.asset.insert(), many)
        counted(c)

    db.write(fill)
    with till("catalog", "bench", Caps(run=money("1000 USD", "a cap")), money("0.40 USD", "a price")) as paid:
        name_of, began, changes = owner(), time.perf_counter(), 0
        while isinstance(held := lease(db, "bench", name_of, 1.0, lambda seconds: paid.covers(1.0)), Lease):
            made = {"run": "bench", "receipt": "r", "pixels_sha256": "p", "file": "f", "seconds": 0.1, "created": 0.0}
            paid.settle(0.1, len(held.wishes))
            finish(db, held, [Outcome(w.id, "done", {}, {**made, "id": w.id}) for w in held.wishes], 0.1)
            changes += 2 + len(held.wishes)
        rate = changes / (time.perf_counter() - began)
    return harness.compare(f"ledger, {name}", "us a change", [1e6 / rate], [1e6 / CHANGES_A_SECOND], 1.0)


def engine(folder: Path, model: str, n: int, repeats: int) -> harness.Comparison:
    """Processor time of ``catalog run`` beside that of ``generate`` on the same prompts, both from start to end; what
    neither makes a picture with (start, report) is in both or in ours."""
    import mezzotint as mz
    from mezzotint.catalog.plan.words import Words
    from mezzotint.catalog.planning import Asked
    from mezzotint.catalog.running import begin, make_all, open_place

    loaded = mz.load(model)
    kinds = [label.name for label in loaded.system.labels] or ["a red chair", "a blue lamp", "a white sofa"]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "m.csv"
    path.write_text("sku,prompt\n" + "".join(f"S-{k},{kinds[k % len(kinds)]}\n" for k in range(n)))
    prompts = [kinds[k % len(kinds)] for k in range(n)]
    count = iter(range(10_000))

    def ours() -> object:
        where = open_place(str(folder / f"out-{next(count)}"), None)
        run, _ = begin(Asked(str(path), Words(model=model, sampling=mz.Sampling(threads=1)), probe=0), where, loaded)
        return make_all(run, where, loaded)

    def peer() -> object:
        out = folder / f"bare-{next(count)}"
        for image in mz.generate(prompts, model=loaded, threads=1, batch=16).images:
            image.save(out / f"{image.seed}.png")
        return out

    a, b = harness.alternate(lambda: harness.timed(ours), lambda: harness.timed(peer), repeats)
    return harness.compare(f"catalog run of {n}, {model}", "CPU s", [u.cpu for u in a], [u.cpu for u in b], OVERHEAD)


def main(argv: list[str] | None = None) -> int:
    """Runs and prints."""
    parser = harness.arguments(__doc__ or "", 3)
    parser.add_argument("--only", nargs="*", default=list(PARTS), choices=PARTS)
    parser.add_argument("--model", default="fashion")
    parser.add_argument("--n", type=int, default=512, help="pictures of a run")
    parser.add_argument("--postgresql", help="the URL of a database that may be emptied")
    given = parser.parse_args(argv)
    harness.use_threads(given.threads)
    rows = list[harness.Comparison]()
    with harness.catalogs() as folder:
        rows += [checking(folder)] if "check" in given.only else []
        rows += planning(folder) if "plan" in given.only else []
        if "ledger" in given.only:
            rows.append(ledger(folder, None, "SQLite"))
            rows += [ledger(folder, given.postgresql, "PostgreSQL")] if given.postgresql else []
        rows += [engine(folder / "engine", given.model, given.n, given.repeats)] if "engine" in given.only else []
    about = {k: v for k, v in vars(given).items() if k not in ("out", "postgresql")}
    return harness.finish(harness.Outcome("catalog", harness.machine(given.threads), about, rows), given.out)


if __name__ == "__main__":
    sys.exit(main())
