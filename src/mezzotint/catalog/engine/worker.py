"""A worker: takes a batch, makes it, settles it, takes the next; any number of them share a run by its ledger.

Money is set aside in the book before a batch begins. While it is made, more is set aside before it is needed; where
that cannot be, the batch is left, so that every cap holds to a step of the network or the checks of a picture.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from mezzotint.catalog.engine.gates import Look, Prompts, Said, leaving, looked
from mezzotint.catalog.engine.make import Make, make
from mezzotint.catalog.engine.recipes import Recipes
from mezzotint.catalog.engine.saved import Saved, found, quarantine, save
from mezzotint.catalog.ledger.connect import Database
from mezzotint.catalog.ledger.leases import (
    BEAT_SECONDS,
    Lease,
    Outcome,
    Wish,
    beat,
    fail,
    finish,
    give_back,
    lease,
)
from mezzotint.catalog.ledger.owner import owner
from mezzotint.catalog.ledger.runs import Run
from mezzotint.catalog.plan.prepared import Prepared
from mezzotint.catalog.product.fidelity import Limits, fidelity, numbers
from mezzotint.catalog.store import Store
from mezzotint.costs.till import Till
from mezzotint.errors import (
    GateError,
    GenerationFailedError,
    InputError,
    LedgerError,
    LicenceUnknownError,
    MezzotintError,
    ProvenanceError,
    StorageError,
    UsageError,
)
from mezzotint.governance.provenance.release import Release
from mezzotint.governance.provenance.release import photo as photo_of
from mezzotint.making.again import retried
from mezzotint.making.image import Image
from mezzotint.making.job import Wanted

TRIES, FIRST_PAUSE, LONGEST_PAUSE = 5, 0.5, 60.0
"""Of a batch before it is parked; seconds until it is tried again, doubled each time, at most so many."""

POLL_SECONDS = 0.5
AHEAD = 2.0
"""How many of the longest steps are paid for before the next begins."""

FIRST = 1.0
"""Seconds that are set aside where nothing is known yet of what a batch takes."""


class OverBudgetError(Exception):
    """A batch cannot be paid to its end.   needed: seconds of it at least.  Never leaves this module."""

    def __init__(self, needed: float) -> None:
        super().__init__(needed)
        self.needed = needed


class LostError(Exception):
    """Another worker has the batch.  Never leaves this module."""


@dataclass(frozen=True)
class Shot:
    """Pictures that are computed together."""

    pictures: tuple[Wanted, ...]


OURS = (OverBudgetError, LostError)
OUTSIDE = (StorageError, ProvenanceError, LedgerError)
"""What no asset is to blame for."""

Told = Callable[[int, int], None]
"""(number of a batch, steps of it so far), at every step; what it raises ends the worker, its batch waits again."""


def silent(batch: int, steps: int) -> None:
    """Nobody is told."""


@dataclass
class Worker:
    """money: what it spends from, None where time has no price.   make: the engine's function.   look: the gate of
    pictures.   clock: what money goes by; wall: of leases.   least: seconds that are set aside for any batch."""

    db: Database
    run: Run
    recipes: Recipes
    store: Store
    release: Release
    prompts: Prompts
    look: Look
    money: Till | None = None
    make: Make = make
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep
    told: Told = silent
    name: str = field(default_factory=owner)
    least: float = FIRST

    def work(self) -> str:
        """Until nothing is left, or may be made.   Returns: done | over_budget | cancelled.

        Raises StorageError and others of its outputs and its ledger, which end it; the run goes on with another.
        """
        while True:
            held = lease(self.db, self.run.id, self.name, self.wall(), self._affords)
            if isinstance(held, Lease):
                self._batch(held)
            elif held in ("busy", "paused"):
                self.pause(POLL_SECONDS)
            else:
                return held

    def _affords(self, seconds: float) -> bool:
        """Whether a batch may begin that is thought to take so many seconds."""
        return self.covers(max(seconds, self.least))

    def covers(self, seconds: float, used: float = 0.0) -> bool:
        """Whether the batch at hand may take so many seconds."""
        return self.money is None or self.money.covers(seconds, used)

    def _took(self, began: float, outcomes: Sequence[Outcome] = ()) -> float:
        """The seconds of a batch, which are paid now."""
        seconds = self.clock() - began
        if self.money is not None:
            self.money.settle(seconds, sum(one.made is not None for one in outcomes))
        return seconds

    def _batch(self, held: Lease) -> None:
        """Makes, settles; a failure is noted, and the run goes on."""
        began = self.clock()
        try:
            outcomes = self._outcomes(held, Meter(self, held, began))
        except OverBudgetError as error:
            self.least = max(self.least, error.needed)
            give_back(self.db, held, self._took(began), error.needed)
        except LostError:
            self._took(began)
        except Exception as error:  # a failing row never stops the run; its outputs and its ledger do
            self._failed(held, error, self._took(began))
            if isinstance(error, OUTSIDE) and held.tries + 1 >= TRIES:
                raise
        except BaseException:
            give_back(self.db, held, self._took(began))
            raise
        else:
            finish(self.db, held, outcomes, self._took(began, outcomes))

    def _failed(self, held: Lease, error: Exception, seconds: float) -> None:
        """Passing troubles are tried again after a while; what no try would change is parked at once."""
        outside = isinstance(error, OUTSIDE)
        for_good = not outside and (isinstance(error, MezzotintError) or held.tries + 1 >= TRIES)
        again = None if for_good else self.wall() + min(FIRST_PAUSE * 2**held.tries, LONGEST_PAUSE)
        fail(self.db, held, _said(error), seconds, again, _state(error))

    def _outcomes(self, held: Lease, meter: Meter) -> list[Outcome]:
        ready, outcomes = self.recipes[held.recipe], list[Outcome]()
        meter.step()
        there = {wish.id: saved for wish in held.wishes if (saved := found(self.store, wish)) is not None}
        outcomes += [self._done(wish, there[wish.id], 0.0, ready) for wish in held.wishes if wish.id in there]
        wanted = dict(self._allowed(held, there, ready, outcomes))
        if not wanted:
            return outcomes
        try:
            images = self._made(held, ready, wanted, meter)
        except Exception as error:
            passing = not isinstance(error, MezzotintError) and held.tries + 1 < TRIES
            if len(wanted) == 1 or passing or isinstance(error, (*OUTSIDE, *OURS)):
                raise
            images = self._alone(held, ready, wanted, meter, outcomes)
        seconds = meter.used / max(1, len(images))
        for wish, image in images:
            meter.step()
            outcomes.append(self._kept(wish, image, seconds, ready))
        return outcomes

    def _allowed(
        self, held: Lease, there: dict[str, Saved], ready: Prepared, outcomes: list[Outcome]
    ) -> Iterator[tuple[Wish, tuple[Wanted, Said]]]:
        """What may be made; of the others the outcome is noted."""
        asked = self.recipes.said[held.recipe][1].request(self.run.words, self.recipes.model)
        for wish in held.wishes:
            if wish.id in there:
                continue
            verdict = self.prompts(wish.prompt, asked)
            if verdict.state != "allowed":
                quarantine(self.store, wish, verdict.document)
                outcomes.append(Outcome(wish.id, verdict.state, {"gate": "prompt", "verdict": verdict.document}))
                continue
            try:
                yield wish, (ready.wanted(wish.prompt, wish.seed), verdict)
            except (UsageError, InputError) as error:
                outcomes.append(Outcome(wish.id, "parked", {"error": _said(error)}))

    def _made(
        self, held: Lease, ready: Prepared, wanted: dict[Wish, tuple[Wanted, Said]], meter: Meter
    ) -> list[tuple[Wish, Image | Said]]:
        """The pictures of a batch as they leave, or what keeps them; empty ones are made once more, as ``generate``
        does.   Raises OverBudgetError, LostError, what making raises."""
        shot = Shot(tuple(one for one, _ in wanted.values()))
        checks = {one.prompt: said.document for one, said in wanted.values()}
        way, images, steps = ready.leaving(partial(looked, look=self.look)), list[Image | Said](), 0
        for event in retried(shot, lambda one: leaving(self.make(ready, one.pictures, checks), way), Said):
            if isinstance(event, Image | Said):
                images.append(event)
            else:
                steps += 1
                self.told(held.number, steps)
                meter.step()
        return list(zip(wanted, images, strict=True))

    def _alone(
        self,
        held: Lease,
        ready: Prepared,
        wanted: dict[Wish, tuple[Wanted, Said]],
        meter: Meter,
        outcomes: list[Outcome],
    ) -> list[tuple[Wish, Image | Said]]:
        """Each by itself, in the same shape, so that one that cannot be made keeps no other from it."""
        images = list[tuple[Wish, Image | Said]]()
        for wish, one in wanted.items():
            try:
                images += self._made(held, ready, {wish: one}, meter)
            except (*OUTSIDE, *OURS):
                raise
            except Exception as error:
                outcomes.append(Outcome(wish.id, "parked", {"error": _said(error)}))
        return images

    def _kept(self, wish: Wish, found: Image | Said, seconds: float, ready: Prepared) -> Outcome:
        """A picture on its way into the catalog; where a gate does not let it pass, its verdict into quarantine."""
        if isinstance(found, Said) and found.state == "parked":
            return Outcome(wish.id, "parked", found.document)
        if isinstance(found, Said):
            quarantine(self.store, wish, found.document, found.sealed)
            return Outcome(wish.id, found.state, {"gate": "picture", "verdict": found.document})
        product = ready.product
        release = self.release if product is None else self._with_photo(ready)
        outcome = self._done(wish, save(self.store, release, wish, found, product), seconds, ready)
        return replace(outcome, detail={**outcome.detail, **_faithful(ready, found)})

    def _with_photo(self, ready: Prepared) -> Release:
        """The credential names the photograph."""
        assert ready.product is not None
        if self.release.signer is None:
            return self.release
        return replace(self.release, photos=(photo_of(ready.product.photo),))

    def _done(self, wish: Wish, saved: Saved, seconds: float, ready: Prepared) -> Outcome:
        detail: dict[str, Any] = {"file": saved.file, "receipt": saved.receipt, "seconds": round(seconds, 4)}
        if ready.product is not None:
            product = ready.product
            detail |= {"locked": product.said["locked"], "mask": product.found}
            detail |= (
                {"review": f"the mask was cut out and is unsure: {product.confidence:.2f}"} if product.unsure else {}
            )
        row = {
            "id": wish.id,
            "run": self.run.id,
            "receipt": saved.receipt,
            "pixels_sha256": saved.pixels_sha256,
            "file": saved.file,
            "seconds": seconds,
            "created": self.wall(),
        }
        return Outcome(wish.id, "done", detail, row)


@dataclass
class Meter:
    """What a batch costs while it is made: the next steps are paid for before they begin."""

    worker: Worker
    held: Lease
    began: float
    _last: float = field(init=False)
    _longest: float = 0.0
    _heard: float = field(init=False)

    def __post_init__(self) -> None:
        self._last = self._heard = self.worker.clock()

    @property
    def used(self) -> float:
        """Seconds so far."""
        return self.worker.clock() - self.began

    def step(self) -> None:
        """After each step.  Raises OverBudgetError where the next cannot be paid, LostError."""
        now = self.worker.clock()
        self._longest, self._last = max(self._longest, now - self._last), now
        used, needed = now - self.began, now - self.began + AHEAD * self._longest
        if not self.worker.covers(needed, used):
            raise OverBudgetError(needed)
        if now - self._heard < BEAT_SECONDS:
            return
        self._heard = now
        if self.worker.money is not None:
            self.worker.money.note(used)
        if not beat(self.worker.db, self.held, used, self.worker.wall()):
            raise LostError


def _faithful(ready: Prepared, image: Image) -> dict[str, Any]:
    """What the fidelity gate says of a product that was made anew; nothing where there is none to compare with."""
    product = ready.compared
    if product is None or image.pixels.shape != product.pixels.shape or image.pixels.shape[2] != 3:
        return {}
    found = fidelity(product.pixels, product.alpha, image.pixels)
    failed = Limits().failed(found)
    review = {"review": f"the product differs from its photograph: {', '.join(failed)}"} if failed else {}
    return {"fidelity": numbers(found), **review}


def _state(error: Exception) -> str:
    """What becomes of the assets of a batch that fails for good: gates refuse, the rest is parked."""
    if isinstance(error, GenerationFailedError):
        return "parked"
    if isinstance(error, GateError | LicenceUnknownError):
        return "unchecked"
    return "blocked" if isinstance(error, MezzotintError) and error.exit_code == 4 else "parked"


def _said(error: BaseException) -> str:
    """One line."""
    text = str(error) if isinstance(error, MezzotintError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:500]
