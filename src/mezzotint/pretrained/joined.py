"""Two folders as one system: a decoder's and its prior's, a stage's and that which enlarges its pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from mezzotint.errors import UsageError
from mezzotint.pretrained.components import Components, components, is_diffusers
from mezzotint.pretrained.families.known import family_of
from mezzotint.pretrained.system import System, verify_system


@dataclass(frozen=True)
class Joint:
    """Which folders go together.

    what: the other one is to the base.  base, other: their pipelines.  both: the pipeline of all their parts.
    prefix: before the names of the other's parts there.
    """

    what: str
    base: str
    other: str
    both: str
    prefix: str


PRIOR = Joint("prior", "KandinskyV22Pipeline", "KandinskyV22PriorPipeline", "KandinskyV22CombinedPipeline", "prior_")
THEN = Joint("second stage", "IFPipeline", "IFSuperResolutionPipeline", "IFPipeline", "then_")


def with_folder(system: System, folder: Path, joint: Joint) -> System:
    """A system of both, its files checked.  Raises UsageError for folders that are none, InputError, ModelError."""
    base = system.components
    if base is None or base.class_name != joint.base:
        raise UsageError(f"{system.name} takes no {joint.what}; expected a {joint.base} in diffusers' layout")
    if not is_diffusers(folder) or components(folder).class_name != joint.other:
        raise UsageError(f"{folder} is no {joint.what} for {system.name}; expected the folder of a {joint.other}")
    both = joined(base, components(folder), joint)
    return verify_system(family_of(both).described(both))


def joined(base: Components, other: Components, joint: Joint) -> Components:
    """The parts of both, as the pipeline of both names them."""
    more = {joint.prefix + name: replace(part, name=joint.prefix + name) for name, part in other.parts.items()}
    return Components(base.folder, joint.both, {**base.parts, **more}, base.options)
