"""The sizes of pictures that a system makes."""

from __future__ import annotations

import math

from mezzotint.errors import UsageError
from mezzotint.pretrained.system import System

LARGEST = 4096
"""Pixels of the longest side of what is made, of models that make several sizes."""

STEP = 8
"""Pixels: what the sizes of a latent model are divisible by."""


def parse_size(size: str, such: str = "such as 28x28") -> tuple[int, int]:
    """(width, height) of "WxH".   such: what a wrong one is answered with.  Raises UsageError."""
    width, cross, height = size.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise UsageError(f"size {size!r} is not WxH in pixels, {such}")
    return int(width), int(height)


def size_of(system: System, size: str | None) -> tuple[int, int]:
    """(width, height) of a system's pictures: its own, or those asked for where it can.  Raises UsageError."""
    if size is None:
        return system.size
    width, height = parse_size(size, sizes_said(system))
    if not system.any_size and (width, height) != system.size:
        raise UsageError(f"size {size} is not one that {system.name} makes; it makes {system.size[0]}x{system.size[1]}")
    step = step_of(system)
    most = largest_of(system)
    if system.any_size and (width % step or height % step or max(width, height) > most):
        raise UsageError(f"size {size} cannot be made; expected both divisible by {step} and at most {most}")
    return width, height


def sizes_said(system: System) -> str:
    """Which sizes a system makes, after "in pixels, "."""
    own = f"{system.size[0]}x{system.size[1]}"
    return f"such as {own}" if system.any_size else f"and {system.name} makes {own} alone"


def largest_of(system: System) -> int:
    """Pixels: the longest side of its pictures; where a network has a table of positions, as far as that goes."""
    spec = system.members[-1].described.spec
    square = int(spec.codec.get("factor", 1)) * int(spec.net.get("patch", 1))
    return min(LARGEST, square * int(spec.net.get("positions", LARGEST)))


def step_of(system: System) -> int:
    """Pixels: what the sizes of its pictures are divisible by: whole squares of a state that is read in such."""
    spec = system.members[-1].described.spec
    return math.lcm(STEP, int(spec.codec.get("factor", 1)) * int(spec.net.get("patch", 1)))
