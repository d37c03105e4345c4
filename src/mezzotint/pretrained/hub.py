"""``pull``: a model from the Hugging Face hub into the home of Mezzotint, at one revision, every file hashed."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mezzotint.config import home
from mezzotint.errors import InputError, ModelError, StorageError, UsageError
from mezzotint.files import make_folder, pretty_json, sha256_file, write_atomic
from mezzotint.pretrained.components import INDEX, PICKLES

SCHEMA, RECORD = "mezzotint/pulled/1", "pulled.json"
HUB = "https://huggingface.co"
MAX_FILES, MAX_DEPTH = 2000, 4
_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_REVISION = re.compile(r"[\w][\w./-]{0,127}")
_PART = re.compile(r"[\w][\w.+ ()-]{0,127}")
_WEIGHTS = re.compile(
    r"(?P<stem>[\w-]+?)(\.(?P<variant>\w+))?(-\d+-of-\d+)?\.safetensors(\.index(\.(?P<indexed>\w+))?\.json)?"
)
TEXTS = (".json", ".txt", ".model", ".md")


@dataclass(frozen=True)
class Listed:
    """A file of a repository.  bytes: its size.  sha256: "" where the hub does not say."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Pulled:
    """folder: where it is now.  revision: the commit.  files: name -> SHA-256.  licence: as its card names it."""

    id: str
    revision: str
    folder: Path
    files: Mapping[str, str]
    bytes: int
    licence: str


def parse_id(text: str) -> tuple[str, str | None]:
    """ "owner/name@revision" -> the id and the revision, None where it is not given.  Raises UsageError."""
    name, at, revision = text.partition("@")
    if not _ID.fullmatch(name) or (at and not (_REVISION.fullmatch(revision) and ".." not in revision)):
        raise UsageError(f"{text!r} is not an id; expected OWNER/NAME or OWNER/NAME@REVISION")
    return name, revision or None


def _safe(name: str) -> bool:
    parts = name.split("/")
    return len(parts) <= MAX_DEPTH and all(_PART.fullmatch(part) for part in parts)


def variant_of(name: str) -> str | None:
    """The variant of a weights file, "" for the plain one, None for a file that is none."""
    found = _WEIGHTS.fullmatch(PurePosixPath(name).name)
    return None if found is None else found["variant"] or found["indexed"] or ""


def chosen(listed: Sequence[Listed], variant: str | None, files: Sequence[str]) -> tuple[Listed, ...]:
    """What is fetched of a repository.

    variant: None is the plain weights of each part, or the only ones there are.  files: these alone.  A name that is
    not safe here, such as .gitattributes, is passed over.
    Raises: ModelError (pickles alone; several variants and no plain one; a file named that is not safe), UsageError (no
        such file).
    """
    if files:
        return _named(listed, files)
    listed = [one for one in listed if _safe(one.name)]
    if not any(one.name == INDEX for one in listed):
        return _single(listed)
    texts = [one for one in listed if variant_of(one.name) is None and _is_text(one.name)]
    parts = sorted({str(PurePosixPath(one.name).parent) for one in listed} - {"."})
    return (*texts, *(one for part in parts for one in _weights_of(part, listed, variant)))


def _is_text(name: str) -> bool:
    return name.endswith(TEXTS) or PurePosixPath(name).name.upper().startswith(("LICENSE", "NOTICE"))


def _named(listed: Sequence[Listed], files: Sequence[str]) -> tuple[Listed, ...]:
    known = {one.name: one for one in listed}
    missing = [name for name in files if name not in known]
    if missing:
        raise UsageError(f"the repository has no {missing[0]!r}; it has {_some(known)}")
    hostile = next((name for name in files if not _safe(name)), None)
    if hostile is not None:
        raise ModelError(
            f"{hostile[:80]!r} is no safe name for a file here, so it is not fetched; choose another with --file"
        )
    if any(name.endswith(PICKLES) for name in files):
        raise ModelError(f"{files[0]} is a pickle; only safetensors files are fetched")
    return tuple(known[name] for name in dict.fromkeys(files))


def _single(listed: Sequence[Listed]) -> tuple[Listed, ...]:
    found = [one for one in listed if one.name.endswith(".safetensors")]
    if len(found) != 1:
        raise UsageError(
            f"the repository has no {INDEX}; choose with --file among {_some(one.name for one in found)}"
            if found
            else f"the repository has neither {INDEX} nor safetensors files; only those are fetched"
        )
    return (*(one for one in listed if _is_text(one.name) and "/" not in one.name), *found)


def _some(names: Iterable[str]) -> str:
    found = sorted(names)
    return ", ".join(found[:12]) + (f" and {len(found) - 12} more" if len(found) > 12 else "")


def _weights_of(part: str, listed: Sequence[Listed], variant: str | None) -> list[Listed]:
    """The weights of one part, of one variant."""
    inside = [one for one in listed if str(PurePosixPath(one.name).parent) == part]
    kinds: dict[str, list[Listed]] = {}
    for one in inside:
        kind = variant_of(one.name)
        if kind is not None:
            kinds.setdefault(kind, []).append(one)
    if not kinds:
        if any(one.name.endswith(PICKLES) for one in inside):
            raise ModelError(f"{part} is there as a pickle alone; only safetensors files are fetched")
        return []
    wanted = variant if variant in kinds else "" if "" in kinds else next(iter(kinds))
    if wanted == "" or len(kinds) == 1 or wanted == variant:
        return kinds[wanted]
    raise ModelError(f"{part} is there as {', '.join(sorted(kinds))} and not plain; choose one with --variant")


# -- the network ------------------------------------------------------------------------------------------------------


@contextmanager
def _plainly(what: str) -> Iterator[None]:
    """The hub's faults in one line."""
    from huggingface_hub import errors

    transport: Any = errors.HfHubHTTPError.__bases__[0]  # of httpx or requests, as the library's version has it
    try:
        yield
    except errors.GatedRepoError as error:
        raise InputError(
            f"{what} is gated; accept its terms on the hub, then set HF_TOKEN to a token of that account"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise InputError(f"the hub has no {what}, or not for you; check the id, or set HF_TOKEN") from error
    except errors.RevisionNotFoundError as error:
        raise InputError(f"{what}: no such revision; expected a branch, a tag or a commit") from error
    except (transport, errors.EntryNotFoundError, ConnectionError) as error:
        why = str(error).partition("\n")[0]
        raise InputError(f"{what} cannot be fetched ({why}); try again, what is here is kept") from error


def pull(
    id: str,
    *,
    variant: str | None = None,
    files: Sequence[str] = (),
    name: str | None = None,
) -> Pulled:
    """Fetches a repository of the hub to ``MEZZOTINT_HOME/models/NAME`` and records revision and hashes beside it.

    A fetch that was stopped goes on where it was.  HF_ENDPOINT and HF_TOKEN are the hub's own settings.
    Args: id: "owner/name" or "owner/name@revision".  variant: of the weights, such as fp16.  files: these alone.
        name: of the folder; None is the repository's.
    Raises: UsageError (words; the name is taken), InputError (the hub), ModelError (nothing safe to fetch, a file that
        is not what the hub says), StorageError (no room).
    """
    repository, revision = parse_id(id)
    place = name or repository.partition("/")[2]
    if not _PART.fullmatch(place):
        raise UsageError(f"name {place!r} cannot be a folder's; expected letters, digits and . _ -")
    target = home() / "models" / place
    if target.exists():
        raise UsageError(f"{target} is there already; choose another --name, or remove it first")
    hub, info = _listed(repository, revision)
    wanted = chosen(_files(info), variant, files)
    staging = home() / "pulling" / f"{place}-{info.sha[:12]}"
    _check_room(make_folder(staging), sum(one.bytes for one in wanted))
    for one in wanted:
        with _plainly(repository):
            hub.hf_hub_download(repository, one.name, revision=info.sha, local_dir=staging)
    return _moved(repository, str(info.sha), staging, target, wanted, _licence(info))


def quietly(quiet: bool) -> None:
    """Whether the hub's library shows its progress."""
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1" if quiet else "0"


def _listed(repository: str, revision: str | None) -> tuple[Any, Any]:
    try:
        from huggingface_hub import HfApi, constants
    except ImportError as error:
        raise UsageError("pull needs huggingface_hub; pip install 'mezzotint[hub]'") from error
    # The variable is read once, at an import that another library may have made.
    if "HF_HUB_DISABLE_TELEMETRY" not in os.environ:
        constants.HF_HUB_DISABLE_TELEMETRY = True
    hub = HfApi(endpoint=os.environ.get("HF_ENDPOINT", HUB).rstrip("/"), library_name="mezzotint")
    with _plainly(repository):
        info = hub.model_info(repository, revision=revision, files_metadata=True)
    if not re.fullmatch(r"[0-9a-f]{40}", info.sha or ""):
        raise InputError(f"{repository}: the hub names no commit; try again")
    return hub, info


def _files(info: Any) -> tuple[Listed, ...]:
    siblings = info.siblings or []
    if len(siblings) > MAX_FILES:
        raise ModelError(f"the repository lists {len(siblings)} files; at most {MAX_FILES} are taken")
    return tuple(Listed(s.rfilename, s.size or 0, s.lfs.sha256 if s.lfs else "") for s in siblings)


def _licence(info: Any) -> str:
    card = info.card_data
    said = None if card is None else card.get("license")
    return said if isinstance(said, str) else "not stated"


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StorageError(f"{needed} bytes are to be fetched, {free} are free at {folder}; make room first")


def _moved(
    repository: str, revision: str, staging: Path, target: Path, wanted: Sequence[Listed], licence: str
) -> Pulled:
    """The fetched files, each checked, under their name."""
    hashes = {one.name: sha256_file(staging / one.name) for one in wanted}
    for one in wanted:
        if one.sha256 and hashes[one.name] != one.sha256:
            (staging / one.name).unlink()
            raise ModelError(f"{one.name} is not what the hub says (its SHA-256 is another); fetch it again")
    shutil.rmtree(staging / ".cache", ignore_errors=True)
    size = sum((staging / one.name).stat().st_size for one in wanted)
    record = {"schema": SCHEMA, "id": repository, "revision": revision, "licence": licence, "files": hashes}
    write_atomic(staging / RECORD, pretty_json(record))
    make_folder(target.parent)
    staging.rename(target)
    return Pulled(repository, revision, target, hashes, size, licence)
