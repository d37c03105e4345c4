"""What a job puts beside its base, from words: controls and pictures in the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mezzotint.errors import UsageError
from mezzotint.pretrained.controls import with_controls
from mezzotint.pretrained.picture_prompts import with_picture_prompts
from mezzotint.pretrained.system import System

Files = Sequence[str | Path]


@dataclass(frozen=True)
class Attachments:
    """The words of ``generate`` that say what is attached.

    control: "DIR:WEIGHT:BEGIN-END"; control_image: one for each.
    ip_adapter: "FILE" or "FILE:WEIGHT"; ip_image: one for each; ip_encoder: the folder of their picture encoder.
    """

    control: Files = ()
    control_image: Files = ()
    ip_adapter: Files = ()
    ip_image: Files = ()
    ip_encoder: str | Path | None = None

    def put_on(self, system: System) -> System:
        """A system with all of them.   Raises: UsageError, InputError, ModelError naming the file and what is wrong."""
        made = system
        if self.control or self.control_image:
            made = with_controls(system, _texts(self.control), _paths(self.control_image))
        if not self.ip_adapter and not self.ip_image:
            if self.ip_encoder is not None:
                raise UsageError("--ip-encoder is for an IP-Adapter; give --ip-adapter and --ip-image")
            return made
        encoder = None if self.ip_encoder is None else Path(self.ip_encoder)
        return with_picture_prompts(made, _texts(self.ip_adapter), _paths(self.ip_image), encoder)


def _texts(files: Files) -> list[str]:
    return [str(file) for file in files]


def _paths(files: Files) -> list[Path]:
    return [Path(file) for file in files]
