"""What people are shown of a judgement has passed the output gate."""

from __future__ import annotations

import torch

from mezzotint.governance.safety.output.gate import load
from mezzotint.making.tuned.shown import GREY, MOST, looked_at
from mezzotint.tuning.evidence import Pictures


def test_what_the_gate_withholds_is_grey() -> None:
    torch.manual_seed(0)
    sound = torch.randint(0, 256, (MOST + 2, 3, 64, 64), dtype=torch.uint8)
    mixed = sound.clone()
    mixed[1] = 7  # of one colour, which is no picture
    mixed[-1] = 7  # nobody is shown this one
    shown, many = looked_at({"mug": Pictures(sound, mixed, sound, sound)}, load())
    assert many == 1
    assert torch.equal(shown["mug"].subject, sound[:MOST]) and torch.equal(shown["mug"].other, sound[:MOST])
    behind = shown["mug"].behind
    assert len(behind) == MOST and bool((behind[1] == GREY).all())
    assert torch.equal(behind[[0, *range(2, MOST)]], sound[[0, *range(2, MOST)]])


def test_other_things_which_subjects_share_are_counted_once() -> None:
    torch.manual_seed(0)
    sound = torch.randint(0, 256, (MOST, 3, 64, 64), dtype=torch.uint8)
    plain = torch.full_like(sound, 7)
    shared = Pictures(sound, sound, sound, plain)
    shown, many = looked_at({"mug": shared, "cup": shared}, load())
    assert many == MOST and all(bool((shown[name].other == GREY).all()) for name in ("mug", "cup"))
