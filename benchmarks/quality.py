"""Quality at equal training time: the Fréchet distance of ours, of diffusers' recipe, and of real pictures.

Ours is the recipe ``fashion``, the peer diffusers' unconditional recipe with labels, at its default and at a better
setting, each trained for the same minutes on the same cores, each making the same number of pictures in at most the
same number of network calls.  Every phase leaves its files under ``<out>/work``; a killed run goes on there.

    python benchmarks/quality.py [--minutes 20] [--n 2048] [--threads 2]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import fashion
import harness
import quality_peer
import sampling

CHUNK = 128
OTHER = "ddpm-pytorch"
SAMPLERS = ("ddim", "ddpm", "dpm++2m")
TRIAL = 256
LEAST_MINUTES = 0.001
"""What is left to a run whose time was up when it was killed: ``train`` takes no zero."""

SAFE_GREY_LEVELS = 1.0
"""Largest mean difference of pictures sampled in bfloat16 from those in float32 for which bfloat16 counts as safe."""


@dataclass(frozen=True)
class Settings:
    """What is run."""

    minutes: float
    n: int
    calls: int
    threads: int
    recipe: str
    data: Path
    work: Path
    trial: int
    elsewhere: str


def note(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def kept(path: Path, make: Any) -> dict[str, Any]:
    """A phase's result from its file, made and written first when it is not there."""
    if not path.is_file():
        found = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(found, indent=2))
        part.replace(path)
    return dict(json.loads(path.read_text()))


# -- ours -------------------------------------------------------------------------------------------------------------


def mezzotint(settings: Settings, out: Path, *options: str) -> dict[str, Any]:
    """``mezzotint train`` in a process of its own; its JSON."""
    command = [harness.program(), "train", settings.recipe, "--out", str(out), "--json", "--quiet"]
    command += ["--data", str(settings.data), "--threads", str(settings.threads), *options]
    done = subprocess.run(command, env=harness.quiet_environment(settings.threads), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout))


def our_steps(settings: Settings) -> int:
    """Steps that fill the minutes, from a short run: the rate's decay is planned over them."""
    short = mezzotint(settings, settings.work / "ours-speed", "--minutes", str(max(0.02, settings.minutes / 40)))
    return max(1, int(settings.minutes * 60 * short["step"] / short["seconds"]))


def spent(folder: Path) -> float:
    """Seconds of training that a run's last checkpoint has behind it."""
    from mezzotint.training.checkpoint import Store

    last = Store(folder / "checkpoints").last()
    return 0.0 if last is None else float(last.facts["seconds"])


def train_ours(settings: Settings) -> dict[str, Any]:
    """The recipe for so many minutes in all, as the peer's; resumed where a killed run left off."""
    plan = kept(settings.work / "ours-steps.json", lambda: {"steps": our_steps(settings)})
    folder = settings.work / "ours"
    resume = ["--resume"] if (folder / "run.json").is_file() else []
    left = max(LEAST_MINUTES, settings.minutes - spent(folder) / 60)
    done = mezzotint(settings, folder, "--steps", str(plan["steps"]), "--minutes", str(left), *resume)
    return {k: done[k] for k in ("step", "steps", "seconds", "model", "reason")}


def ours(settings: Settings, judge: fashion.Judge) -> dict[str, Any]:
    """Train, sample, measure."""
    trained = kept(settings.work / "ours-trained.json", lambda: train_ours(settings))
    model = Path(trained["model"])
    request = sampling.Request(model, settings.n, settings.calls, dtype=safe_dtype(model, settings))
    made, about = sampling.pictures(request, settings.work / "ours-pictures")
    return {"training": trained, "sampling": about, **asdict(judge.distance(made))}


def safe_dtype(model: Path, settings: Settings) -> str:
    """bfloat16 where it is fast and changes the pictures by less than a grey level, else float32."""
    import torch

    from mezzotint.nets.precision import best_dtype

    if best_dtype("cpu") != torch.bfloat16:
        return "float32"
    requests = [sampling.Request(model, 10, settings.calls, dtype=d) for d in ("float32", "bfloat16")]
    a, b = (sampling.pictures(r, settings.work / "ours-check")[0] for r in requests)
    return "bfloat16" if (a.float() - b.float()).abs().mean() < SAFE_GREY_LEVELS else "float32"


# -- the peer ---------------------------------------------------------------------------------------------------------


def chunks(net: Any, name: str, n: int, settings: Settings, folder: Path, autocast: bool) -> Any:
    """n pictures in pieces on disk, uint8 (n, 1, 28, 28)."""
    import numpy as np
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    labels, found = fashion.balanced(n), []
    for start in range(0, n, CHUNK):
        path = folder / f"{name}-{autocast}-{start}-{min(n, start + CHUNK)}.npy"
        if not path.is_file():
            part = path.with_suffix(".part.npy")
            piece = labels[start : start + CHUNK]
            np.save(part, quality_peer.sample(net, name, piece, settings.calls, 1000 + start, autocast).numpy())
            part.replace(path)
            note(f"peer {folder.name} {name}: {start + len(piece)} of {n} pictures")
        found.append(np.load(path))
    return torch.from_numpy(np.concatenate(found))


def safe_autocast(net: Any, settings: Settings) -> bool:
    """Whether the peer, too, may sample in bfloat16: fast here, and the same pictures to within a grey level."""
    import torch

    from mezzotint.nets.precision import best_dtype

    if best_dtype("cpu") != torch.bfloat16:
        return False
    labels = fashion.balanced(10)
    a, b = (quality_peer.sample(net, "ddim", labels, settings.calls, 7, autocast).float() for autocast in (False, True))
    return bool((a - b).abs().mean() < SAFE_GREY_LEVELS)


def peer(setting: quality_peer.Setting, parameters: int, settings: Settings, judge: fashion.Judge) -> dict[str, Any]:
    """Train, choose the better sampler on a few pictures, sample, measure."""
    from dataclasses import replace

    run = quality_peer.train(setting, parameters, settings.minutes * 60, settings.data, settings.work, note)
    net = quality_peer.averaged(run)
    folder = settings.work / f"peer-{setting.name}-pictures"
    autocast = safe_autocast(net, settings)
    loose = replace(judge, minimum=2)
    trials = {
        name: loose.distance(chunks(net, name, settings.trial, settings, folder, autocast)).value for name in SAMPLERS
    }
    name = min(trials, key=lambda k: trials[k])
    made = chunks(net, name, settings.n, settings, folder, autocast)
    training = {**asdict(setting), "steps": run.step, "planned": run.steps, "seconds": run.seconds}
    chosen = {"sampler": name, "trials": trials, "calls": settings.calls, "autocast": autocast}
    return {"training": training, "sampling": chosen, **asdict(judge.distance(made))}


# -- another peer, in an environment of its own -----------------------------------------------------------------------


def elsewhere(parameters: int, settings: Settings, eta: float, n: int) -> tuple[dict[str, Any], Any]:
    """What ``ddpm_pytorch.py`` did under its own interpreter, and n pictures, uint8 (n, 1, 28, 28)."""
    import numpy as np
    import torch

    folder = settings.work / "peer-ddpm-pytorch"
    arrays = {"images": fashion.images(settings.data, "train"), "labels": fashion.labels(settings.data, "train")}
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array.numpy())
    words = {"out": folder, "parameters": parameters, "seconds": settings.minutes * 60, "threads": settings.threads}
    words |= {"calls": settings.calls, "eta": eta, "n": n, **{k: folder / f"{k}.npy" for k in arrays}}
    command = [settings.elsewhere, str(harness.ROOT / "ddpm_pytorch.py")]
    command += [part for k, v in words.items() for part in (f"--{k}", str(v))]
    done = subprocess.run(command, env=harness.quiet_environment(settings.threads), stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}; is the package installed there?")
    pieces = [(s, min(n, s + CHUNK)) for s in range(0, n, CHUNK)]
    made = [np.load(folder / f"eta-{eta:g}-{a}-{b}.npy") for a, b in pieces]
    return dict(json.loads(done.stdout)), torch.from_numpy(np.concatenate(made))


def ddpm_pytorch(parameters: int, settings: Settings, judge: fashion.Judge) -> dict[str, Any]:
    """Train, choose the better eta on a few pictures, sample, measure."""
    from dataclasses import replace

    loose = replace(judge, minimum=2)
    trials = {eta: loose.distance(elsewhere(parameters, settings, eta, settings.trial)[1]).value for eta in (0.0, 1.0)}
    eta = min(trials, key=lambda k: trials[k])
    training, made = elsewhere(parameters, settings, eta, settings.n)
    chosen = {"sampler": "ddim", "eta": eta, "trials": {str(k): v for k, v in trials.items()}, "calls": settings.calls}
    return {"training": training, "sampling": chosen, **asdict(judge.distance(made))}


# -- together ---------------------------------------------------------------------------------------------------------


def distances(settings: Settings, judge: fashion.Judge, peers_too: list[str]) -> dict[str, dict[str, Any]]:
    """Every phase in turn, each from its file when it is there."""
    from mezzotint.pretrained.model import load

    work = settings.work
    found = {"floor": kept(work / "floor.json", lambda: asdict(judge.floor(settings.n)))}
    note(f"real training pictures: {found['floor']['value']:.2f}")
    found["ours"] = kept(work / "ours.json", lambda: ours(settings, judge))
    note(f"ours: {found['ours']['value']:.2f}")
    count = parameters_of(load(Path(found["ours"]["training"]["model"])))
    for name in peers_too:
        found[name] = kept(work / f"peer-{name}.json", lambda name=name: measured(name, count, settings, judge))
        note(f"peer {name}: {found[name]['value']:.2f}")
    return found


def measured(name: str, parameters: int, settings: Settings, judge: fashion.Judge) -> dict[str, Any]:
    """A peer by its name."""
    if name == OTHER:
        return ddpm_pytorch(parameters, settings, judge)
    return peer(peer_setting(name, parameters, settings.work), parameters, settings, judge)


def peer_setting(name: str, parameters: int, work: Path) -> quality_peer.Setting:
    """The setting of a name; ``best`` is chosen once and then kept."""
    if name == "default":
        return quality_peer.DEFAULT
    found = kept(work / "peer-best-setting.json", lambda: asdict(quality_peer.best(parameters)))
    return quality_peer.Setting(**found)


def parameters_of(model: Any) -> int:
    """Of a loaded model's network."""
    return sum(p.numel() for p in model.main.network.parameters())


def rows(found: dict[str, dict[str, Any]]) -> list[harness.Comparison]:
    """Ours against each peer: one measurement each, so a ratio without a spread."""
    mine = found["ours"]["value"]
    return [
        harness.compare(f"distance, peer {name}", found["ours"]["metric"], [mine], [found[name]["value"]], None)
        for name in found
        if name not in ("ours", "floor")
    ]


def summary(found: dict[str, dict[str, Any]]) -> str:
    """Each distance, and how many times the floor it is."""
    floor = found["floor"]["value"]
    cells = [(k, f"{v['value']:.2f}", f"{v['value'] / floor:.3f}", str(v["n"])) for k, v in found.items()]
    return "\n" + harness.table(cells, ("who", "distance", "over the floor", "n"))


def main(argv: list[str] | None = None) -> int:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20, help="of training, each")
    parser.add_argument("--n", type=int, default=2048, help="pictures, each")
    parser.add_argument("--calls", type=int, default=50, help="network calls a picture")
    parser.add_argument("--threads", type=int, default=harness.cores())
    parser.add_argument("--recipe", default="fashion")
    parser.add_argument("--peers", nargs="*", default=["default", "best"], choices=["default", "best", OTHER])
    parser.add_argument("--ddpm-pytorch", metavar="PYTHON", default="", help=f"interpreter that has the peer {OTHER}")
    parser.add_argument("--data", type=Path, default=fashion.DEFAULT)
    parser.add_argument("--trial", type=int, default=TRIAL, help="pictures by which the peer's sampler is chosen")
    parser.add_argument("--limit", type=int, help="so many test pictures only: for tests of this script, not a result")
    parser.add_argument("--out", type=Path, default=harness.RESULTS)
    given = parser.parse_args(argv)
    if OTHER in given.peers and not given.ddpm_pytorch:
        parser.error(f"the peer {OTHER} needs --ddpm-pytorch PYTHON (benchmarks/ddpm_pytorch.py says how to make one)")
    harness.use_threads(given.threads)
    work = given.out / "work" / f"quality-{given.recipe.replace(':', '-')}-{given.minutes:g}m-{given.n}"
    run = (given.minutes, given.n, given.calls, given.threads, given.recipe)
    settings = Settings(*run, given.data, work, given.trial, given.ddpm_pytorch)
    judge = fashion.judge(given.data, limit=given.limit)
    found = distances(settings, judge, given.peers)
    more = {"distances": found, "table": summary(found)}
    about = {k: str(v) if isinstance(v, Path) else v for k, v in vars(given).items() if k != "out"}
    outcome = harness.Outcome("quality", harness.machine(given.threads), about, rows(found), more)
    return harness.finish(outcome, given.out)


if __name__ == "__main__":
    sys.exit(main())
