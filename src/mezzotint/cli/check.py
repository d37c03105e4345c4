"""``mezzotint check --prompt TEXT``: what the prompt gate says of texts, before anything is made of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from mezzotint.cli.options import json_option, print_json
from mezzotint.errors import UsageError
from mezzotint.files import pretty_json, read_bytes, write_atomic
from mezzotint.governance.safety.prompt.gate import Text, load
from mezzotint.governance.safety.prompt.names import MAX_BYTES, made
from mezzotint.governance.safety.prompt.verdict import Verdict
from mezzotint.governance.safety.prompt.words import LISTS, Decision

EXIT = {Decision.ALLOW: 0, Decision.REVIEW: 3, Decision.COULD_NOT_CHECK: 4, Decision.BLOCK: 4}


@click.command("check")
@click.option("--prompt", multiple=True, help='A prompt; may be given again; "-" reads one a line.')
@click.option("--negative-prompt", default="", help="What to steer away from; it may name harms.")
@click.option("--caption", multiple=True, help="A caption that goes with it; may be given again.")
@click.option("--file-name", multiple=True, help="A file's name; may be given again.")
@click.option("--trigger", multiple=True, help="An adapter's word; may be given again.")
@click.option("--text", multiple=True, help="A text that was read in a picture; may be given again.")
@click.option("--explain", is_flag=True, help="Also show the lists' own words that were found.")
@click.option(
    "--hash-names", type=click.Path(path_type=Path), help="Write a hashed list of this file's names, one a line."
)
@click.option("--category", metavar="|".join(LISTS), help="What --hash-names lists.")
@click.option("--out", type=click.Path(path_type=Path), help="The file of --hash-names.")
@json_option
def command(
    prompt: tuple[str, ...],
    negative_prompt: str,
    caption: tuple[str, ...],
    file_name: tuple[str, ...],
    trigger: tuple[str, ...],
    text: tuple[str, ...],
    explain: bool,
    hash_names: Path | None,
    category: str | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Say what the prompt gate makes of texts: allow, review, block or could-not-check, with a code for every reason.

    Every --prompt is checked with all other texts, as one request. The policy is that in [safety] of mezzotint.toml.
    Exit code 0: allow. 3: review. 4: block, or could not check.
    """
    if hash_names is not None:
        _hash(hash_names, category, out)
        return 0
    beside = [
        *([Text("negative_prompt", negative_prompt)] if negative_prompt else []),
        *(Text(field, one) for field, some in _named(caption, file_name, trigger, text) for one in some),
    ]
    prompts = [line for one in prompt for line in (_lines() if one == "-" else [one])]
    if not prompts and not beside:
        raise UsageError('no text is given; expected --prompt "a red armchair", or another text')
    gate = load()
    found = [gate.check([*([Text("prompt", one)] if prompts else []), *beside]) for one in prompts or [""]]
    if as_json:
        print_json({"schema": "mezzotint/check/1", "verdicts": [_document(one, explain) for one in found]})
    else:
        for one in found:
            click.echo("\n".join(lines(one, explain)))
    return EXIT[max(one.decision for one in found)]


def _named(
    caption: tuple[str, ...], file_name: tuple[str, ...], trigger: tuple[str, ...], text: tuple[str, ...]
) -> list[tuple[str, tuple[str, ...]]]:
    return [("caption", caption), ("file_name", file_name), ("trigger", trigger), ("ocr", text)]


def _lines() -> list[str]:
    """Of standard input, empty ones left out; bytes that are no UTF-8 are kept as such, for the gate to see."""
    data = sys.stdin.buffer.read(MAX_BYTES)
    return [line for line in data.decode("utf-8", "surrogateescape").splitlines() if line.strip()]


def _document(found: Verdict, explain: bool) -> dict[str, object]:
    terms = {"terms": [{"code": one.code, "term": one.term} for one in found.findings if one.term]}
    return {**found.document, **(terms if explain else {})}


def lines(found: Verdict, explain: bool) -> Iterator[str]:
    """For people."""
    yield found.decision.word.upper().replace("-", " ")
    for one in found.findings:
        term = f": {one.term}" if explain and one.term else ""
        yield f"  {one.code} in {one.field.replace('_', ' ')}, {one.decision.word}, score {one.score:.2f}{term}"
    for word in found.loosened:
        yield f"  the policy asks less than the default: {word}"


def _hash(source: Path, category: str | None, out: Path | None) -> None:
    """Raises UsageError, InputError, StorageError."""
    if category not in LISTS or out is None:
        raise UsageError(f"--hash-names needs --category, one of {', '.join(LISTS)}, and --out")
    names = read_bytes(source, MAX_BYTES).decode("utf-8", "replace").splitlines()
    write_atomic(out, pretty_json(made(names, category)), replace=False)
