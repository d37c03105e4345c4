"""Before anything is made: whether licences allow the declared use of a model and of what is put on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mezzotint.files import user_path
from mezzotint.governance.licence.ask import Worn, shelf_of, verdict
from mezzotint.governance.licence.facts import chosen, declared, doing, told
from mezzotint.governance.licence.judge import judge
from mezzotint.governance.licence.parts import learnt_from, weights_in, weights_of
from mezzotint.governance.licence.verdict import RULES, Verdict
from mezzotint.governance.licence.words import MODES, ROLES, Decision
from mezzotint.making.heeded import Licensed
from mezzotint.pretrained.adapters import weighed
from mezzotint.pretrained.controls import said_of
from mezzotint.pretrained.joined import with_folders
from mezzotint.pretrained.search import lookup
from mezzotint.pretrained.store import find
from mezzotint.pretrained.system import System, describe_system

if TYPE_CHECKING:
    from mezzotint.making.request import Request


def licensed(
    system: System,
    beside: Sequence[tuple[str, System]] = (),
    put_on: Worn = (),
    use: str | None = None,
    mode: str | None = None,
) -> Licensed:
    """Whether a use may begin; nothing where none is declared.

    beside: further systems that run with it, each with its role.  use, mode: over those of mezzotint.toml.
    Raises LicenceDeniedError, LicenceUnknownError, LicenceConditionError where it may not begin and the mode is
    enforce; InputError, UsageError for wrong facts or records.
    """
    said = declared()
    facts = told(said.facts, use=use)
    chosen("licence-mode", mode, MODES)
    if facts.use is None:
        return Licensed()
    found, mode = verdict([("denoiser", system), *beside], put_on, facts, shelf_of(said)), mode or said.mode
    about = {"use": facts.use, "inputs_sha256": found.facts.sha256, "rules_version": RULES}
    return Licensed(_notes(found, mode), {"decision": found.decision.word, "enforced": mode == "enforce", **about})


def licensed_to(system: System, action: str | None) -> tuple[str, ...]:
    """The same for making something of a model under the use that mezzotint.toml declares.

    action: of ``governance.licence.words.ACTIONS``; None is nothing beyond its use.   Returns: what people should know.
    """
    return _licensed_to(system, action, "", None, None)


def licensed_to_tune(
    system: System, photo_licence: str, use: str | None = None, mode: str | None = None
) -> tuple[str, ...]:
    """The same for learning an adapter of a model from photographs, whose licence counts too."""
    return _licensed_to(system, "lora", photo_licence, use, mode)


def _licensed_to(
    system: System, action: str | None, photo_licence: str, use: str | None, mode: str | None
) -> tuple[str, ...]:
    said = declared()
    facts = told(said.facts, use=use)
    chosen("licence-mode", mode, MODES)
    if facts.use is None:
        return ()
    shelf = shelf_of(said)
    making = facts if action is None else doing(facts, action)
    photos = learnt_from(photo_licence, "the photographs (--photo-licence)", shelf.library) if action == "lora" else ()
    return _notes(verdict([("denoiser", system)], (), making, shelf, photos), mode or said.mode)


def licensed_to_train(
    first: Path | None,
    parts: Mapping[str, Path],
    use: str | None = None,
    mode: str | None = None,
    began: str = "",
) -> tuple[str, ...]:
    """The same for training: weights that a run begins with are tuned on; a part becomes one of what is trained, which
    learns from what the part makes of pictures.

    first, parts: model or network folders.   began: the hash of the weights that a run which goes on began with, where
    nobody names their folder.
    """
    said = declared()
    facts = told(said.facts, use=use)
    chosen("licence-mode", mode, MODES)
    if facts.use is None:
        return ()
    shelf, notes = shelf_of(said), list[str]()
    base = weights_of(began, "that the run began with", shelf) if began and first is None else ()
    if first is not None:
        base = weights_in(user_path(first), shelf)
    inside = [one for role, path in parts.items() for one in weights_in(user_path(path), shelf, _part_role(role))]
    asked = ((base, ("fine_tune",)), (inside, ("merge", "train_on_outputs")))
    for components, actions in asked:
        if components:
            found = judge(components[0].name, components, doing(facts, *actions), shelf.library)
            notes += _notes(found, mode or said.mode)
    return tuple(notes)


def licensed_data(said: str, use: str | None = None, mode: str | None = None) -> tuple[str, ...]:
    """The same for the data that a model is trained on.   said: the licence that is declared, "" where nobody says."""
    told_of = declared()
    facts = told(told_of.facts, use=use)
    chosen("licence-mode", mode, MODES)
    if facts.use is None:
        return ()
    library = shelf_of(told_of).library
    data = learnt_from(said, "the data (--data-licence)", library)
    return _notes(judge("the data", data, doing(facts, "fine_tune"), library), mode or told_of.mode) if data else ()


def _part_role(name: str) -> str:
    """Of a recipe's part, by the recipe's word for it."""
    return name if name in ROLES else "denoiser"


def _notes(found: Verdict, mode: str) -> tuple[str, ...]:
    """Raises the refusal of a verdict where it is enforced."""
    refusal = found.refusal
    if refusal is not None:
        if mode == "enforce":
            raise refusal
        return (f"licence, not enforced: {refusal}",)
    if found.decision == Decision.ALLOWED:
        return ()
    left = sum(one.condition.met != "yes" for one in found.conditions if one.condition)
    return (f"licence: allowed with conditions, {left} to meet; `mezzotint licence {found.model}` lists them",)


def licensed_request(asked: Request, system: System) -> Licensed:
    """The same for the words of ``generate``.   system: the model's, with or without what is put on it.

    What runs beside it is read where a use is declared alone.  Raises as ``find`` and ``with_folders`` too.
    """
    if told(declared().facts, use=asked.use).use is None:
        return licensed(system, use=asked.use, mode=asked.licence_mode)
    return licensed(joint_of(asked, system), beside_of(asked), worn_of(asked), asked.use, asked.licence_mode)


def joint_of(asked: Request, system: System) -> System:
    """A system with the folder of its prior, and of the stages that follow, whose parts are no systems alone."""
    prior = None if asked.prior is None else find(str(asked.prior))
    return with_folders(system, prior, [find(str(folder)) for folder in asked.then])


def beside_of(asked: Request) -> list[tuple[str, System]]:
    """A refiner's folder as a system.  Raises as ``find``."""
    return [] if asked.refiner is None else [("refiner", describe_system(find(str(asked.refiner))))]


def worn_of(asked: Request) -> list[tuple[str, Path]]:
    """The files and folders that are put on a model."""
    encoder = [] if asked.ip_encoder is None else [("image_encoder", Path(asked.ip_encoder))]
    found = [
        *(("adapter", lookup("lora", str(weighed(str(one))[0]))) for one in asked.lora),
        *(("embedding", lookup("embedding", str(one))) for one in asked.embedding),
        *(("control", lookup("control", str(said_of(str(one)).folder))) for one in asked.control),
        *(("adapter", weighed(str(one), "an IP-Adapter")[0]) for one in asked.ip_adapter),
        *encoder,
    ]
    return [(role, user_path(path)) for role, path in found]
