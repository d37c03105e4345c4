"""An adapter's file in another layout: the same layers, alphas, header and passport."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from mezzotint.errors import UsageError
from mezzotint.pretrained.convert import Converted, with_name_of_its_own
from mezzotint.pretrained.exchange.metadata import kept
from mezzotint.pretrained.exchange.names import Layout
from mezzotint.pretrained.exchange.read import read_contents
from mezzotint.pretrained.exchange.save import write_adapter
from mezzotint.pretrained.system import System

Rank = Literal["as-it-is", "whole"]
"""Of an adapter whose rank falls with noise: "whole" has all of it act at every level."""


def convert_adapter(
    path: Path, system: System, layout: Layout, out: Path | None = None, rank: Rank = "as-it-is"
) -> tuple[Converted, ...]:
    """An adapter in another layout; the source stays as it is.

    Args: out: the file, of "peft" the folder; None is the name with the layout behind it.  rank: see ``Rank``.
    Raises: as ``read_adapter`` and ``write_adapter``; UsageError for an adapter whose rank falls with noise, which no
    other tool knows, as it is.
    """
    path = with_name_of_its_own(path)
    contents, opened = read_contents(path, system)
    known = opened.passport
    if known is not None and known.rank_at_noise is not None:
        if rank != "whole":
            raise UsageError(
                f"{path}: its rank falls with noise, to {known.rank_at_noise}, which {layout} files have no form for;"
                " give --rank whole to have all of it act at every level"
            )
        known = replace(known, method="lora", rank_at_noise=None)
    target = out or path.with_name(f"{opened.adapter.name}-{layout}{'' if layout == 'peft' else '.safetensors'}")
    made = write_adapter(target, contents, system, layout, known, kept(opened.files.metadata))
    return tuple(Converted(path, one.path, one.sha256, one.tensors) for one in made)
