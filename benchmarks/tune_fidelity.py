"""Processor time to the same fidelity: ``mezzotint tune`` beside PEFT in diffusers' DreamBooth-LoRA script, one base.

Both learn one product that the base has never seen, from the same opaque pictures, with LoRA of the same rank on the
same layers.  Both are looked at at several moments by the judge of ``mezzotint tune``: the same prompts and noise, the
same photographs apart.  What is compared: processor seconds until ours has the fidelity that the script ends with,
between two moments on the line between them, and the drift there; then the bytes of the smallest adapter of ours whose
fidelity is not clearly lower.  Seconds are those of everything after loading, the prior's and the class's pictures too,
without judging.  Results are kept under ``<out>/work``, part by part.

    python benchmarks/tune_fidelity.py [--data PRODUCTS] [--steps 320] [--script-steps 500]

Without ``--data``, a folder of ``mezzotint render``, the photographs of ``examples/photos`` are learnt from.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness
import tune_fidelity_peer as peer
from harness import Comparison
from quality import kept, note
from tune_methods import JUDGE, NAME, SUBJECT, VIEWS, Product, check_judges, product, short

from mezzotint.config import DEFAULT_MODEL

if TYPE_CHECKING:
    from mezzotint.making.tuned.base import Base
    from mezzotint.making.tuned.judge import Court
    from mezzotint.making.tuned.wish import Wish
    from mezzotint.tuning.settings import Method, Settings

EXAMPLES, KIND = harness.ROOT.parent / "examples" / "photos", "stool"
GRID = 24
"""Parts of a run between which it can be looked at."""

SMALL = {"lokr": ("lokr", 16), "lora-4": ("lora", 4)}
"""Adapters of few bytes: method and rank."""

OWN = ("steps", "batch", "rate")
SCRIPTS = ("script_steps", "script_rate", "class_pictures")
"""Settings that concern one side alone, whose parts are kept apart by them."""

PEERS = ("script", "script-best")
TIMES, BYTES = 1 / 3, 1 / 4
HEAD = ("what", "updates", "CPU s", "fidelity", "gain", "drift", "backgrounds", "colours", "KiB")

Part = Mapping[str, Any]
Point = tuple[float, float]
"""(processor seconds, a measure)."""


# -- what is learnt, and the judge ------------------------------------------------------------------------------------


def opaque(folder: Path) -> Path:
    """A folder's pictures on white: what anybody's program reads alike."""
    from PIL import Image

    from mezzotint.pictures.flat import flat

    out = folder.with_name(f"{folder.name}-opaque")
    out.mkdir(parents=True)
    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as image:
            flat(image).save(out / path.name)
    return out


def example(views: int, place: Path) -> Product:
    """The photographs of ``examples/photos``: the first to learn from, the others judge."""
    found = sorted(EXAMPLES.glob("*.png"))
    for k, path in enumerate(found):
        folder = place / ("learnt" if k < min(views, len(found) - 1) else "judges")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder)
    return Product(place / "learnt", place / "judges", f"{NAME} {KIND}", KIND)


@dataclass(frozen=True, eq=False)
class Trial:
    """One product, one base, one judge.   photos: what is learnt from, opaque.   work: where results are kept."""

    given: argparse.Namespace
    one: Product
    photos: Path
    work: Path

    @cached_property
    def base(self) -> Base:
        from mezzotint.making.tuned.base import base
        from mezzotint.pretrained.model import load

        return base(load(self.given.model), "cpu", self.given.dtype)

    def wish(self, method: Method) -> Wish:
        from mezzotint.making.tuned.wish import Wish
        from mezzotint.tuning.words import subject

        folders = {subject(self.one.name, self.one.kind): self.photos}
        said = self.settings(method)
        return Wish(folders, self.given.model, said, self.one.judges, self.given.n, dtype=self.given.dtype)

    def settings(self, method: Method) -> Settings:
        """The defaults, but for what is asked for."""
        from mezzotint.tuning.settings import Settings

        given = {k: v for k in ("steps", "batch", "rate", "seed") if (v := getattr(self.given, k)) is not None}
        return replace(Settings(method), **given)

    @cached_property
    def court(self) -> Court:
        from mezzotint.evaluation.features import DEFAULT_SIZE, extractor
        from mezzotint.making.tuned.judge import Court
        from mezzotint.making.tuned.learn import square
        from mezzotint.making.tuned.shoots import shoots
        from mezzotint.tuning.evidence import real
        from mezzotint.tuning.ground import ground_of
        from mezzotint.tuning.prompts import asked_of
        from mezzotint.tuning.settings import Method

        wish, side, features = self.wish(Method()), square(self.base), extractor(2 * DEFAULT_SIZE)
        taken, text = shoots(wish, side, features), self.base.system.text
        (who,) = wish.subjects
        check_judges(self.one, len(taken.held[who]), taken.notes)
        ground = ground_of(taken.judges(who))
        asked = asked_of(wish.subjects, "" if text is None else text.phrases, wish.n, ground)
        against = {who.name: real(taken.judges(who), taken.learnt[who], side, ground)}
        return Court(self.base, {who.name: asked[0]}, against, features, self.work / "pictures")


# -- both sides -------------------------------------------------------------------------------------------------------


def looked_at(steps: int, moments: int) -> list[int]:
    """Steps of a run at which it is judged, closer together at its beginning: k² of moments², up to parts of GRID."""
    part = max(1, steps // GRID)
    found = {min(steps, part * max(1, round((k / moments) ** 2 * steps / part))) for k in range(1, moments)}
    return sorted(found | {steps})


def ours(trial: Trial, method: Method, wanted: Sequence[int], out: Path) -> Part:
    """What ``mezzotint tune`` does until it judges: reading, masks, the prior's pictures, learning, with its looks at
    the loss of what is held apart.   Returns: as ``tune_fidelity_peer.learnt``, of wanted steps and its last."""
    from time import process_time

    from mezzotint.evaluation.features import DEFAULT_SIZE, extractor
    from mezzotint.making.tuned.learn import learn, lesson, square, tunable_of
    from mezzotint.making.tuned.patience import Patient
    from mezzotint.making.tuned.prior import pictures_for, prior_scenes
    from mezzotint.making.tuned.shoots import shoots
    from mezzotint.training.run import Watch

    base, wish, features = trial.base, trial.wish(method), extractor(2 * DEFAULT_SIZE)
    halves, seconds = tunable_of(base, method), {}
    began = process_time()
    taken = shoots(wish, square(base), features)
    cut = process_time() - began
    prior = prior_scenes(base, wish.subjects, pictures_for(base, None), out / "prior")
    beforehand = process_time() - began - cut
    plan = lesson(base, halves, taken.learnt, taken.held, prior, wish.settings)
    every = replace(plan.recipe.every, snapshot=max(1, wish.settings.steps // GRID))
    plan = replace(plan, recipe=replace(plan.recipe, every=every))
    patient = Patient(out / "run" / "journal.jsonl")
    watch = Watch(lambda progress: seconds.update({progress.step: process_time() - began}))
    learn(plan, out / "run", "new", patient.on(watch))
    size, last = 0, max(seconds)
    for step, layers in _snapshots(plan, out / "run"):
        if step in wanted or step == last:
            size = _written(layers, trial, out / str(step))
    found = {str(k): seconds[k] for k in seconds if (out / str(k)).is_dir()}
    return {"beforehand": beforehand, "moments": found, "bytes": size}


def _snapshots(plan: Any, run: Path) -> list[tuple[int, Any]]:
    from mezzotint.making.tuned.learn import moments

    return sorted(moments(plan, run).items())


def _written(layers: Any, trial: Trial, folder: Path) -> int:
    """The file of an adapter as ``tune`` writes it; its bytes."""
    from mezzotint.nets.adapters.contents import contents_of
    from mezzotint.pretrained.exchange.save import layout_for, write_adapter

    contents, system = contents_of(layers.parts["denoiser"]), trial.base.system
    folder.mkdir()
    (one,) = write_adapter(folder / "adapter.safetensors", contents, system, layout_for(contents, system))
    return one.path.stat().st_size


def learnt(trial: Trial, name: str) -> Part:
    """One part's learning, from its beginning."""
    from mezzotint.tuning.settings import Method

    given, out = trial.given, folder_of(trial, name)
    shutil.rmtree(out, ignore_errors=True)  # of a run that was killed
    out.mkdir(parents=True)
    trial.court.made(None)  # the judge needs the base's pictures anyway, and no part pays for what is slow only once
    if name in peer.SETTINGS:
        prompts = (f"a photo of {trial.one.name}", f"a photo of {trial.one.kind}")
        task = peer.Task(trial.base, trial.photos, prompts, given.rank, given.script_rate, given.seed)
        steps = looked_at(given.script_steps, given.moments)
        return peer.learnt(task, peer.SETTINGS[name], steps, given.class_pictures, out)
    method, rank = SMALL.get(name, ("lora", given.rank))
    moments = 1 if name in SMALL else given.moments
    return ours(trial, Method(method, rank), looked_at(given.steps, moments), out)


def judged(trial: Trial, name: str, found: Part) -> Part:
    """A part with the evidence of its moments, the base as step 0, and the likeness of every picture."""
    from mezzotint.making.tuned import judge
    from mezzotint.pretrained.adapters import Weighed, read_adapter

    court, system, folder = trial.court, trial.base.system, folder_of(trial, name)
    files = {int(k): folder / k for k in found["moments"]}
    paths = {
        k: f if (f / "adapter_model.safetensors").is_file() else f / "adapter.safetensors" for k, f in files.items()
    }
    verdict = judge.judged(court, [(k, Weighed(read_adapter(path, system), 1.0)) for k, path in paths.items()])
    likeness = {
        str(k): next(iter(court.marks(shown).values())).likeness.tolist() for k, shown in verdict.pictures.items()
    }
    return {**found, "evidence": {str(k): asdict(e) for k, e in verdict.together.items()}, "likeness": likeness}


def folder_of(trial: Trial, name: str) -> Path:
    """Where a part is kept."""
    own = [getattr(trial.given, word) for word in (SCRIPTS if name in peer.SETTINGS else OWN)]
    return trial.work / f"{name}-{short(own)}"


def part(trial: Trial, name: str) -> Part:
    """A part's results, learnt and judged where they are not there yet."""
    note(f"{name} …")
    folder = folder_of(trial, name)
    found = kept(folder.with_suffix(".learnt.json"), lambda: learnt(trial, name))
    return kept(folder.with_suffix(".json"), lambda: judged(trial, name, found))


# -- what is found ----------------------------------------------------------------------------------------------------


def last(found: Part) -> str:
    return max(found["moments"], key=int)


def curve(found: Part, field: str) -> list[Point]:
    """A measure against processor seconds, from the first moment that was looked at: nothing is known before it."""
    steps = sorted(found["moments"], key=int)
    return [(found["moments"][k], found["evidence"][k][field]["value"]) for k in steps]


def reached(points: Sequence[Point], wanted: float) -> float:
    """Seconds until a line through points is first at ``wanted`` or above; infinite where it never is."""
    if points[0][1] >= wanted:
        return points[0][0]
    for (t0, y0), (t1, y1) in pairwise(points):
        if y0 < wanted <= y1:
            return t0 + (wanted - y0) / (y1 - y0) * (t1 - t0)
    return math.inf


def at(points: Sequence[Point], seconds: float) -> float:
    """A line through points, at a time; its last point's beyond them."""
    for (t0, y0), (t1, y1) in pairwise(points):
        if t0 <= seconds <= t1:
            return y0 + (y1 - y0) * (seconds - t0) / max(t1 - t0, 1e-9)
    return points[-1][1]


def single(name: str, unit: str, a: float, b: float, target: float | None, notes: str) -> Comparison:
    """A comparison of one run each."""
    return harness.compare(name, unit, [a], [b], target, notes)


def to_the_same(name: str, mine: Part, other: Part) -> list[Comparison]:
    """Seconds to the fidelity that a peer ends with, and the drift there."""
    end = last(other)
    evidence = other["evidence"][end]
    wanted, cost = evidence["fidelity"]["value"], other["moments"][end]
    when = reached(curve(mine, "fidelity"), wanted)
    gain = f"fidelity {wanted:.3f}, {evidence['gain']['value']:+.3f} over the base"
    notes = f"{gain}; {other['beforehand']:.0f} s of the peer's are the class's pictures"
    drift = at(curve(mine, "drift"), when)
    if math.isinf(when):
        notes, said = f"{notes}; ours does not reach it", "where ours ends: it does not reach that fidelity"
    else:
        said = "where ours has that fidelity"
    return [
        single(f"to the fidelity that {name} ends with", "CPU s", when, cost, TIMES, notes),
        single(f"drift at the fidelity that {name} ends with", "times", drift, evidence["drift"]["value"], 1.0, said),
    ]  # fmt: skip


def difference(mine: Part, other: Part) -> Any:
    """How much more like the product the last pictures of one are than those of another, on the same noise."""
    import torch

    from mezzotint.evaluation.estimate import mean_of

    a, b = (torch.tensor(one["likeness"][last(one)]) for one in (mine, other))
    return mean_of(a - b)


def smallest(name: str, several: Mapping[str, Part], other: Part) -> Comparison:
    """Bytes of the smallest adapter whose fidelity is not clearly lower than that a peer ends with."""
    apart = {k: difference(one, other) for k, one in several.items()}
    fit = [k for k, d in apart.items() if d.high >= 0]
    said = "; ".join(f"{k} {several[k]['bytes'] / 1024:.0f} KiB, fidelity {apart[k]} apart" for k in several)
    best = min(fit, key=lambda k: several[k]["bytes"], default=None)
    size = math.inf if best is None else several[best]["bytes"] / 1024
    notes = f"{best or 'none is as faithful'} of: {said}"
    return single(f"adapter as faithful as {name}'s", "KiB", size, other["bytes"] / 1024, BYTES, notes)


def comparisons(found: Mapping[str, Part]) -> list[Comparison]:
    """Of every peer that was run."""
    peers = {k: one for k, one in found.items() if k in peer.SETTINGS}
    mine = {k: one for k, one in found.items() if k not in peers}
    rows = [row for name, other in peers.items() for row in to_the_same(name, found["ours"], other)]
    return [*rows, *(smallest(name, mine, other) for name, other in peers.items())]


def lines(name: str, found: Part) -> list[tuple[str, ...]]:
    """A part's moments as cells."""

    def cell(one: Mapping[str, Any], field: str) -> str:
        said = one[field]
        return "" if said is None else f"{said['value']:.3f} ({said['low']:.3f} … {said['high']:.3f})"

    fields = ("fidelity", "gain", "drift", "adherence", "painted")
    return [
        (name, k, f"{s:.0f}", *(cell(found["evidence"][k], f) for f in fields), f"{found['bytes'] / 1024:.0f}")
        for k, s in found["moments"].items()
    ]


def arguments() -> argparse.ArgumentParser:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, help="a folder of mezzotint render  [examples/photos]")
    asked.add_argument("--subject", default=SUBJECT, help=f"of --data, one that is held out  [{SUBJECT}]")
    asked.add_argument("--views", type=int, default=VIEWS, help=f"pictures to learn from  [{VIEWS}]")
    asked.add_argument("--model", default=DEFAULT_MODEL)
    asked.add_argument("--rank", type=int, default=16)
    asked.add_argument("--steps", type=int, default=320, help="updates of ours")
    asked.add_argument("--batch", type=int, help="rows of ours  [tune's own]")
    asked.add_argument("--rate", type=float, help="of ours  [tune's own]")
    asked.add_argument(
        "--script-steps", type=int, default=500, help="updates of the peer, of 4 rows and 4 of the class"
    )
    asked.add_argument("--script-rate", type=float, default=peer.RATE)
    asked.add_argument("--class-pictures", type=int, default=peer.CLASS_PICTURES)
    asked.add_argument("--peers", nargs="*", default=list(PEERS), choices=peer.SETTINGS)
    asked.add_argument("--small", nargs="*", default=list(SMALL), choices=SMALL, help="adapters of few bytes")
    asked.add_argument("--moments", type=int, default=6, help="at which both are judged")
    asked.add_argument("-n", type=int, default=24, help="pictures of each sort")
    asked.add_argument("--dtype", default="fastest", help="of ours, and of the judge's pictures")
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--threads", type=int, default=2)
    asked.add_argument("--out", type=Path, default=harness.RESULTS)
    return asked


def main(argv: Sequence[str] | None = None) -> int:
    """Runs what is not there yet; prints the table; writes ``<out>/tune_fidelity.json``."""
    given = arguments().parse_args(argv)
    chosen = ("out", "peers", "small")
    settings = {k: str(v) if isinstance(v, Path) else v for k, v in vars(given).items() if k not in chosen}
    settings["judge"] = JUDGE
    both = {k: v for k, v in settings.items() if k not in (*OWN, *SCRIPTS)}
    work = given.out / "work" / f"tune-fidelity-{short(both)}"
    harness.use_threads(given.threads)
    shutil.rmtree(work / "product", ignore_errors=True)
    place = work / "product"
    one = product(given.data, given.subject, given.views, place) if given.data else example(given.views, place)
    trial = Trial(given, one, opaque(one.learnt), work)
    found = {name: part(trial, name) for name in ("ours", *given.peers, *given.small)}
    print(harness.table([row for name, one in found.items() for row in lines(name, one)], HEAD))
    outcome = harness.Outcome(
        "tune_fidelity", harness.machine(given.threads), settings, comparisons(found), {"parts": found}
    )
    return harness.finish(outcome, given.out)


if __name__ == "__main__":
    sys.exit(main())
