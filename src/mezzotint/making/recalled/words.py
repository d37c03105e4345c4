"""What was said to make a picture, in our words, and the command that says it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

MAX_TEXT = 1 << 20
MAX_PROMPT = 20_000


@dataclass(frozen=True)
class Need:
    """A file that a command names without knowing where it is.

    word: what stands for it in the command.  what: for people.  sha256: of the file, or of a picture's pixels.
    """

    word: str
    what: str
    sha256: str


@dataclass(frozen=True)
class Words:
    """source: the tool whose words they were.  solver, grid: as ``generate`` takes them.  loras: name and weight each.

    apart: texts for single text encoders, as ``Prompts.apart``.  image: what it began from.  notes: what could
    not be brought along, or will differ.   None is what was not said.
    verb: the command.  pictures: what it is given; else it is given the prompt.  more: further options and their
    values, None for a flag.  needs: the files that it names.
    """

    source: str
    prompt: str = ""
    negative_prompt: str = ""
    apart: Mapping[str, str] = field(default_factory=dict)
    steps: int | None = None
    scale: float | None = None
    seed: int | None = None
    size: str | None = None
    solver: str | None = None
    grid: str | None = None
    model: str | None = None
    loras: tuple[tuple[str, float], ...] = ()
    image: str | None = None
    strength: float | None = None
    notes: tuple[str, ...] = ()
    verb: str = "generate"
    pictures: tuple[str, ...] = ()
    more: tuple[tuple[str, str | None], ...] = ()
    needs: tuple[Need, ...] = ()

    @property
    def unsaid(self) -> tuple[str, ...]:
        """What the command cannot say, so that it would be refused or do nothing."""
        began = self.strength is not None and not self.image
        picture = f"it began from a picture that is not named; give --image and --strength {self.strength or 0:g}"
        return (picture,) if began else ()

    @property
    def arguments(self) -> list[str]:
        """Of ``mezzotint``, the prompt last and behind ``--``: it may begin with a hyphen."""
        options: Mapping[str, Any] = {
            "--negative-prompt": self.negative_prompt or None,
            **{f"--{name.replace('_', '-')}": text for name, text in self.apart.items()},
            "--model": self.model, "--seed": self.seed,
            "--steps": self.steps, "--scale": self.scale, "--solver": self.solver, "--grid": self.grid,
            "--size": self.size, "--image": self.image,
            "--strength": self.strength if self.image else None,
        }  # fmt: skip
        said = [f"{key}={plain(value)}" for key, value in options.items() if value is not None]
        said += [f"--lora={name}:{plain(weight)}" for name, weight in self.loras]
        said += [key if value is None else f"{key}={value}" for key, value in self.more]
        if self.pictures:
            return [self.verb, *said, "--", *self.pictures]
        return [self.verb, *said, "--", self.prompt]

    @property
    def command(self) -> str:
        """For a shell; one of bash's kind where a text has characters that move a terminal's cursor."""
        return " ".join(quoted(argument) for argument in ["mezzotint", *self.arguments])


def quoted(text: str) -> str:
    """For a shell: with characters that cannot be seen as escapes."""
    if all(c.isprintable() or c in "\n\t" for c in text):
        return shlex.quote(text)
    return "$'" + "".join(_escaped(c) for c in text) + "'"


def _escaped(c: str) -> str:
    if c in "\\'":
        return f"\\{c}"
    return c if c.isprintable() else f"\\U{ord(c):08x}"


def plain(value: object) -> str:
    """A value as the command line takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, float):
        return str(value)
    short = f"{value:g}"
    exact = short if float(short) == value else repr(value)
    return format(Decimal(exact), "f") if "e" in exact else exact  # a hyphen in 1e-05 would part two numbers


def clean(text: object) -> str:
    """A text of a file as text: characters that move a terminal's cursor left out, at most 20,000 of the others."""
    if not isinstance(text, str):
        return ""
    return "".join(c for c in text if c.isprintable() or c in "\n\t")[:MAX_PROMPT]


def whole(value: object, least: int, most: int) -> int | None:
    """A whole number in range, also where it is written as text; else None."""
    try:
        number = int(str(value))
    except ValueError:
        return None
    return number if least <= number <= most else None


def real(value: object, least: float, most: float) -> float | None:
    """A number in range, also where it is written as text; else None."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if least <= number <= most else None


def size_of(width: object, height: object) -> str | None:
    """ "WxH" of both sides, None where either is none."""
    sides = whole(width, 1, 16_384), whole(height, 1, 16_384)
    return None if None in sides else f"{sides[0]}x{sides[1]}"
