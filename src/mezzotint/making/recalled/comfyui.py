"""ComfyUI's ``prompt``: a graph of nodes, each naming those that feed it.

https://github.com/comfyanonymous/ComfyUI; a node is ``{"class_type": …, "inputs": {name: value or [node, output]}}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mezzotint.making.recalled.solvers import comfyui
from mezzotint.making.recalled.words import Words, clean, real, size_of, whole

Graph = Mapping[str, Any]
SAMPLERS = ("KSampler", "KSamplerAdvanced", "SamplerCustom", "SamplerCustomAdvanced")
TEXTS = (("text",), ("text_l", "text_g"), ("clip_l", "clip_g", "t5xxl"), ("clip_l", "t5xxl"), ("string",), ("value",))
"""Inputs of the nodes of texts: of one text; of a text for each encoder, in our order."""

EMBEDDING = re.compile(r"embedding:([\w.-]*?[\w-])(?:\.(?:pt|bin|safetensors))?(?=[\s,:()\]]|$)")
MAX_NODES, MAX_SAMPLERS = 5000, 64
CHECKPOINTS = ("ckpt_name", "unet_name", "model_name")


def inputs_of(graph: Graph, node: object) -> Mapping[str, Any]:
    """A node's inputs, none where there is no such node."""
    found = graph.get(str(node))
    inputs = found.get("inputs") if isinstance(found, dict) else None
    return inputs if isinstance(inputs, dict) else {}


def above(graph: Graph, value: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The nodes that feed an input, nearest first, each once: graphs may go in circles.   -> (class, inputs)."""
    waiting, seen = [value], set[str]()
    while waiting and len(seen) < MAX_NODES:
        link = waiting.pop(0)
        if not (isinstance(link, list) and link) or str(link[0]) in seen:
            continue
        seen.add(str(link[0]))
        node, inputs = graph.get(str(link[0])), inputs_of(graph, link[0])
        yield str(node.get("class_type", "")) if isinstance(node, dict) else "", inputs
        waiting += [v for v in inputs.values() if isinstance(v, list)]


def _texts(graph: Graph, value: object) -> tuple[str, ...]:
    """The nearest texts above an input of conditioning, one for each encoder where they are apart."""
    for _, inputs in above(graph, value):
        for names in TEXTS:
            said = [_plain(graph, inputs.get(name), "text", "string", "value") for name in names]
            if all(isinstance(text, str) for text in said):
                return tuple(EMBEDDING.sub(r"\1", clean(text)).strip() for text in said)
    return ("",)


def _plain(graph: Graph, value: object, *keys: str) -> Any:
    """An input's value, or that of the nearest node that feeds it."""
    return _first(graph, value, *keys) if isinstance(value, list) else value


def _first(graph: Graph, value: object, *keys: str) -> Any:
    """The nearest plain value of any of some names above an input."""
    for _, inputs in above(graph, value):
        for key in keys:
            if isinstance(inputs.get(key), str | int | float):
                return inputs[key]
    return None


def _begins(graph: Graph) -> tuple[list[str], str]:
    """(all samplers, the first: that whose picture comes of no other), "" where there is none."""
    names = [k for k, v in graph.items() if isinstance(v, dict) and v.get("class_type") in SAMPLERS]
    latents = ((k, inputs_of(graph, k).get("latent_image")) for k in names[:MAX_SAMPLERS])
    first = (k for k, latent in latents if not any(kind in SAMPLERS for kind, _ in above(graph, latent)))
    return names, next(first, names[0] if names else "")


def _said(graph: Graph, name: str) -> dict[str, Any]:
    """A sampler's inputs, those of the nodes that it is put together of among them."""
    own = dict(inputs_of(graph, name))
    for part in ("guider", "sampler", "sigmas", "noise"):
        if isinstance(own.get(part), list):
            own = {**inputs_of(graph, own[part][0]), **own}
    own.setdefault("positive", own.get("conditioning"))
    return own


def _guidance(graph: Graph, said: Mapping[str, Any]) -> tuple[float | None, bool]:
    """(distilled guidance (FLUX) where there is no other, else the sampler's; whether there is a negative prompt)."""
    usual = real(_plain(graph, said.get("cfg"), "cfg", "value", "float"), -100, 1000)
    distilled = real(_first(graph, said.get("positive"), "guidance"), -100, 1000)
    return (distilled if distilled is not None and usual in (None, 1) else usual), usual not in (None, 1)


def words_of(graph: Graph) -> Words | None:
    """What a graph says, of its first sampler; None where it has none."""
    if len(graph) > MAX_NODES:
        return None
    names, first = _begins(graph)
    if not names:
        return None
    said = _said(graph, first)
    sampler, schedule = clean(said.get("sampler_name")), clean(said.get("scheduler"))
    solver, grid = comfyui(sampler, schedule)
    latent, seeds = said.get("latent_image"), said.get("seed", said.get("noise_seed"))
    picture, (scale, steers) = _first(graph, latent, "image"), _guidance(graph, said)
    positive, negative = _texts(graph, said.get("positive")), _texts(graph, said.get("negative"))
    return Words(
        source="ComfyUI",
        prompt=positive[0],
        negative_prompt=negative[0] if steers else "",
        apart=_apart("prompt", positive) | (_apart("negative_prompt", negative) if steers else {}),
        steps=whole(_plain(graph, said.get("steps"), "steps", "value", "int"), 1, 10_000),
        scale=scale,
        seed=whole(_plain(graph, seeds, "seed", "noise_seed", "value", "int"), 0, 2**63 - 1),
        size=size_of(_first(graph, latent, "width"), _first(graph, latent, "height")),
        solver=solver,
        grid=grid,
        model=clean(_first(graph, said.get("model"), *CHECKPOINTS)) or None,
        loras=tuple(_loras(graph, said.get("model"))),
        image=clean(picture) or None,
        strength=real(said.get("denoise"), 0, 1) if picture else None,
        notes=tuple(_notes(graph, said, f"{sampler} with {schedule}" if solver is None else "", len(names))),
    )


def _apart(name: str, texts: tuple[str, ...]) -> dict[str, str]:
    """Texts of the second and the third encoder that are not the first's."""
    return {f"{name}_{k}": text for k, text in enumerate(texts[1:], 2) if text and text != texts[0]}


def _notes(graph: Graph, said: Mapping[str, Any], strange: str, many: int) -> Iterator[str]:
    if strange:
        yield f"its sampler, {strange}, has no name here"
    if many > 1:
        yield f"{many} samplers; these are the words of the first"
    steps, end = whole(said.get("steps"), 1, 10_000), whole(said.get("end_at_step"), 1, 10_000)
    if steps and end and end < steps:
        share = f"--refiner FOLDER --refiner-at {end / steps:g}"
        yield f"it ends at step {end} of {steps}; a refiner takes over with {share}"
    learned = dict.fromkeys(name for text in _strings(graph) for name in EMBEDDING.findall(text))
    if learned:
        yield f"learned words: give their files with --embedding: {', '.join(clean(n) for n in list(learned)[:12])}"


def _strings(graph: Graph) -> Iterator[str]:
    """The texts of all nodes."""
    for name in graph:
        yield from (clean(value) for value in inputs_of(graph, name).values() if isinstance(value, str))


def _loras(graph: Graph, model: object) -> Iterator[tuple[str, float]]:
    for kind, inputs in above(graph, model):
        if kind.startswith("LoraLoader") and isinstance(inputs.get("lora_name"), str):
            weight = real(inputs.get("strength_model"), -10, 10)
            yield clean(inputs["lora_name"]), 1.0 if weight is None else weight
