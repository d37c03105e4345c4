"""The words of a run, which hold for all of its assets, and what a row says over them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.catalog.ladder import Bounds
from mezzotint.catalog.variants.expand import Asset
from mezzotint.config import DEFAULT_MODEL
from mezzotint.making.request import Request, Sampling, of_words

if TYPE_CHECKING:
    from mezzotint.pretrained.model import Model


BATCH = 16
"""Rows of a batch, where nobody says."""


@dataclass(frozen=True)
class Words:
    """Those of ``Request``, by its names.   batch: rows of a batch, at most.   seed: the run's."""

    model: str = DEFAULT_MODEL
    batch: int = BATCH
    seed: int = 0
    strength: float | None = None
    use: str | None = None
    licence_mode: str | None = None
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def table(self) -> dict[str, Any]:
        """As JSON, flat."""
        table = asdict(self)
        return {**table.pop("sampling"), **table}


def words_of(table: dict[str, Any]) -> Words:
    """The inverse; words that were not known yet when it was written are as nobody says them."""
    known = {one.name for kind in (Words, Sampling) for one in fields(kind)} - {"sampling"}
    return of_words(Words, {name: value for name, value in table.items() if name in known})


@dataclass(frozen=True)
class Recipe:
    """What assets of one batch share beside the words.   size: "WxH", "" is the model's.   image, mask: paths or "".
    key: the colour behind a photograph's product.   backdrop: that it is laid on, without a network, else "".
    candidates: where a bound leaves fewer, and of a photograph; else None."""

    adapter: str = ""
    negative_prompt: str = ""
    size: str = ""
    scale: float | None = None
    image: str = ""
    mask: str = ""
    lock: bool = False
    steps: int | None = None
    key: str = ""
    backdrop: str = ""
    candidates: int | None = None

    def request(self, words: Words, model: str | Model) -> Request:
        """The words of ``generate``; a lock's mask is made from what its row says (``catalog.product``)."""
        said = words.sampling
        return replace(
            of_words(Request, {**words.table, "prompt": "", "model": model, "batch": None, "seed": 0}),
            negative_prompt=self.negative_prompt,
            sampling=replace(
                said,
                steps=said.steps if self.steps is None else self.steps,
                scale=said.scale if self.scale is None else self.scale,
                candidates=said.candidates if self.candidates is None else self.candidates,
            ),
            size=self.size or None,
            lora=(self.adapter,) if self.adapter else (),
            image=Path(self.image) if self.image else None,
            mask=Path(self.mask) if self.mask and not self.lock else None,
            strength=words.strength if self.image else None,
        )


@dataclass(frozen=True)
class Usual:
    """What a run's words and its model's preset come to.   edited: candidates of what begins from a photograph."""

    steps: int
    candidates: int = 1
    edited: int = 1


def _fewer(bound: int | None, usual: int) -> int | None:
    """The bound where it leaves fewer, else None."""
    return None if bound is None or bound >= usual else bound


def recipe_of(asset: Asset, bounds: Bounds, usual: Usual) -> Recipe:
    """Of an asset.   What bounds leave as it is stays None; candidates of a photograph are said, for calls are counted
    without it."""
    row, size = asset.row, None if asset.size is None else bounds.smaller(asset.size)
    told = not asset.backdrop  # where something is laid on, nothing that a network is told changes it
    return Recipe(
        adapter=asset.adapter if told else "",
        negative_prompt=asset.negative_prompt if told else "",
        size="" if size is None else f"{size[0]}x{size[1]}",
        scale=asset.scale if told else None,
        image="" if row.image is None else str(row.image),
        mask="" if row.mask is None else str(row.mask),
        lock=row.lock,
        steps=_fewer(bounds.steps, usual.steps) if told else None,
        key=row.key,
        backdrop=asset.backdrop,
        candidates=_candidates(asset, bounds, usual),
    )


def _candidates(asset: Asset, bounds: Bounds, usual: Usual) -> int | None:
    if asset.backdrop:
        return None
    if asset.row.image is None:
        return _fewer(bounds.candidates, usual.candidates)
    if usual.candidates == 1:
        return None
    return usual.edited if bounds.candidates is None else min(usual.edited, bounds.candidates)
