"""One batch sampled: the one function that turns wishes into pictures, whichever engine runs it.

What becomes of each of them then is one function too, ``Prepared.leaving``: mark, product lock, gate, in that order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mezzotint.catalog.plan.prepared import Prepared
from mezzotint.making.heeded import Checks
from mezzotint.making.image import Image, Progress
from mezzotint.making.job import Wanted

Make = Callable[[Prepared, tuple[Wanted, ...], Checks], Iterator[Progress | Image]]
"""``make``, or another that does the same."""


def make(ready: Prepared, wanted: tuple[Wanted, ...], checks: Checks) -> Iterator[Progress | Image]:
    """Its steps, then the pictures in their order, as the sampler gives them.

    Rows that are not there are padding: a picture's bits are its own, whoever is beside it.
    checks: what the prompt gate said of each prompt.
    Raises NonFiniteError, and whatever making raises.
    """
    return ready.sampled(wanted, checks)
