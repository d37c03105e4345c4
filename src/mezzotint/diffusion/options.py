"""Options as they are asked for, by name, and a complaint about those that had no effect."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeVar

from mezzotint.errors import UsageError, unknown

Word = TypeVar("Word", bound=str)

Value = float | str
"""What an option may be; True and False count as 1 and 0."""

TRUE, FALSE = ("true", "yes", "1", "1.0"), ("false", "no", "0", "0.0")


class Options:
    """The options somebody asked for, beside presets; reading one marks it as having an effect.

    A reader asks for what matters to it, and only when it does (``s_noise`` where there is noise); what nobody read is
    an error.
    """

    def __init__(self, asked: Mapping[str, Value], presets: Mapping[str, Value] | None = None) -> None:
        self._asked = dict(asked)
        self._presets = dict(presets or {})
        self._read: dict[str, Value] = {}

    def preset(self, presets: Mapping[str, Value]) -> None:
        """Values for names that are not asked for, in place of a reader's own defaults."""
        self._presets |= presets

    def _value(self, name: str, default: Value) -> Value:
        self._read[name] = self._asked.get(name, self._presets.get(name, default))
        return self._read[name]

    @property
    def taken(self) -> dict[str, Value]:
        """What was asked for or preset, and read, as it was understood; defaults are left out."""
        return {name: value for name, value in self._read.items() if name in self._asked or name in self._presets}

    def has(self, name: str) -> bool:
        """Whether a name was asked for; does not mark it."""
        return name in self._asked

    def number(self, name: str, default: float) -> float:
        """A number; UsageError for what is none, or NaN."""
        value = self._value(name, default)
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if math.isnan(number):
            raise UsageError(f"{name} is {value!r}; expected a number")
        self._read[name] = number
        return number

    def optional(self, name: str) -> float | None:
        """A number, or None where it was not given."""
        number = self.number(name, math.inf)
        return None if math.isinf(number) and not self.has(name) and name not in self._presets else number

    def integer(self, name: str, default: int) -> int:
        """A whole number; UsageError for others."""
        number = self.number(name, default)
        if not number.is_integer():
            raise UsageError(f"{name} is {number}; expected a whole number")
        self._read[name] = int(number)
        return int(number)

    def flag(self, name: str, default: bool) -> bool:
        """True or false, as a truth value, a number or a word."""
        value = str(self._value(name, default)).lower()
        if value not in TRUE + FALSE:
            raise UsageError(f"{name} is {value!r}; expected true or false")
        self._read[name] = value in TRUE
        return value in TRUE

    def choice(self, name: str, default: Word, choices: Sequence[Word]) -> Word:
        """One of some words; UsageError, nearest first, for others."""
        value = str(self._value(name, default))
        for word in choices:
            if word == value:
                return word
        raise unknown(name, value, choices)

    def word(self, name: str, default: str) -> str:
        """Any word."""
        return str(self._value(name, default))

    def check(self, chosen: str) -> None:
        """UsageError for the names asked for and never read, with those that were: options without effect."""
        idle = [name for name in self._asked if name not in self._read]
        if idle:
            names = ", ".join(sorted(self._read)) or "none"
            raise UsageError(f"{', '.join(idle)} has no effect on {chosen}; options that have one: {names}")
