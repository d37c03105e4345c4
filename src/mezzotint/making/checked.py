"""Before anything is made: what the prompt gate says of every text of a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.conditioning.prompts import Prompts
from mezzotint.errors import (
    MezzotintError,
    PromptBlockedError,
    PromptReviewError,
    PromptUncheckedError,
    StorageError,
)
from mezzotint.governance.safety.prompt.audit import write_down
from mezzotint.governance.safety.prompt.gate import Text, load
from mezzotint.governance.safety.prompt.verdict import Verdict
from mezzotint.governance.safety.prompt.words import Decision
from mezzotint.making.heeded import Checks
from mezzotint.pretrained.adapter_files import adapter_paths
from mezzotint.pretrained.adapters import weighed
from mezzotint.pretrained.search import lookup
from mezzotint.pretrained.weights_file import header_of

if TYPE_CHECKING:
    from mezzotint.making.request import Request

_ERRORS: Mapping[Decision, tuple[type[MezzotintError], str]] = {
    Decision.BLOCK: (PromptBlockedError, "blocked"),
    Decision.COULD_NOT_CHECK: (PromptUncheckedError, "not checked, which blocks"),
    Decision.REVIEW: (PromptReviewError, "for a person to review, which blocks here"),
}


def checked(prompts: Iterable[str], beside: Sequence[Text] = (), field: str = "prompt") -> Checks:
    """The verdict on each prompt with the texts beside it, none of which is let through in part.

    field: what they are: prompts, or captions.

    Raises: PromptBlockedError, PromptReviewError, PromptUncheckedError; GateError where the gate cannot run;
        UsageError, InputError for a wrong policy.
    """
    gate, found = load(), dict[str, Mapping[str, Any]]()
    for prompt in dict.fromkeys(prompts):
        texts = [Text(field, prompt), *beside]
        verdict = gate.check(texts)
        if not gate.policy.passes(verdict.decision):
            with suppress(StorageError):  # the refusal stands, written down or not
                write_down(verdict, [one.text for one in texts])
            raise refusal(verdict)
        found[prompt] = verdict.document
    return found


def refusal(verdict: Verdict) -> MezzotintError:
    """One line that names codes, and no words."""
    kind, said = _ERRORS[verdict.decision]
    deciding = [one for one in verdict.findings if one.decision == verdict.decision]
    fields = ", ".join(sorted({one.field.replace("_", " ") for one in deciding}))
    codes = ", ".join(sorted({one.code for one in deciding}))
    return kind(f"the text is {said}: {codes} ({fields}); say it otherwise, `mezzotint check --prompt` tries it")


def said_beside(said: Prompts, scale: float | None) -> list[Text]:
    """The texts that all prompts share.

    A negative prompt may name harms, unless guidance is below 1, u + s(c - u) = sc + (1 - s)u: then it is asked for.
    """
    away = "negative_prompt" if scale is None or scale >= 1 else "prompt"
    negative = (said.negative_prompt, said.negative_prompt_2, said.negative_prompt_3)
    more = [Text("prompt", text) for text in (said.prompt_2, said.prompt_3) if text]
    return [*more, *(Text(away, text) for text in negative if text)]


def named(paths: Iterable[Path | str]) -> list[Text]:
    """Names of files, as texts."""
    return [Text("file_name", Path(str(one)).stem) for one in paths]


CALLED = ("modelspec.trigger_phrase", "modelspec.title", "ss_output_name")
"""Where the header of an adapter's file says which words call it, and what it is called."""


def worn(kind: str, files: Iterable[Path | str]) -> list[Text]:
    """Names of adapters or taught words, "FILE" or "FILE:weight", and the words that their files say call them: prompts
    say those, and people see them.   kind: lora or embedding, as ``lookup``.
    """
    return [Text("trigger", text) for one in files for text in (weighed(str(one))[0].stem, *_inside(kind, str(one)))]


def _inside(kind: str, said: str) -> tuple[str, ...]:
    """Of a file's header; none where it cannot be read, which whoever puts it on refuses."""
    path = lookup(kind, str(weighed(said)[0]))
    try:
        found = header_of(next(iter(adapter_paths(path)), path)).metadata
    except MezzotintError:
        return ()
    return tuple(found[key] for key in CALLED if found.get(key))


def texts_beside(asked: Request) -> list[Text]:
    """The texts of a request beside its prompts."""
    pictures = [one for one in (asked.image, asked.mask, *asked.control_image, *asked.ip_image) if one is not None]
    put_on = [*worn("lora", asked.lora), *worn("embedding", asked.embedding)]
    return [*said_beside(asked.how.said, asked.sampling.scale), *named(pictures), *put_on]


def checked_request(asked: Request) -> Checks:
    """The same for the words of ``generate``."""
    return checked(asked.prompts, texts_beside(asked))
