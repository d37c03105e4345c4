"""One batch made: the one function that turns wishes into pictures, whichever engine runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mezzotint.catalog.plan.prepared import Prepared
from mezzotint.making.heeded import Checks
from mezzotint.making.image import Image, Progress
from mezzotint.making.job import Wanted

Make = Callable[[Prepared, tuple[Wanted, ...], Checks], Iterator[Progress | Image]]
"""``make``, or another that does the same."""


def make(ready: Prepared, wanted: tuple[Wanted, ...], checks: Checks) -> Iterator[Progress | Image]:
    """Its steps, then the pictures in their order, a locked product in each.

    Rows that are not there are padding: a picture's bits are its own, whoever is beside it.
    checks: what the prompt gate said of each prompt.   No gate has seen them: whoever asks for them looks.
    Raises NonFiniteError, and whatever making raises.
    """
    from mezzotint.making.run import unreleased

    for event in unreleased(ready.of(wanted, checks)):
        yield ready.product.applied(event) if isinstance(event, Image) and ready.product is not None else event
