"""What was said to make a picture, in our words, and the command that says it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_TEXT = 1 << 20
MAX_PROMPT = 20_000


@dataclass(frozen=True)
class Words:
    """source: the tool whose words they were.  solver, grid: as ``generate`` takes them.  loras: name and weight each.

    apart: texts for single text encoders, as ``Prompts.apart``.  image: what it began from.  notes: what could
    not be brought along, or will differ.   None is what was not said.
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
        said += [f"--lora={name}:{weight:g}" for name, weight in self.loras]
        return ["generate", *said, "--", self.prompt]

    @property
    def command(self) -> str:
        """For a shell."""
        return shlex.join(["mezzotint", *self.arguments])


def plain(value: object) -> str:
    """A value as the command line takes it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


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
