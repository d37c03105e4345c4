"""Folders as one system: a decoder's and its prior's, a stage's and those that enlarge its pictures."""

from __future__ import annotations

from collections.abc import Sequence
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
THEN = (
    Joint("second stage", "IFPipeline", "IFSuperResolutionPipeline", "IFPipeline", "then_"),
    Joint("third stage", "IFPipeline", "StableDiffusionUpscalePipeline", "IFPipeline", "last_"),
)
"""One after the other."""


def with_folders(system: System, prior: Path | None, then: Sequence[Path]) -> System:
    """A system with the folder of its prior, and of the stages that follow.  Raises as ``with_folder``."""
    if len(then) > len(THEN):
        raise UsageError(f"{len(then)} further stages were given; expected at most {len(THEN)}")
    joints = [*([] if prior is None else [(PRIOR, prior)]), *zip(THEN, then, strict=False)]
    for joint, folder in joints:
        system = with_folder(system, folder, joint)
    return system


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
    options = {**base.options, **{joint.prefix + name: value for name, value in other.options.items()}}
    return Components(base.folder, joint.both, {**base.parts, **more}, options)


def apart(both: Components, joint: Joint) -> Components | None:
    """The other's parts and options again, under their own names; None where there are none."""
    names = {name: name.removeprefix(joint.prefix) for name in both.parts if name.startswith(joint.prefix)}
    if not names:
        return None
    parts = {own: replace(both[name], name=own) for name, own in names.items()}
    begins = joint.prefix
    options = {k.removeprefix(begins): value for k, value in both.options.items() if k.startswith(begins)}
    return Components(both.folder, joint.other, parts, options)
