"""A decoder's folder and its prior's as one system."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mezzotint.errors import UsageError
from mezzotint.pretrained.components import Components, components, is_diffusers
from mezzotint.pretrained.families.known import family_of
from mezzotint.pretrained.system import System, verify_system

DECODER, PRIOR, BOTH = "KandinskyV22Pipeline", "KandinskyV22PriorPipeline", "KandinskyV22CombinedPipeline"
PREFIX = "prior_"
"""Before the names of a prior's parts where both are one folder."""


def with_prior(decoder: System, prior: Path) -> System:
    """A system of both, its files checked.  Raises UsageError for folders that are none, InputError, ModelError."""
    base = decoder.components
    if base is None or base.class_name != DECODER:
        raise UsageError(f"{decoder.name} takes no prior; expected a {DECODER} in diffusers' layout")
    if not is_diffusers(prior) or components(prior).class_name != PRIOR:
        raise UsageError(f"{prior} is no prior for {decoder.name}; expected the folder of a {PRIOR}")
    both = joined(base, components(prior))
    return verify_system(family_of(both).described(both))


def joined(decoder: Components, prior: Components) -> Components:
    """The parts of both, as the combined pipeline names them."""
    more = {PREFIX + name: replace(part, name=PREFIX + name) for name, part in prior.parts.items()}
    return Components(decoder.folder, BOTH, {**decoder.parts, **more}, decoder.options)
