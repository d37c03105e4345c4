"""The verdict on a model as it is asked for: with what is put on it, in a declared use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mezzotint.governance.licence.components import Component
from mezzotint.governance.licence.facts import Declared, Facts, doing
from mezzotint.governance.licence.judge import judge
from mezzotint.governance.licence.library import Library, index, own_records
from mezzotint.governance.licence.model_record import SUFFIX, known
from mezzotint.governance.licence.parts import Shelf, components_of, worn
from mezzotint.governance.licence.verdict import Verdict
from mezzotint.pretrained.system import System

Worn = Sequence[tuple[str, Path]]
"""What is put on a model: its role and where it lies."""


def shelf_of(declared: Declared) -> Shelf:
    """What is on record, an organisation's own among it.  Raises InputError, also where what ships was changed."""
    index()  # before anything else: an organisation's own records alone may be asked for later
    library = Library({} if declared.records is None else own_records(declared.records))
    theirs = declared.records is not None and any(declared.records.glob(f"*{SUFFIX}"))
    return Shelf(library, known(library, declared.records), hashed=theirs)


def verdict(
    systems: Sequence[tuple[str, System]], put_on: Worn, facts: Facts, shelf: Shelf, more: Sequence[Component] = ()
) -> Verdict:
    """The verdict on systems that run as one.

    systems: role of the denoiser and system, the model itself first.  more: further components.
    Raises InputError, ModelError.
    """
    own = [part for role, system in systems for part in components_of(system, shelf, role)]
    parts = [part for role, path in put_on for part in worn(role, path, shelf)]
    # An adapter changes the model that it is put on.
    adapted = any(role in ("adapter", "embedding") for role, _ in put_on)
    changed = doing(facts, "lora") if adapted else facts
    return judge(systems[0][1].name, [*own, *parts, *more], changed, shelf.library)
