"""What is said to a model: a prompt, what to steer away from, and texts for single text encoders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mezzotint.errors import UsageError

Pair = tuple[str, str]
"""A prompt and what to steer away from."""


@dataclass(frozen=True)
class Prompts:
    """Texts as people give them, "" where they give none.

    prompt_2, prompt_3 and their negatives: what the second and the third text encoder read in place of the first two.
    """

    prompt: str = ""
    negative_prompt: str = ""
    prompt_2: str = ""
    prompt_3: str = ""
    negative_prompt_2: str = ""
    negative_prompt_3: str = ""

    @property
    def main(self) -> Pair:
        """What every encoder reads that has no text of its own."""
        return self.prompt, self.negative_prompt

    @property
    def apart(self) -> Mapping[str, str]:
        """The texts for single encoders, by name; for receipts."""
        names = ("prompt_2", "prompt_3", "negative_prompt_2", "negative_prompt_3")
        return {name: text for name in names if (text := getattr(self, name))}

    @property
    def negative(self) -> bool:
        """Whether anything is steered away from."""
        return bool(self.negative_prompt or self.negative_prompt_2 or self.negative_prompt_3)

    def each(self, encoders: int) -> tuple[Pair, ...]:
        """What each of so many encoders reads.  Raises UsageError for a text whose encoder is not there."""
        for name in self.apart:
            if int(name[-1]) > encoders:
                option, many = name.replace("_", "-"), "one text encoder" if encoders == 1 else f"{encoders} of them"
                raise UsageError(f"--{option} is for text encoder {name[-1]} and the model has {many}; leave it out")
        own = ("", ""), (self.prompt_2, self.negative_prompt_2), (self.prompt_3, self.negative_prompt_3)
        return tuple((p or self.prompt, n or self.negative_prompt) for p, n in own[:encoders])
