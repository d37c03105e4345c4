"""Keeps what ``run.py`` measured: results/*.json as *.reference.json, and the page docs/measured.md made of them.

    python benchmarks/reference.py

Nothing on that page is typed: run the benchmarks, then this.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import figures
import harness
import tune_methods
from prompt_gate import wilson

PAGE = harness.ROOT.parent / "docs" / "measured.md"
TITLES = {
    "cold_start": "From nothing to a picture",
    "solver_overhead": "The loop around the network",
    "network": "Networks of equal size",
    "pretrained": "A checkpoint in diffusers' layout",
    "tune": "Tuning",
    "tune_fidelity": "Tuning to the same fidelity, the product that settings were chosen on",
    "tune_fidelity_apart": "Tuning to the same fidelity, a product that nothing was chosen on",
    "tune-methods": "Methods of tuning",
    "cost_plan": "Plans of cost",
    "output_gate": "The output gate",
    "few_calls": "Learned solvers in few calls",
    "quality": "Quality after equal minutes of training",
}
LABELS = {"room": "with room for a mark", "embed_s": "seconds to put it in", "read_s": "seconds to read it"}
MARKS = """`benchmarks/mark.py`: how often the mark's 32 bits were read exactly, with Wilson's 95 % intervals; pictures
without room count as misses. Targets: 0.95 after JPEG 75, WebP 80, a crop of 90 % and 3/4 size; 38 dB; a
CIELAB difference of 2. photos: three squares of each of 36 photographs that nothing was tuned on; shots:
renders of products on a plain ground. 0.83 is a size that is not looked for. Seconds are processor time of
one core."""
HEAD = """# Measured

What `make bench` printed, both sides in one run, by turns; a ratio is ours over the peer's and below 1 is a win. Ratios
travel between machines better than seconds do, and neither travels far: run it on yours. Where a target was missed, or
we lose, the last column says so. What each script compares is in `benchmarks/README.md`. Each figure is of the run that
`benchmarks/results/*.reference.json` holds.
"""
FIGURES = PAGE.parent / "images" / "measured"


def cells(c: dict[str, Any]) -> list[str]:
    """A comparison as a row."""
    target = "" if c["target"] is None else f"≤ {c['target']:.3f}"
    notes = f"; {c['notes']}" if c["notes"] else ""
    numbers = [harness.number(c["ours"]), harness.number(c["peer"]), f"{c['ratio']:.3f}", target]
    return [c["name"], *numbers, c["unit"], c["verdict"] + notes]


def section(name: str, found: dict[str, Any]) -> str:
    """A benchmark's part of the page."""
    m = found["machine"]
    where = (
        f"{m['processor']}, {m['cores']} cores, {m['threads']} threads; torch {m['torch']}, diffusers {m['diffusers']}"
    )
    head = "| what | ours | peer | ours/peer | target | unit | |\n|---|---|---|---|---|---|---|"
    rows = "\n".join(f"| {' | '.join(cells(c))} |" for c in found["comparisons"])
    more = [f"{key}: {value}" for key, value in found["more"].items() if isinstance(value, str)]
    drawn = [f"![{name}: ours over the peer's](images/measured/{name}.png)"] if found["comparisons"] else []
    return "\n\n".join(
        [f"## {TITLES[name]}", f"`benchmarks/{found['benchmark']}.py`. {where}.", *drawn, f"{head}\n{rows}", *more]
    )


def marks(found: dict[str, Any]) -> str:
    """The invisible mark's part of the page: each slice a column."""
    slices = [one for one in found["slices"] if "read" in one]
    names = " | ".join(one["slice"] for one in slices)
    lines = [f"| after | {names} |", "|---|" + "---|" * len(slices), f"| pictures | {_row(slices, 'n')} |"]
    lines += [f"| {change} | {_shares(slices, change)} |" for change in slices[0]["read"]]
    for name in ("room", "mean PSNR dB", "least PSNR dB", "mean CIELAB difference", "largest mean of a picture",
                 "mean 99th percentile in a picture", "embed_s", "read_s"):  # fmt: skip
        lines.append(f"| {LABELS.get(name, name)} | {_row(slices, name)} |")
    unmarked = [one for one in found["slices"] if one["slice"] == "unmarked"]
    n, alarms = (sum(one[key] for one in unmarked) for key in ("n", "found"))
    low, high = wilson(alarms, n)
    said = (
        f"Of {n:,} unmarked pictures, each with a key of its own, {alarms} were taken for marked"
        f" [{low:.2g}, {high:.2g}]; the bound by the length of the check is {unmarked[0]['bound']:.2g} a picture."
    )
    return "\n\n".join(["## Invisible marks", MARKS, "\n".join(lines), said])


def _row(slices: list[dict[str, Any]], name: str) -> str:
    return " | ".join(f"{one[name]:.3g}" if isinstance(one[name], float) else f"{one[name]:,}" for one in slices)


def _shares(slices: list[dict[str, Any]], change: str) -> str:
    counts = [(one["read"][change], one["n"]) for one in slices]
    each = [(hits / n, *wilson(hits, n)) for hits, n in counts]
    return " | ".join(f"{share:.3f} [{low:.3f}, {high:.3f}]" for share, low, high in each)


def rates(found: dict[str, Any]) -> str:
    """The output gate's part: shares with the 95 % intervals of Wilson, and milliseconds.  It has no peer."""
    m = found["machine"]
    shares = [
        f"| {r['set']}: {r['what']} | {r['hits']:,} of {r['n']:,} | {100 * r['hits'] / r['n']:.2f} %"
        f" | {100 * r['low']:.2f} … {100 * r['high']:.2f} |"
        for r in found["rates"]
    ]
    times = [
        f"| {t['set']}: {t['what']} | {t['median_ms']:.1f} | {t['p95_ms']:.1f} | {t['n']} |" for t in found["times"]
    ]
    where = f"{m['processor']}, {m['cores']} cores, {m['threads']} threads"
    about = "What is meant, targets and misses: [What we check](how-to/what-we-check.md#what-was-measured)."
    parts = [
        f"## {TITLES['output_gate']}",
        f"`benchmarks/output_gate.py`. {where}. {about}",
        "\n".join(["| what | cases | share | interval, % |", "|---|---|---|---|", *shares]),
        "\n".join(["| 512 px | median, ms | 95th percentile, ms | pictures |", "|---|---|---|---|", *times]),
    ]
    return "\n\n".join(parts)


def methods(found: dict[str, Any]) -> str:
    """The methods of tuning: each a row, with 95 % intervals.  They are held against each other."""
    m, asked = found["machine"], found["settings"]
    about = (
        f"`benchmarks/tune_methods.py`: {asked['subject']}, {asked['views']} photographs, {asked['model']},"
        f" {asked['steps']} updates, the best of {asked['moments']} moments, {asked['n']} pictures of each sort."
        f" {m['processor']}, {m['threads']} threads."
    )
    rows = [f"| {' | '.join(tune_methods.row(name, one))} |" for name, one in found["more"]["methods"].items()]
    head = f"| {' | '.join(tune_methods.HEAD)} |\n|{'---|' * len(tune_methods.HEAD)}"
    return "\n\n".join([f"## {TITLES['tune-methods']}", about, "\n".join([head, *rows])])


def page_of(name: str, found: dict[str, Any]) -> str:
    """A benchmark's part of the page, whatever it has."""
    if "rates" in found:
        return rates(found)
    return methods(found) if "methods" in found["more"] else section(name, found)


def placeless(document: str) -> str:
    """The JSON text with absolute paths cut to their last part, for they say nothing elsewhere."""
    return re.sub(r'"/(?:[^"/]+/)+([^"/]+)"', r'"\1"', document)


def main() -> int:
    """Writes the files."""
    parts, shown = [HEAD], list[Path]()
    for name in TITLES:
        path = harness.RESULTS / f"{name}.json"
        kept = path.with_suffix(".reference.json")
        if path.is_file():
            kept.write_text(placeless(path.read_text()))
        if kept.is_file():
            found = json.loads(kept.read_text())
            parts.append(page_of(name, found))
            shown.append(kept)
    kept = harness.RESULTS / "mark.reference.json"
    if kept.is_file():
        parts.append(marks(json.loads(kept.read_text())))
    figures.draw_all(shown, FIGURES)
    PAGE.write_text("\n\n".join(part.strip() for part in parts) + "\n")
    print(f"written: {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
