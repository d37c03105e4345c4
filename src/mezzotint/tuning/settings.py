"""How an adapter is learnt, as people say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mezzotint.diffusion.philox import check_seed
from mezzotint.errors import UsageError, unknown
from mezzotint.nets.adapters.begun import OFT, Begin, DoRA, Full, LoHa, LoKr, LoRA, PiSSA

MOST_RANK = 1024
MOST_PRIOR = 1e6
UNSCALED = ("pissa", "full")
"""Methods that have no alpha."""

WITHOUT_B = ("lokr", "loha", "full")
"""Methods whose tensors are not A and B."""


def _root(rank: int, alpha: float | None) -> LoRA:
    """Rank-stabilised: (alpha / sqrt rank) B A, said as (alpha sqrt rank / rank) B A."""
    return LoRA(rank, (rank if alpha is None else alpha) * rank**0.5)


METHODS: Mapping[str, Callable[[int, float | None], Begin]] = {
    "lora": LoRA,
    "rslora": _root,
    "dora": lambda rank, alpha: DoRA(LoRA(rank, alpha)),
    "pissa": lambda rank, alpha: PiSSA(rank),
    "lokr": LoKr,
    "loha": LoHa,
    "oft": lambda rank, alpha: OFT(rank),
    "full": lambda rank, alpha: Full(),
}


@dataclass(frozen=True)
class Method:
    """What is learnt.

    name: of METHODS.  rank: of its matrices, the size of OFT's blocks; "full" has none.  alpha: None is the rank.
    faster: how many times faster B is learnt than A (Hayou et al., 2024, LoRA+, sec. 4); 1 is plain.
    targets: a regular expression of layers' paths; None is the usual ones (``pretrained.tunable.paths``).
    """

    name: str = "lora"
    rank: int = 16
    alpha: float | None = None
    faster: float = 1.0
    targets: str | None = None

    def __post_init__(self) -> None:
        if self.name not in METHODS:
            raise unknown("method", self.name, METHODS)
        if not 1 <= self.rank <= MOST_RANK:
            raise UsageError(f"rank is {self.rank}; expected 1 to {MOST_RANK}")
        if self.alpha is not None and not 0 < self.alpha < 1e6:
            raise UsageError(f"alpha is {self.alpha:g}; expected above 0")
        if not 1 <= self.faster <= 1000:
            raise UsageError(f"LoRA+ rate is {self.faster:g} times; expected 1 to 1000")
        if self.alpha is not None and self.name in UNSCALED:
            raise UsageError(f"alpha has no effect on {self.name}; leave it out")
        if self.faster != 1 and self.name in WITHOUT_B:
            raise UsageError(f"LoRA+ has no effect on {self.name}, which has no B; leave it out")

    @property
    def begin(self) -> Begin:
        return METHODS[self.name](self.rank, self.alpha)


@dataclass(frozen=True)
class Settings:
    """How it is learnt.

    steps: updates.  batch: rows of each.  rate: of learning.  share: of rows that keep the base as it is.
    prior: how much those count.  outside: how much what is outside the mask counts.  moments: how many points of the
    run are candidates.  seed: of everything that is drawn.
    """

    method: Method = field(default_factory=Method)
    steps: int = 600
    batch: int = 16
    rate: float = 1e-3
    share: float = 0.25
    prior: float = 1.0
    outside: float = 0.2
    moments: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        if not (1 <= self.steps <= 1_000_000 and 1 <= self.batch <= 4096 and 1 <= self.moments <= 64):
            raise UsageError(f"steps {self.steps}, batch {self.batch}, moments {self.moments}; expected each 1 or more")
        if self.moments > self.steps:
            raise UsageError(f"{self.moments} moments of {self.steps} steps; expected no more than steps")
        check_seed(self.seed)
        if not 0 < self.rate <= 1:
            raise UsageError(f"rate is {self.rate:g}; expected above 0 and at most 1")
        if not (0 <= self.share < 1 and 0 <= self.prior <= MOST_PRIOR and 0 <= self.outside <= 1):
            raise UsageError(
                f"share {self.share:g}, prior {self.prior:g}, outside {self.outside:g}; expected 0 <= share < 1,"
                f" prior from 0 to {MOST_PRIOR:g}, and outside from 0 to 1"
            )
