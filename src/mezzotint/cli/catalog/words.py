"""What the commands of a catalog share: the manifest, its brief, its pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mezzotint.cli.options import chain

if TYPE_CHECKING:
    from mezzotint.catalog.brief import Brief

manifest_options = chain(
    click.argument("manifest"),
    click.option(
        "--brief",
        type=click.Path(path_type=Path),
        help="What is varied, as TOML.  [beside the manifest, with its name]",
    ),
    click.option("--pictures", type=click.Path(path_type=Path), help="The folder of photographs.  [the manifest's]"),
)


def brief_of(manifest: str, brief: Path | None) -> Brief:
    """The brief that is given, or the one beside the manifest.  Raises InputError, UsageError."""
    from mezzotint.catalog.brief import beside, read_brief

    return read_brief(beside(manifest) if brief is None else brief)
