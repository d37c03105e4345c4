"""An adapter's file in another layout: the same layers, alphas, header and passport."""

from __future__ import annotations

from pathlib import Path

from mezzotint.pretrained.convert import Converted
from mezzotint.pretrained.exchange.metadata import kept
from mezzotint.pretrained.exchange.names import Layout
from mezzotint.pretrained.exchange.read import read_contents
from mezzotint.pretrained.exchange.save import write_adapter
from mezzotint.pretrained.system import System


def convert_adapter(path: Path, system: System, layout: Layout, out: Path | None = None) -> tuple[Converted, ...]:
    """An adapter in another layout; the source stays as it is.

    Args: out: the file, of "peft" the folder; None is the name with the layout behind it.
    Raises: as ``read_adapter`` and ``write_adapter``.
    """
    contents, opened = read_contents(path, system)
    target = out or path.with_name(f"{opened.adapter.name}-{layout}{'' if layout == 'peft' else '.safetensors'}")
    made = write_adapter(target, contents, system, layout, opened.passport, kept(opened.files.metadata))
    return tuple(Converted(path, one.path, one.sha256, one.tensors) for one in made)
