"""How much may be spent: by a command, by a project, by all in a month; from ``[cost]`` of ``mezzotint.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mezzotint.config import section
from mezzotint.costs.prices import declared as prices_declared
from mezzotint.costs.prices import stated
from mezzotint.errors import UsageError
from mezzotint.governance.licence.money import Money

CAPS = ("cap_command", "cap_project", "cap_month")
DEFAULT = "default"


@dataclass(frozen=True)
class Caps:
    """None is no cap.   per_hour: what a second is priced by; None only where there is no cap.  project: whose money.
    month: of all projects together, by the calendar in UTC.
    run: of one catalog, all its workers and all times that it goes on."""

    project: str = DEFAULT
    per_hour: Money | None = None
    command: Money | None = None
    of_project: Money | None = None
    month: Money | None = None
    run: Money | None = None

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return any(cap is not None for cap in (self.command, self.of_project, self.month, self.run))


def declared() -> Caps:
    """What the settings files say.

    Raises UsageError (a cap without a price of the hour, or in another currency), InputError.
    """
    said, per_hour = section("cost"), prices_declared().per_hour
    caps = Caps(_project(said), per_hour, *(stated(said, name) for name in CAPS))
    for name, cap in zip(CAPS, (caps.command, caps.of_project, caps.month), strict=True):
        if cap is not None and per_hour is None:
            raise UsageError(f'{said[name][1]}: {name} needs per_hour, what an hour of the machine costs: "0.40 USD"')
        if cap is not None and per_hour is not None and cap.currency != per_hour.currency:
            raise UsageError(
                f"{said[name][1]}: {name} is in {cap.currency}, per_hour in {per_hour.currency}; say both in one"
            )
    return caps


def _project(said: Mapping[str, tuple[Any, str]]) -> str:
    if "project" not in said:
        return DEFAULT
    value, where = said["project"]
    if not isinstance(value, str) or not value.strip() or len(value) > 100 or not value.isprintable():
        raise UsageError(f"{where}: project is {value!r}; expected a name of 1 to 100 characters")
    return value.strip()
