"""What ``verify`` says of the registry of near-copies: which registered picture one is like, where no credential is."""

from __future__ import annotations

from mezzotint.errors import MezzotintError
from mezzotint.pictures.png import Pixels

MEANS = {
    "output": "left here as asset {name}",
    "protected": "is protected here as {name}",
    "training": "was learnt from, {name}",
}


def alike(pixels: Pixels) -> tuple[str, str]:
    """(state, text) of the nearest of all registered pictures; it proves nothing: two plain products are alike too.

    state: none (nothing registered), apart, copy, could-not-check.
    """
    from mezzotint.governance.safety.output.copies import registry

    try:
        known = registry.registered(registry.place())
    except MezzotintError as error:
        return "could-not-check", f"not looked for: {error}"
    if not known.entries:
        return "none", "no registry of pictures here to look in (`mezzotint protect`, and `outputs` of the policy)"
    from mezzotint.governance.safety.output.copies.check import likest
    from mezzotint.governance.safety.output.copies.match import NEAR
    from mezzotint.governance.safety.output.copies.sign import signed

    number, score = likest(signed(pixels), known)
    if score < NEAR:
        return "apart", f"like none of {len(known.entries)} registered pictures: the nearest is {score:.2f} of 1"
    entry = known.entries[number]
    said = MEANS[entry.kind].format(name=entry.name)
    return "copy", f"as good as the picture that {said} ({score:.2f} of 1); alike pictures of two makers are so too"
