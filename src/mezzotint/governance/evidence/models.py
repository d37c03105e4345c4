"""Models that receipts name, as they are found here: what is checked against bytes apart from what cards claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mezzotint.errors import MezzotintError
from mezzotint.files import sha256_file
from mezzotint.governance.evidence.seen import EVALUATED, Artefact, Seen, Trained, texts
from mezzotint.pretrained.folder import WEIGHTS_NAME
from mezzotint.pretrained.spec import Card
from mezzotint.pretrained.store import find
from mezzotint.pretrained.system import Member, System, describe_system, verify_system


@dataclass(frozen=True)
class Part:
    """One set of weights.   name: of its stage.  made: how many receipts name it.  here: whether the model of that name
    on this machine has the same bytes; None where none is here."""

    model: str
    name: str
    sha256: str
    config_sha256: str
    made: int
    here: bool | None


@dataclass(frozen=True)
class Known:
    """A model.   card: what its maker claims, None where it is not here.  kind: of its main network.
    prompts: what it is told: text | classes | nothing; "" is not known.  base: what it was distilled of, or "".
    evaluations: documents that measured just these weights.   run: that trained them, where its folder has them.
    """

    name: str
    parts: tuple[Part, ...]
    card: Card | None
    kind: str
    shape: tuple[int, ...]
    evaluations: tuple[Mapping[str, Any], ...]
    prompts: str = ""
    base: str = ""
    run: Artefact | None = None


def known(seen: Seen) -> list[Known]:
    """The models of all receipts, by name, then those of training runs that no receipt is of."""
    names = dict.fromkeys(str(one["made"]["model"]) for one in seen.receipts)
    found = [_known(name, seen, _system(name)) for name in sorted(names)]
    named = {part.sha256 for one in found for part in one.parts}
    return [*found, *(_of_run(one, seen) for one in seen.trained if one.model.weights_sha256 not in named)]


def _system(name: str) -> System | None:
    try:
        return describe_system(find(name))
    except MezzotintError:
        return None


def _known(name: str, seen: Seen, system: System | None) -> Known:
    parts = tuple(_parts(name, seen, system))
    hashes = {part.sha256 for part in parts}
    if system is None:
        return Known(name, parts, None, "", (), _measured(name, seen, hashes), run=_run(seen, hashes))
    spec = system.members[system.main].described.spec
    base = "" if spec.distilled is None else spec.distilled.base
    return Known(
        name, parts, system.card, str(spec.net.get("kind", "")), tuple(spec.shape), _measured(name, seen, hashes),
        _prompts(system), base, _run(seen, hashes),
    )  # fmt: skip


def _of_run(one: Trained, seen: Seen) -> Known:
    """Of a model that lies beside its run, by the name of the run's folder."""
    name, digest = one.run.path.parent.name, one.model.weights_sha256
    system = System(name, one.model.folder, (Member(one.model, {}),), one.model.spec.card, text=one.model.spec.text)
    return replace(_known(name, seen, system), parts=(Part(name, name, digest, "", 0, True),), run=one.run)


def _measured(name: str, seen: Seen, hashes: set[str]) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        one.document
        for one in seen.of(EVALUATED)
        if one.document.get("model") == name and hashes & set(texts(one.document.get("about")))
    )


def _run(seen: Seen, hashes: set[str]) -> Artefact | None:
    return next((one.run for one in seen.trained if one.model.weights_sha256 in hashes), None)


def _prompts(system: System) -> str:
    """What it is told."""
    if system.text is not None or any(name != system.eye for name in system.readers):
        return "text"
    return "classes" if system.labels else "nothing"


def _parts(name: str, seen: Seen, system: System | None) -> Iterator[Part]:
    counts: dict[tuple[str, str, str], int] = {}
    for made in (one["made"] for one in seen.receipts if one["made"]["model"] == name):
        for stage in made["stages"]:
            key = (str(stage["model"]), str(stage["weights_sha256"]), str(stage["config_sha256"]))
            counts[key] = counts.get(key, 0) + 1
    there = None if system is None else _bytes(system)
    for (stage_name, digest, config), count in counts.items():
        yield Part(name, stage_name, digest, config, count, None if there is None else digest in there)


def _bytes(system: System) -> set[str]:
    """The hashes of its weights files as they are now, whatever its folder says of them."""
    try:
        if system.components is not None:
            return {member.described.weights_sha256 for member in verify_system(system).members}
        return {sha256_file(member.described.folder / WEIGHTS_NAME) for member in system.members}
    except (MezzotintError, OSError):
        return set()
