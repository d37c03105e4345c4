"""What the files of an adapter hold, of whatever layout."""

from __future__ import annotations

from pathlib import Path

from mezzotint.errors import ModelError
from mezzotint.nets.adapters.contents import Contents, Held, held, shaped
from mezzotint.nets.adapters.joint import apart
from mezzotint.nets.adapters.layouts import Layer, layers_in
from mezzotint.pretrained.adapters import Opened, layers_of, opened_adapter, parts_to_adapt
from mezzotint.pretrained.system import System


def read_contents(path: Path, system: System) -> tuple[Contents, Opened]:
    """The contents of an adapter for a system, and what else its files say.   Raises as ``read_adapter``."""
    opened = opened_adapter(path, system)
    return contents_in(opened, system), opened


def contents_in(opened: Opened, system: System) -> Contents:
    """What an adapter holds, layer by layer."""
    layers, _ = layers_in(opened.tensors, opened.bases, opened.files.alphas)
    axes = {
        part: {path: layer.get_parameter("weight").ndim for path, layer in layers_of(adaptable).items()}
        for part, adaptable in parts_to_adapt(system).items()
    }
    made: dict[str, dict[str, Held]] = {}
    for one in layers:
        first = one.pieces[0][0]
        made.setdefault(one.part, {}).update(_by_path(one, axes[one.part][first]))
    return made


def _by_path(layer: Layer, axes: int) -> dict[str, Held]:
    """What a file says of a layer, by the paths of the base's layers; by the file's name for them together where none
    can be told alone."""
    said = shaped(held(layer.matrices, layer.alpha), axes)
    if said.change is None:
        raise ModelError(f"{layer.keys[0]} is not all that a layer takes; fetch the file again")
    found = apart(said, layer.pieces)
    return {layer.name: said} if found is None else found
