"""Whether an adapter's files hold all that they held when they were written.

A tensor that is lost can leave no hole: DoRA without its norms is LoRA, a layer of OFT without its blocks is no layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mezzotint.errors import ModelError
from mezzotint.pretrained.adapter_files import HASH, Files
from mezzotint.pretrained.components import known_sha256
from mezzotint.pretrained.passport import Passport

if TYPE_CHECKING:
    from mezzotint.nets.adapters.changes import Change
    from mezzotint.nets.adapters.layouts import Changes, Part

ADVICE = "fetch it again; generate alone takes what is there, with --allow-partial"


@dataclass(frozen=True)
class Lack:
    """path: of the file.   what: is wrong with it, as words that go on after its name."""

    path: Path
    what: str


def lack_of(files: Files, parts: Mapping[Part, Changes], passport: Passport | None, path: Path) -> Lack | None:
    """The first layer that is not of the method that the passport says, or file whose header has another hash of its
    tensors than they have; None where an adapter is whole as far as can be known.

    parts: what was found, by network and layer.  path: of the adapter.   The hash of a file that is the same as last
    time is remembered (``known_sha256``): to ask for it costs nothing then.  Of files without a passport nothing is
    asked: what others mean by the hash is not known.
    """
    if passport is not None and (found := next(_lacking(parts, passport.method), None)):
        where, lacks = found
        said = f"its passport says {passport.method}, and its {where} has no {lacks}"
        return Lack(path, f"{said}; expected one in every layer")
    for one in files.ours.altered(known_sha256):
        return Lack(one, f"its tensors are not those that its header has the hash of ({HASH})")
    return None


def check_whole(lack: Lack | None) -> None:
    """Raises ModelError for what an adapter lacks."""
    if lack is not None:
        raise ModelError(f"{lack.path}: {lack.what}; {ADVICE}")


def _lacking(parts: Mapping[Part, Changes], method: str) -> Iterator[tuple[str, str]]:
    """Layers that are of another method, and the tensor that says so.  Of LoRA's kinds none can be: half of one is
    none."""
    from mezzotint.nets.adapters import changes
    from mezzotint.nets.adapters.rotations import Outputs

    made: Mapping[str, tuple[type, str]] = {
        "dora": (changes.DoRA, "dora_scale"), "loha": (changes.LoHa, "hada_w1_a"), "lokr": (changes.LoKr, "lokr_w1"),
        "oft": (Outputs, "oft_blocks"), "full": (changes.Full, "diff"),
    }  # fmt: skip
    if method not in made:
        return
    kind, what = made[method]
    for layers in parts.values():
        yield from ((where, what) for where, change in layers.items() if not isinstance(_whole(change), kind))


def _whole(change: Change) -> Change:
    """Of some rows of a change, the change."""
    from mezzotint.nets.adapters.changes import Part as Rows

    return _whole(change.change) if isinstance(change, Rows) else change
