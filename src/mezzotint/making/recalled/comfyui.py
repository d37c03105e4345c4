"""ComfyUI's ``prompt``: a graph of nodes, each naming those that feed it.

https://github.com/comfyanonymous/ComfyUI; a node is ``{"class_type": …, "inputs": {name: value or [node, output]}}``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mezzotint.making.recalled.solvers import comfyui
from mezzotint.making.recalled.words import Words, clean, real, size_of, whole

Graph = Mapping[str, Any]
SAMPLERS = ("KSampler", "KSamplerAdvanced")
MAX_NODES = 5000
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


def _text(graph: Graph, value: object) -> str:
    """The nearest text above an input of conditioning."""
    for _, inputs in above(graph, value):
        for key in ("text", "text_g", "string", "value"):
            if isinstance(inputs.get(key), str):
                return clean(inputs[key])
    return ""


def _first(graph: Graph, value: object, *keys: str) -> Any:
    """The nearest plain value of any of some names above an input."""
    for _, inputs in above(graph, value):
        for key in keys:
            if isinstance(inputs.get(key), str | int | float):
                return inputs[key]
    return None


def words_of(graph: Graph) -> Words | None:
    """What a graph says, of its first sampler; None where it has none."""
    if len(graph) > MAX_NODES:
        return None
    names = [k for k, v in graph.items() if isinstance(v, dict) and v.get("class_type") in SAMPLERS]
    if not names:
        return None
    said = inputs_of(graph, names[0])
    sampler, schedule = clean(said.get("sampler_name")), clean(said.get("scheduler"))
    solver, grid = comfyui(sampler, schedule)
    latent = said.get("latent_image")
    picture = _first(graph, latent, "image")
    loras = tuple(_loras(graph, said.get("model")))
    notes = [] if solver else [f"its sampler, {sampler} with {schedule}, has no name here"]
    notes += [f"{len(names)} samplers; these are the words of the first"] if len(names) > 1 else []
    return Words(
        source="ComfyUI",
        prompt=_text(graph, said.get("positive")).strip(),
        negative_prompt=_text(graph, said.get("negative")).strip(),
        steps=whole(said.get("steps"), 1, 10_000),
        scale=real(said.get("cfg"), -100, 1000),
        seed=whole(said.get("seed", said.get("noise_seed")), 0, 2**63 - 1),
        size=size_of(_first(graph, latent, "width"), _first(graph, latent, "height")),
        solver=solver,
        grid=grid,
        model=clean(_first(graph, said.get("model"), *CHECKPOINTS)) or None,
        loras=loras,
        image=clean(picture) or None,
        strength=real(said.get("denoise"), 0, 1) if picture else None,
        notes=tuple(notes),
    )


def _loras(graph: Graph, model: object) -> Iterator[tuple[str, float]]:
    for kind, inputs in above(graph, model):
        if kind.startswith("LoraLoader") and isinstance(inputs.get("lora_name"), str):
            weight = real(inputs.get("strength_model"), -10, 10)
            yield clean(inputs["lora_name"]), 1.0 if weight is None else weight
