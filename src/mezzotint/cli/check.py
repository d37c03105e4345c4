"""``mezzotint check``: what the prompt gate says of texts, and the output gate of pictures."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from mezzotint.cli.options import json_option, print_json
from mezzotint.cli.output import printable
from mezzotint.cli.paths import PATH
from mezzotint.errors import UsageError
from mezzotint.files import pretty_json, read_bytes, write_atomic
from mezzotint.governance.safety.prompt.gate import Gate, Text, load
from mezzotint.governance.safety.prompt.names import MAX_BYTES, made
from mezzotint.governance.safety.prompt.verdict import Verdict
from mezzotint.governance.safety.prompt.words import LISTS, Decision

EXIT = {Decision.ALLOW: 0, Decision.REVIEW: 3, Decision.COULD_NOT_CHECK: 4, Decision.BLOCK: 4}


@click.command("check")
@click.argument("files", nargs=-1, type=PATH)
@click.option("--prompt", multiple=True, help='A prompt; may be given again; "-" reads one a line.')
@click.option("--negative-prompt", default="", help="What to steer away from; it may name harms.")
@click.option("--caption", multiple=True, help="A caption that goes with it; may be given again.")
@click.option("--file-name", multiple=True, help="A file's name; may be given again.")
@click.option("--trigger", multiple=True, help="An adapter's word; may be given again.")
@click.option("--text", multiple=True, help="A text that was read in a picture; may be given again.")
@click.option("--explain", is_flag=True, help="Also show the lists' own words that were found.")
@click.option("--hash-names", type=PATH, help="Write a hashed list of this file's names, one a line.")
@click.option("--category", metavar="|".join(LISTS), help="What --hash-names lists.")
@click.option("--out", type=PATH, help="The file of --hash-names.")
@json_option
def command(
    files: tuple[Path, ...],
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
    """Say what the gates make of texts and of FILES, pictures: allow, review, block or could-not-check, with a code for
    every reason.

    Every --prompt is checked with all other texts, as one request; a file with its name. The policy is that in [safety]
    of mezzotint.toml.
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
    if not prompts and not beside and not files:
        raise UsageError('nothing is given; expected --prompt "a red armchair", another text, or a picture\'s file')
    gate = load()
    asked = prompts or ([""] if beside else [])
    found = [gate.check([*([Text("prompt", one)] if prompts else []), *beside]) for one in asked]
    shown = _pictures(files, gate)
    if as_json:
        pictures = {"pictures": [{**_document(one, explain), "file": str(path)} for path, one in shown]}
        verdicts = [_document(one, explain) for one in found]
        print_json({"schema": "mezzotint/check/1", "verdicts": verdicts, **(pictures if shown else {})})
    else:
        for one in found:
            click.echo("\n".join(lines(one, explain)))
        for path, seen in shown:
            click.echo("\n".join((f"{printable(str(path))}:", *lines(seen, explain), *_measured(seen))))
    return EXIT[max([*(one.decision for one in found), *(one.decision for _, one in shown)])]


def _pictures(files: tuple[Path, ...], texts: Gate) -> list[tuple[Path, Verdict]]:
    """What the output gate says of each, and the prompt gate of its name.  Raises InputError, GateError."""
    if not files:
        return []
    from mezzotint.governance.safety.output.gate import load as load_output
    from mezzotint.pictures.flat import seen
    from mezzotint.pictures.png import read_picture

    gate = load_output(texts=texts)
    return [(path, _with_name(gate.check(seen(read_picture(path))), texts, path.stem)) for path in files]


def _with_name(found: Verdict, texts: Gate, name: str) -> Verdict:
    said = texts.check([Text("file_name", name)])
    return replace(found, decision=max(found.decision, said.decision), findings=(*found.findings, *said.findings))


def _measured(found: Verdict) -> Iterator[str]:
    """Scores, and what was not asked."""
    if scores := found.measured.get("scores"):
        yield "  " + ", ".join(f"{name} {score:.2f}" for name, score in scores.items())
    for name, why in found.measured.get("unchecked", {}).items():
        yield f"  not checked: {name} ({why.replace('-', ' ')})"


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
