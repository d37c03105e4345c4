"""Groups of commands that are known by name alone, so that ``--help`` imports none of them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click


class Lazy(click.Group):
    """said: what each command does, by name, in the order they are listed.   package: has a module of the name for
    each, with an underscore behind words of Python's own."""

    def __init__(self, *, package: str, said: Mapping[str, str], **words: Any) -> None:
        super().__init__(**words)
        self._package, self._said = package, said

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._said)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._said:
            return None
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = import_module(f"{self._package}.{module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._said.items()))
