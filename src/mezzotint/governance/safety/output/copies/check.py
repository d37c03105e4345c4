"""The check of near-copies: the nearest of all that is registered, by what it shows and by its PDQ hash."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mezzotint.files import sha256
from mezzotint.governance.safety.output.copies.match import nearest
from mezzotint.governance.safety.output.copies.pdq import NEAR as PDQ_NEAR
from mezzotint.governance.safety.output.copies.pdq import apart
from mezzotint.governance.safety.output.copies.registry import Registered
from mezzotint.governance.safety.output.copies.sign import Signature, signed
from mezzotint.governance.safety.output.policy import OutputPolicy, led_to
from mezzotint.governance.safety.output.verdict import Found, finding
from mezzotint.pictures.png import Pixels


@dataclass(frozen=True, eq=False)
class Copies:
    """registered: of all kinds that the policy asks about."""

    registered: Registered
    policy: OutputPolicy

    name = "copies"

    def __call__(self, pixels: Pixels) -> Found:
        known = self.registered.without(sha256(pixels.tobytes()))
        if not known.entries:
            return Found(unchecked={self.name: "nothing-registered"})
        number, score = likest(signed(pixels), known)
        if score < self.policy.similarity:
            return Found((), {"nearest": score})
        entry = known.entries[number]
        leads = self.policy.outputs if entry.kind == "output" else self.policy.copies
        one = finding("copy", entry.kind, self.name, led_to(leads), score)
        return Found((replace(one, term=entry.name),), {"nearest": score})


def likest(query: Signature, known: Registered) -> tuple[int, float]:
    """(entry, similarity 0 ... 1) of what is nearest; (-1, 0.0) where nothing is near."""
    found = nearest(query, known.vectors, [one.signature for one in known.entries])
    return max(found, _by_hash(query, known), key=lambda one: one[1])


def _by_hash(query: Signature, known: Registered) -> tuple[int, float]:
    """By PDQ, the picture or its mirror image: 1 - d/256 where that is within its authors' bound."""
    if not known.hashed or not query.pdq:
        return -1, 0.0
    bits = np.minimum(apart(query.pdq, known.pdqs), apart(query.mirrored, known.pdqs))
    best = int(bits.argmin())
    return (known.hashed[best], 1 - int(bits[best]) / 256) if bits[best] <= PDQ_NEAR else (-1, 0.0)
