"""The command that makes a picture of ours again to the bit, from what its receipt says determines it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mezzotint.config import DTYPES
from mezzotint.errors import InputError
from mezzotint.files import sha256
from mezzotint.governance.provenance.manifest import COMPOSED
from mezzotint.governance.receipt import Made, StageMade
from mezzotint.making.guidance import AUTO, FROM
from mezzotint.making.recalled.sampling import OWN, RECEIPT, sampling_of
from mezzotint.making.recalled.words import Need, Words, clean, plain
from mezzotint.pretrained.learned import NAME
from mezzotint.pretrained.ruled import PROJECTED, RESCALED

PIXELS = "SHA-256 of its pixels, as `mezzotint inspect` says it"
Option = tuple[str, str | None]
GUIDANCE, WEAK = "GUIDANCE", "WEAK"
"""What stands for the file of a distilled guidance, and for the folder of a worse model."""

EXPORT = "EXPORT"
"""What stands for the folder of an exported model."""

FURTHER = {"then_unet": "THEN", "last_unet": "LAST"}
"""Networks of further stages, in their order, and what their folders are called."""


def words_of_made(made: Made) -> Words:
    """The words, with what must be at hand.  Raises InputError where no command makes that picture."""
    try:
        found = _words(made)
        unsayable = "\0" in "".join(found.arguments)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError) as error:
        raise InputError(f"the receipt says something else than it should ({error!r}); use an intact copy") from error
    if unsayable:
        raise InputError("its texts have a character 0, which no command line takes; use Python")
    return found


def _words(made: Made) -> Words:
    name = str(made.task.get("name"))
    if name == COMPOSED:
        raise InputError(
            "no network made it: a catalog laid its photograph on its backdrop; `mezzotint catalog run` does so again"
        )
    if name not in MADE_BY:
        raise InputError(f"no command of this version makes a picture by {name!r}; use the version that made it")
    if made.dtype not in DTYPES:
        raise InputError(f"no command of this version makes a picture in {made.dtype}; use the version that made it")
    verb, pictures, own = MADE_BY[name](made)
    compiled: list[Option] = [("--compile", None)] if "inductor" in made.versions else []
    if compiled and verb != "generate":
        raise InputError(f"{verb} has no --compile, and the picture was made with it; use the version that made it")
    steps, scale, solver, grid = _sampling(made)
    return Words(
        source="mezzotint",
        verb=verb,
        pictures=pictures,
        prompt=made.prompt,
        negative_prompt=made.negative_prompt,
        apart=made.apart,
        steps=steps,
        scale=scale,
        seed=made.seed,
        size=f"{made.size[0]}x{made.size[1]}" if name in SIZED else None,
        solver=solver,
        grid=grid,
        model=EXPORT if "export" in made.task else made.model,
        loras=tuple((str(one["name"]), float(one["weight"])) for one in made.adapters),
        image="PICTURE" if name in IMAGES else None,
        strength=made.task.get("strength"),
        more=(*own, *_guidance(made), *_beside(made, verb), *_machine(made), *compiled),
        needs=tuple(Need(*map(clean, (one.word, one.what, one.sha256))) for one in _needs(made, pictures)),
        notes=tuple(clean(note) for note in _notes(made)),
    )


Command = tuple[str, tuple[str, ...], list[Option]]
"""The verb, the pictures it is given, and its options."""


def _generate(made: Made) -> Command:
    return "generate", (), _ranked(made)


def _ranked(made: Made) -> list[Option]:
    """What the ranker does; said always, for presets have it do both."""
    chosen, guided = made.stage.candidates, made.stage.classifier
    return [
        ("--candidates", "1" if chosen is None else str(int(chosen["of"]))),
        ("--classifier-scale", "0" if guided is None else plain(float(guided["scale"]))),
    ]


def _masked(made: Made) -> Command:
    locked: list[Option] = [*_ranked(made), *([("--lock-mask", None)] if made.task["lock"] else [])]
    if made.task["name"] == "inpaint":
        means: list[Option] = [("--mask-means", str(made.task["mask_means"]))] if "mask_means" in made.task else []
        return "generate", (), [("--mask", "MASK"), *means, *locked]
    return "generate", (), [("--outpaint", ",".join(map(str, made.task["margins"]))), *locked]


def _upscale(made: Made) -> Command:
    options: list[Option] = [("--prompt", made.prompt)] if made.prompt else []
    given = [name for name in ("by", "strength", "noise_level", "tile", "overlap") if name in made.task]
    options += [(f"--{name.replace('_', '-')}", plain(made.task[name])) for name in given]
    return "upscale", ("PICTURE",), options


def _vary(made: Made) -> Command:
    return "vary", ("PICTURE", "OTHER")[: len(made.task["pictures"])], []


MADE_BY = {
    "generate": _generate, "image": _generate, "inpaint": _masked, "outpaint": _masked, "upscale": _upscale,
    "vary": _vary,
}  # fmt: skip
"""By the task's name."""

IMAGES = ("image", "inpaint", "outpaint")
SIZED = ("generate", "image", "inpaint")


def _sampling(made: Made) -> tuple[int, float | None, str | None, str | None]:
    """(steps, scale, --solver, --grid) of the stages that the words were for: the main one and its refiner.

    None is what they do not share: each has its own, as without words.
    """
    spoken = [made.stage, *(stage for stage in made.stages if stage.link.get("name") == "handover")]
    pairs, scales = {sampling_of(stage) for stage in spoken}, {stage.scale for stage in spoken}
    solver, grid = pairs.pop() if len(pairs) == 1 else (None, None)
    if pairs and not all("scheduler" in stage.grid for stage in spoken):
        raise InputError(
            "base and refiner were sampled in other ways, which no command says; use the version that made it"
        )
    scale = scales.pop() if len(scales) == 1 else None
    if "export" in made.task:  # it holds what a receipt would say
        solver, grid = (None if word is None else word.removesuffix(f":from={RECEIPT}") for word in (solver, grid))
    return sum(stage.steps for stage in spoken), scale, solver, grid


def _guidance(made: Made) -> Iterator[Option]:
    """By what it is guided and where, and what is not computed anew."""
    by = made.stage.guidance
    if by is not None:
        yield "--guidance", _by(by)
    if made.stage.cache is not None:
        yield "--cache", plain(made.stage.cache)
    bounds = made.stage.guidance_interval
    if bounds is not None:
        low, high = bounds
        yield "--guidance-interval", f"{plain(low)},{'inf' if high is None else plain(high)}"


def _by(said: Mapping[str, Any]) -> str:
    """The words of ``--guidance``."""
    if said["name"] == RESCALED:
        return f"{RESCALED}:{plain(float(said['phi']))}"
    if said["name"] == PROJECTED:
        norm = "" if said["norm"] is None else f",{plain(float(said['norm']))}"
        return f"{PROJECTED}:{plain(float(said['eta']))}{norm}"
    return {"distilled": f"{FROM}{GUIDANCE}", "auto": f"{AUTO}{WEAK}"}[str(said["name"])]


def _machine(made: Made) -> Iterator[Option]:
    """How many pictures, and by what arithmetic: of both the last bit depends."""
    n = _count(made.task["at"]) if "at" in made.task else 1
    yield from (("--n", str(n)), ("--batch", str(made.stage.batch[0])), ("--device", made.device))
    yield from (("--dtype", made.dtype), ("--threads", str(made.threads)))
    yield "--quality", str(made.task.get("quality", "standard"))  # said always: settings may have another
    yield "--mark", "off" if made.mark is None else "auto"


def _count(at: float) -> int:
    """The fewest pictures from one to another of which one is at this share of the way, in millionths."""
    return next(n for n in range(1, 1_000_001) if _number(at, n) is not None)


def _number(at: float, n: int) -> int | None:
    """Which of n pictures that is, from 0."""
    k = round(at * (n - 1))
    return k if round(k / max(1, n - 1), 6) == at else None


def _beside(made: Made, verb: str) -> Iterator[Option]:
    """Folders and files beside the model."""
    for stage in made.stages:
        if stage.link.get("name") == "handover":
            yield from (("--refiner", "REFINER"), ("--refiner-at", plain(float(stage.link["share"]))))
        if stage.model in FURTHER:
            yield "--then", FURTHER[stage.model]
    if verb == "generate":
        yield from (("--parts", word) for word, _ in _parts(made) if word != "PRIOR")
    if "prior" in made.task:
        yield "--prior", "PRIOR"
    if made.task.get("allow_partial"):
        yield "--allow-partial", None
    yield from (("--embedding", str(one["name"])) for one in made.embeddings)
    for number, one in enumerate(made.attached, 1):
        said = f"{one['name']}:{plain(float(one['weight']))}"
        if one["kind"] == "control":
            share = f"{plain(float(one['begin']))}-{plain(float(one['end']))}"
            yield from (("--control", f"{said}:{share}"), ("--control-image", f"PICTURE-{number}"))
        else:
            yield from (("--ip-adapter", said), ("--ip-image", f"PICTURE-{number}"))
    if _eye(made):
        yield "--ip-encoder", "IP-ENCODER"


def _eye(made: Made) -> str:
    """The hash of the one encoder that reads the pictures of all IP-Adapters; "" where there are several, each beside
    its file, or none."""
    eyes = {(one["encoder_sha256"], one["config_sha256"]) for one in made.attached if one["kind"] == "ip-adapter"}
    return str(eyes.pop()[0]) if len(eyes) == 1 else ""


def _parts(made: Made) -> list[tuple[str, Mapping[str, str]]]:
    """What lies elsewhere than the model, by the word that stands for it in the command."""
    around = [(part["name"].upper(), part) for part in made.task.get("parts", ())]
    return around + [("PRIOR", part) for part in made.task.get("prior", ())]


def _needs(made: Made, pictures: Sequence[str]) -> Iterator[Need]:
    if "export" in made.task:
        yield from _export_needs(made)
        return
    yield from _model_needs(made, _parts(made))
    if made.stage.solver["name"] == NAME or "u" in made.stage.grid:
        yield Need(RECEIPT, "this receipt, for the solver or grid in it; its asset id", made.asset_id)
    by = made.stage.guidance
    if by is not None and by["name"] == "distilled":
        yield Need(GUIDANCE, "the file of its distilled guidance", str(by["sha256"]))
    elif by is not None and by["name"] == "auto":
        yield Need(WEAK, f"the weights of {by['model']}, which it is guided away from", str(by["weights_sha256"]))
    for one in made.adapters:
        yield Need(str(one["name"]), "a LoRA file", str(one["sha256"]))
    for one in made.embeddings:
        yield Need(str(one["name"]), "a textual-inversion file", str(one["sha256"]))
    for number, one in enumerate(made.attached, 1):
        yield Need(str(one["name"]), str(one["kind"]), str(one["sha256"]))
        yield Need(f"PICTURE-{number}", f"a picture for {one['name']}; {PIXELS}", str(one["picture"]))
        if "encoder_sha256" in one and not _eye(made):
            yield Need(str(one["name"]), "what reads its picture", str(one["encoder_sha256"]))
    if _eye(made):
        yield Need("IP-ENCODER", "what reads the pictures in the prompt", _eye(made))
    yield from _picture_needs(made, pictures)


def _model_needs(made: Made, parts: Sequence[tuple[str, Mapping[str, str]]]) -> Iterator[Need]:
    there = {part["sha256"] for _, part in parts}
    needs = (need for stage in made.stages for need in _stage_needs(made, stage))
    yield from (need for need in needs if need.sha256 not in there)
    for word, part in parts:
        what = "the weights of {}" if "config_sha256" in part else "the files of {}, their names and hashes as JSON"
        yield Need(word, what.format(part["name"]), part["sha256"])
    encoders = "".join(part["sha256"] for _, part in parts if "encoder" in part["name"])
    if made.encoder_sha256 not in ("", sha256(encoders.encode())):
        yield Need(made.model, "its text encoder", made.encoder_sha256)


def _export_needs(made: Made) -> Iterator[Need]:
    export: Any = made.task["export"]
    what = f"{made.model} exported to {export['to']}, {export['weights']}; the hash of its export.json"
    yield Need(EXPORT, what, export["sha256"])


def _stage_needs(made: Made, stage: StageMade) -> Iterator[Need]:
    refines = stage.link.get("name") == "handover"
    word = "REFINER" if refines else FURTHER.get(stage.model, made.model)
    of = "" if word == stage.model else f" of {stage.model}"
    yield Need(word, f"the weights{of}", stage.weights_sha256)
    if stage.codec_sha256:
        yield Need(word, f"the codec{of}", stage.codec_sha256)


def _picture_needs(made: Made, pictures: Sequence[str]) -> Iterator[Need]:
    task: Any = made.task
    width, height = made.size
    for word, digest in zip(pictures, task.get("pictures", ()), strict=False):
        yield Need(word, f"a picture, as the model sees it; {PIXELS}", digest)
    if "picture" in task:
        upscaled = task["name"] == "upscale"
        kind = "in its frame" if task["name"] == "outpaint" else "" if upscaled else f"cut to {width}x{height}"
        yield Need("PICTURE", ", ".join(filter(None, ("the picture", kind))) + f"; {PIXELS}", task["picture"])
    if task.get("mask_means") == "product":
        what = "white where the product stays and grey where it is laid over; SHA-256 of its bytes"
        yield Need("MASK", f"{width}x{height}, {what}", task["alpha"])
    elif task["name"] == "inpaint":
        yield Need("MASK", f"{width}x{height}, what is painted anew; SHA-256 of its bits, 8 a byte", task["mask"])


def _notes(made: Made) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in made.versions.items())
    yield f"the same to the bit on {made.processor} with {versions}: then its asset id is {made.asset_id} again"
    if made.mark is not None:
        yield f"it was marked with the key {made.mark['key']}: with another, or none, it is another picture"
    if "at" in made.task:
        n = _count(made.task["at"])
        yield f"of the {n} pictures it is number {(_number(made.task['at'], n) or 0) + 1}"
    if any(OWN in stage.grid for stage in made.stages):
        yield "its receipt does not name the scheduler's class: the model's own is taken"
