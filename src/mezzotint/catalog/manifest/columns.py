"""The columns that mean something, and what their cells may say.  All others are free: templates name them."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mezzotint.catalog.manifest.problem import WrongError, nearest
from mezzotint.catalog.product.backdrop import backdrop_of as parse_backdrop
from mezzotint.catalog.product.colour import colour_of as parse_colour
from mezzotint.errors import UsageError
from mezzotint.making.sizes import parse_size

MAX_SKU, MAX_PROMPT, MAX_VARIANTS = 100, 4000, 1000
MAX_SEED = 2**63 - 1
YES, NO = ("yes", "true", "1", "y"), ("no", "false", "0", "n")
UNFIT = '/\\:*?"<>|'
"""What file systems do not let names have."""


@dataclass(frozen=True)
class Column:
    """about: for the documentation.   template: whether its cells name others in braces.   factor: whether a factor may
    fill it in."""

    about: str
    template: bool = False
    factor: bool = False


KNOWN: Mapping[str, Column] = {
    "sku": Column("the product's number, once in the manifest"),
    "prompt": Column("what to make; names other columns and factors in braces", template=True),
    "negative_prompt": Column("what to steer away from", template=True, factor=True),
    "image": Column("a photograph to begin from; a file in the manifest's folder", template=True),
    "mask": Column(
        "where the product is in it, white; without one: key, alpha, plain background, or guessed", template=True
    ),
    "key": Column("the colour behind the product in it, a name or #rrggbb: what is near that is cut away"),
    "lock": Column("yes: the product's pixels stay those of the photograph, to the bit"),
    "backdrop": Column(
        "a colour, or two as in light grey to white: a locked product is laid on it and no network is called",
        template=True,
        factor=True,
    ),
    "adapter": Column("a LoRA file to put on, FILE or FILE:WEIGHT", factor=True),
    "size": Column("WxH in pixels", factor=True),
    "scale": Column("guidance; 1 is off", factor=True),
    "seed": Column("of the noise, 0 to 2^63 - 1; without one: a hash of the run's seed, SKU and variant"),
    "variants": Column("how many, 1 to 1000; without one: as the brief says"),
}
REQUIRED = ("sku", "prompt")


def sku_of(text: str) -> str:
    """A SKU that can be a folder's name, on any system.  Raises WrongError."""
    if not text:
        raise WrongError("is empty; expected the product's number")
    unfit = {c for c in text if c in UNFIT or unicodedata.category(c).startswith("C")}
    if unfit or text.strip(". ") != text or len(text) > MAX_SKU:
        clean = "".join("-" if c in unfit else c for c in text).replace("..", "").strip(". -")[:MAX_SKU]
        raise WrongError(
            f"cannot name a folder; expected at most {MAX_SKU} letters, none of {UNFIT}, no dot at the ends",
            clean or None,
        )
    return text


def seed_of(text: str) -> int | None:
    """Raises WrongError."""
    return None if not text else _whole(text, 0, MAX_SEED)


def variants_of(text: str) -> int | None:
    """Raises WrongError."""
    return None if not text else _whole(text, 1, MAX_VARIANTS)


def _whole(text: str, least: int, most: int) -> int:
    try:
        value = int(text)
    except ValueError:
        raise WrongError(f"is no whole number; expected {least} to {most}") from None
    if not least <= value <= most:
        raise WrongError(f"is out of range; expected {least} to {most}", str(min(max(value, least), most)))
    return value


def lock_of(text: str) -> bool:
    """Raises WrongError."""
    said = text.casefold()
    if said and said not in (*YES, *NO):
        raise WrongError("is neither yes nor no", nearest(said, ("yes", "no")) or "no")
    return said in YES


def colour_of(text: str) -> str:
    """A colour's name or number.  Raises WrongError."""
    return _parsed(text, parse_colour)


def backdrop_of(text: str) -> str:
    """One of no network.  Raises WrongError."""
    return _parsed(text, parse_backdrop)


def _parsed(text: str, parse: Callable[[str], object]) -> str:
    try:
        if text:
            parse(text)
    except UsageError as error:
        raise WrongError(f"is no colour; {str(error).partition('; ')[2]}") from None
    return text


def scale_of(text: str) -> float | None:
    """Raises WrongError."""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise WrongError("is no number; expected guidance, such as 2; 1 is off") from None
    if not math.isfinite(value):
        raise WrongError("is not finite; expected guidance, such as 2; 1 is off")
    return value


def size_of(text: str) -> tuple[int, int] | None:
    """(width, height).  Raises WrongError."""
    try:
        return parse_size(text) if text else None
    except UsageError:
        digits = [part for part in "".join(c if c.isdecimal() else " " for c in text).split() if int(part)]
        near = f"{digits[0]}x{digits[1 if len(digits) > 1 else 0]}" if digits else None
        raise WrongError("is no size; expected WxH in pixels", near) from None
