"""A photographing session: every product of a catalog into a folder, resumable, in short-lived child processes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Timer
from typing import Any

from mezzotint.errors import InputError
from mezzotint.files import read_bytes
from mezzotint.products.catalog import Product
from mezzotint.products.photographing import RECORD, record

PRODUCTS_A_CHILD = 10
SECONDS_A_CHILD = 1800.0
MAX_RECORD_BYTES = 1 << 20


@dataclass(frozen=True)
class Order:
    """What to photograph: n pictures of size x size pixels of each product of a catalog's folder, keyed by seed."""

    catalog: Path
    out: Path
    n: int
    size: int
    seed: int


@dataclass(frozen=True)
class Done:
    """One product finished: its id, and why it was skipped, or ""."""

    id: str
    skipped: str


def records(out: Path) -> dict[str, dict[str, Any]]:
    """Id -> record of every product that a session has finished.  Raises InputError for a damaged one."""
    found = {}
    for path in sorted(out.glob(f"*/{RECORD}")):
        try:
            found[path.parent.name] = json.loads(read_bytes(path, MAX_RECORD_BYTES))
        except ValueError as error:
            raise InputError(f"{path} is damaged; delete it and photograph again") from error
    return found


def left(order: Order, products: Sequence[Product]) -> list[Product]:
    """The products still to do.  Raises InputError where the folder was made with another n, size or seed."""
    known = records(order.out)
    for name, made in known.items():
        if "skipped" not in made and (len(made["shots"]), made["size"], made["seed"]) != (
            order.n,
            order.size,
            order.seed,
        ):
            raise InputError(
                f"{order.out} holds pictures of another order ({name}: {len(made['shots'])} of {made['size']} px,"
                f" seed {made['seed']}); choose another --out"
            )
    return [p for p in products if p.id not in known]


def session(order: Order, products: Sequence[Product], workers: int) -> Iterator[Done]:
    """Photographs what is left, ``workers`` children at a time; one ``Done`` a product, in the order they end.

    A product on which a child dies is named, recorded as skipped, and the others go on.  Left early (Ctrl-C), the
    children are ended, and the products they were at are begun again next time.
    """
    rest = left(order, products)
    parts = [rest[i : i + PRODUCTS_A_CHILD] for i in range(0, len(rest), PRODUCTS_A_CHILD)]
    crew = _Crew(order)
    with ThreadPoolExecutor(workers) as pool:
        try:
            for future in as_completed([pool.submit(crew.part, part) for part in parts]):
                yield from future.result()
        finally:
            crew.stop()
            pool.shutdown(wait=False, cancel_futures=True)


class _Crew:
    """The children at work on one order."""

    def __init__(self, order: Order) -> None:
        self._order, self._stopping = order, Event()
        self._children: set[subprocess.Popen[str]] = set()

    def stop(self) -> None:
        """Ends every child; what they were at is left as it is."""
        self._stopping.set()
        for child in tuple(self._children):
            child.kill()

    def part(self, part: Sequence[Product]) -> list[Done]:
        """Some products, in as many children as it takes."""
        out, by_id = self._order.out, {p.id: p for p in part}
        while rest := [name for name in by_id if not (out / name / RECORD).is_file()]:
            died = self._child(rest)
            if self._stopping.is_set():
                return []
            if died is not None:
                name, why = died
                record(by_id[name], out / name, {"skipped": why})
        made = {name: json.loads(read_bytes(out / name / RECORD, MAX_RECORD_BYTES)) for name in by_id}
        return [Done(name, made[name].get("skipped", "")) for name in by_id]

    def _child(self, ids: list[str]) -> tuple[str, str] | None:
        """Runs a child; None when it did all, else the product it died on and how."""
        order = self._order
        said: dict[str, Any] = {"catalog": str(order.catalog), "out": str(order.out), "ids": ids}
        said |= {"n": order.n, "size": order.size, "seed": order.seed}
        child = subprocess.Popen(
            [sys.executable, "-m", "mezzotint.products.photographing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is the parent's to handle
        )
        self._children.add(child)
        timer = Timer(SECONDS_A_CHILD, child.kill)
        timer.start()
        try:
            answer, errors = child.communicate(json.dumps(said))
        finally:
            timer.cancel()
            self._children.discard(child)
        if child.returncode == 0 or self._stopping.is_set():
            return None
        begun = _begun(answer)
        if begun is None:
            raise InputError(f"photographing cannot begin: {(errors.strip().splitlines() or ['no message'])[-1]}")
        return begun, f"rendering died (exit code {child.returncode})"


def _begun(answer: str) -> str | None:
    """The product that a child was at when it ended."""
    name = None
    for line in answer.splitlines():
        with suppress(ValueError):
            name = json.loads(line).get("begun", name)
    return name
