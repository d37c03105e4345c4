"""InvokeAI's ``invokeai_metadata``, and ``sd-metadata`` of versions before 3.

https://github.com/invoke-ai/InvokeAI
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mezzotint.making.recalled.solvers import invokeai
from mezzotint.making.recalled.words import Words, clean, real, size_of, whole

Said = Mapping[str, Any]


def _table(value: object) -> Said:
    return value if isinstance(value, dict) else {}


def words_of(said: Said) -> Words:
    """What ``invokeai_metadata`` says."""
    scheduler = clean(said.get("scheduler"))
    model = _table(said.get("model"))
    return _words(
        said,
        scheduler,
        prompt=said.get("positive_prompt"),
        negative=said.get("negative_prompt"),
        model=model.get("name", model.get("model_name")),
        loras=tuple(_loras(said.get("loras"))),
        strength=real(said.get("strength"), 0, 1),
    )


def old_words_of(said: Said) -> Words:
    """What ``sd-metadata`` says: the prompt's ``[…]`` are what to steer away from."""
    image = _table(said.get("image"))
    prompt = image.get("prompt")
    first = prompt[0] if isinstance(prompt, list) and prompt else prompt
    text = clean(first.get("prompt") if isinstance(first, dict) else first)
    return _words(
        image, clean(image.get("sampler")), prompt=text, negative=None, model=said.get("model_weights"), loras=(),
        strength=real(image.get("strength"), 0, 1),
    )  # fmt: skip


def _words(
    said: Said,
    scheduler: str,
    *,
    prompt: object,
    negative: object,
    model: object,
    loras: tuple[tuple[str, float], ...],
    strength: float | None,
) -> Words:
    solver, grid = invokeai(scheduler.removeprefix("k_")) if scheduler else (None, None)
    scale, away = real(said.get("cfg_scale"), -100, 1000), clean(negative).strip()
    off = scale == 1 and bool(away)
    notes = [f"its scheduler, {scheduler}, has no name here"] if scheduler and solver is None else []
    notes += ["its negative prompt had no effect at scale 1, guidance off; it is left out"] if off else []
    return Words(
        source="InvokeAI",
        prompt=clean(prompt).strip(),
        negative_prompt="" if off else away,
        steps=whole(said.get("steps"), 1, 10_000),
        scale=scale,
        seed=whole(said.get("seed"), 0, 2**63 - 1),
        size=size_of(said.get("width"), said.get("height")),
        solver=solver,
        grid=grid,
        model=clean(model) or None,
        loras=loras,
        strength=strength,
        notes=tuple(notes),
    )


def _loras(value: object) -> Iterator[tuple[str, float]]:
    for one in value if isinstance(value, list) else []:
        table = _table(one)
        model = _table(table.get("model", table.get("lora")))
        name, weight = clean(model.get("name", model.get("model_name"))), real(table.get("weight"), -10, 10)
        if name:
            yield name, 1.0 if weight is None else weight
