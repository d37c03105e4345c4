"""Paths as people give them on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mezzotint.files import user_path


class UserPath(click.Path):
    """A path whose first ~ is the user's home, also where no shell has seen it: ``--out=~/spring``, '~/photo one.png'.

    Raises UsageError where ~name is nobody.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        return user_path(str(super().convert(value, param, ctx)))


PATH = UserPath()
