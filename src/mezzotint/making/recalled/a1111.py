"""AUTOMATIC1111's ``parameters``: the prompt, ``Negative prompt:``, and a last line of ``key: value``.

https://github.com/AUTOMATIC1111/stable-diffusion-webui (modules/infotext_utils.py states how it is read)
"""

from __future__ import annotations

import json
import re

from mezzotint.governance.receipt import Made
from mezzotint.making.recalled.solvers import a1111, named
from mezzotint.making.recalled.words import Words, clean, real, size_of, whole

_PAIR = re.compile(r'\s*([\w /-]{1,60}):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
_LORA = re.compile(
    r"[^\S\n]{0,4}<(?:lora|lyco):([^:<>]{1,200})(?::([-+\d.]{1,20}))?(?::([-+\d.]{1,20}))?(?::[^<>]{0,40})?>"
)
"""<lora:NAME>, <lora:NAME:WEIGHT>, or with two weights: of the text encoder and of the U-Net."""

NEGATIVE = "Negative prompt:"
PAIRS = 3
"""A last line counts as parameters from so many pairs on."""

TEXTS = {
    "prompt_2": "Prompt 2", "prompt_3": "Prompt 3", "negative_prompt_2": "Negative prompt 2",
    "negative_prompt_3": "Negative prompt 3",
}  # fmt: skip
"""What only we write: texts for single encoders."""

MAPPED = {
    "Steps", "Sampler", "Schedule type", "CFG scale", "Seed", "Size", "Model", "Model hash", "Denoising strength",
    "Lora hashes", "Version", "RNG", "Asset", "TI hashes", "Distilled CFG Scale", "Hires upscale", "Hires steps",
    "Hires resize", *TEXTS.values(),
}  # fmt: skip


def pairs_of(line: str) -> dict[str, str]:
    """The keys and values of the last line."""
    return {key.strip(): _unquoted(value.strip()) for key, value in _PAIR.findall(line)}


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value


def words_of(text: str) -> Words:
    """What a text says; what it lacks is None."""
    lines = text.strip().split("\n")
    pairs = pairs_of(lines[-1])
    if len(pairs) < PAIRS:
        lines, pairs = [*lines, ""], {}
    prompt, _, negative = "\n".join(lines[:-1]).partition(f"\n{NEGATIVE}")
    if prompt.startswith(NEGATIVE):
        prompt, negative = "", prompt.removeprefix(NEGATIVE)
    loras = tuple((clean(name), _weight(second or first)) for name, first, second in _LORA.findall(prompt))
    scale, hires = _scale(pairs), "Hires upscale" in pairs or "Hires resize" in pairs
    sampler, schedule = pairs.get("Sampler", ""), pairs.get("Schedule type", "")
    solver, grid = named(sampler, schedule) if sampler else (None, None)
    width, _, height = pairs.get("Size", "").partition("x")
    return Words(
        source="mezzotint" if pairs.get("Version", "").startswith("mezzotint") else "AUTOMATIC1111",
        prompt=clean(_LORA.sub("", prompt)).strip(),
        negative_prompt="" if real(pairs.get("CFG scale"), -100, 1000) == 1 else clean(negative).strip(),
        apart={name: clean(pairs[key]).strip() for name, key in TEXTS.items() if key in pairs},
        steps=whole(pairs.get("Steps"), 1, 10_000),
        scale=scale,
        seed=whole(pairs.get("Seed"), 0, 2**63 - 1),
        size=size_of(width, height),
        solver=solver,
        grid=grid,
        model=clean(pairs.get("Model")) or None,
        loras=loras,
        strength=None if hires else real(pairs.get("Denoising strength"), 0, 1),
        notes=(*_notes(pairs, sampler, solver), *_loras_notes(prompt), *((_enlarged(pairs),) if hires else ())),
    )


def _weight(text: str) -> float:
    return 1.0 if not text else real(text, -10, 10) or 0.0


def _scale(pairs: dict[str, str]) -> float | None:
    """Guidance: where it is distilled into the network (FLUX), that one, unless there is the other as well."""
    usual, distilled = real(pairs.get("CFG scale"), -100, 1000), real(pairs.get("Distilled CFG Scale"), -100, 1000)
    return distilled if distilled is not None and usual in (None, 1) else usual


def _loras_notes(prompt: str) -> tuple[str, ...]:
    two = [clean(name) for name, first, second in _LORA.findall(prompt) if second and second != first]
    return (f"one weight for text and picture: that of the picture, of {', '.join(two[:12])}",) if two else ()


def _enlarged(pairs: dict[str, str]) -> str:
    """Its second pass, as a command: the picture is made small, then enlarged."""
    steps, strength = whole(pairs.get("Hires steps"), 1, 10_000), real(pairs.get("Denoising strength"), 0, 1)
    by, most = real(pairs.get("Hires upscale"), 1, 16), "" if strength is None else f" --strength {strength:g}"
    many = f" --by {round(by)}" if by else ""
    return f"hires fix is a second command: mezzotint upscale PICTURE{many}{most}{f' --steps {steps}' if steps else ''}"


def _learned(text: str) -> str:
    """The names in ``TI hashes``."""
    return ", ".join(clean(one.partition(":")[0]).strip() for one in text.split(",")[:12])


def _notes(pairs: dict[str, str], sampler: str, solver: str | None) -> tuple[str, ...]:
    notes = []
    if sampler and solver is None:
        label = f"{clean(sampler)} {clean(pairs.get('Schedule type'))}".strip()
        notes.append(f"its sampler, {label}, has no name here")
    if pairs.get("TI hashes"):
        notes.append(f"learned words: give their files with --embedding: {_learned(pairs['TI hashes'])}")
    more = sorted(set(pairs) - MAPPED)
    if more:
        notes.append(f"not brought along: {', '.join(clean(key) for key in more[:12])}")
    return tuple(notes)


def text_of(made: Made) -> str:
    """The ``parameters`` of a picture of ours: prompt with its LoRAs, negative prompt, then the line of pairs."""
    sampler, schedule = a1111(made.stage.solver, made.stage.grid)
    strength = made.task.get("strength")
    loras = ", ".join(f"{one['name']}: {one['sha256'][:12]}" for one in made.adapters)
    pairs = {
        "Steps": made.stage.steps,
        "Sampler": sampler,
        "Schedule type": schedule,
        "CFG scale": f"{made.stage.scale:g}",
        "Seed": made.seed,
        "Size": f"{made.size[0]}x{made.size[1]}",
        "Model hash": made.stage.weights_sha256[:10],
        "Model": made.model,
        **{TEXTS[name]: text for name, text in made.apart.items()},
        **({} if strength is None else {"Denoising strength": f"{strength:g}"}),
        **({"Lora hashes": loras} if loras else {}),
        "RNG": "Philox4x64",
        "Asset": made.asset_id,
        "Version": f"mezzotint {made.versions['mezzotint']}",
    }
    tags = "".join(f" <lora:{one['name']}:{one['weight']:g}>" for one in made.adapters)
    negative = [f"{NEGATIVE} {made.negative_prompt}"] if made.negative_prompt else []
    return "\n".join([made.prompt + tags, *negative, ", ".join(f"{k}: {_quoted(str(v))}" for k, v in pairs.items())])


def _quoted(value: str) -> str:
    """As that tool does it: JSON where a comma, a colon or a line break would be misread."""
    return json.dumps(value, ensure_ascii=False) if any(c in value for c in ',:\n"') else value
