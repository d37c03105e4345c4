"""How an adapter is learnt, as people say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mezzotint.diffusion.philox import check_seed
from mezzotint.errors import UsageError, unknown
from mezzotint.nets.adapters.begun import OFT, Begin, DoRA, Full, LoHa, LoKr, LoRA, PiSSA, TLoRA
from mezzotint.nets.adapters.falling import check_least

MOST_RANK = 1024
MOST_PRIOR = 1e6
FALLING, INVERSION = "tlora", "textual-inversion"
"""The method whose rank falls with noise; that which learns a word's vectors and changes no layer."""

UNSCALED = ("pissa", "full", INVERSION)
"""Methods that have no alpha."""

LARGE = 100_000_000
"""Numbers of a base from which on it is a large one."""

SMALL_S, LARGE_S = 4e-3, 1e-4
"""Usual rates of adapters on small bases, as tried on ours, and on large ones, as the field's scripts have them."""

WORD_S = 5e-3
"""Usual rate of a word's vectors."""

EVERY_WEIGHT = 0.1
"""How many times an adapter's usual rate is that of every weight, which moves more in a step than thin matrices do."""

WITHOUT_B = ("lokr", "loha", "full", INVERSION)
"""Methods whose tensors are not A and B."""


def _root(rank: int, alpha: float | None) -> LoRA:
    """Rank-stabilised: (alpha / sqrt rank) B A, said as (alpha sqrt rank / rank) B A."""
    return LoRA(rank, (rank if alpha is None else alpha) * rank**0.5)


METHODS: Mapping[str, Callable[[int, float | None], Begin]] = {
    "lora": LoRA,
    "rslora": _root,
    FALLING: LoRA,
    "dora": lambda rank, alpha: DoRA(LoRA(rank, alpha)),
    "pissa": lambda rank, alpha: PiSSA(rank),
    "lokr": LoKr,
    "loha": LoHa,
    "oft": lambda rank, alpha: OFT(rank),
    "full": lambda rank, alpha: Full(),
}


NAMES = (*METHODS, INVERSION)
MOST_VECTORS = 32


@dataclass(frozen=True)
class Method:
    """What is learnt.

    name: of NAMES.  rank: of its matrices, the size of OFT's blocks; "full" has none.  alpha: None is the rank.
    faster: how many times faster B is learnt than A (Hayou et al., 2024, LoRA+, sec. 4); 1 is plain.
    targets: a regular expression of layers' paths; None is the usual ones (``pretrained.tunable.paths``).
    rank_at_noise: of "tlora", the rank that acts at full noise; None is half of it.
    text: how many times as fast as the network its text encoders learn, adapters on their attention; 0 leaves them.
    vectors: of "textual-inversion", in the place of how many tokens the word stands.  initial: the word that it means
    at the start; "" is what it is one of.
    """

    name: str = "lora"
    rank: int = 16
    alpha: float | None = None
    faster: float = 1.0
    targets: str | None = None
    rank_at_noise: int | None = None
    text: float = 0.0
    vectors: int = 1
    initial: str = ""

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise unknown("method", self.name, NAMES)
        self._check_numbers()
        self._check_word()

    def _check_numbers(self) -> None:
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
        if self.rank_at_noise is not None and self.name != FALLING:
            raise UsageError(f"rank at noise has no effect on {self.name}; leave it out, or choose {FALLING}")
        check_least(self.least or 0, self.rank)

    def _check_word(self) -> None:
        if not 0 <= self.text <= 1000:
            raise UsageError(f"text encoder learns {self.text:g} times as fast; expected 0 to 1000")
        if not 1 <= self.vectors <= MOST_VECTORS:
            raise UsageError(f"{self.vectors} vectors for a word; expected 1 to {MOST_VECTORS}")
        if self.inverts and (self.text or self.targets is not None):
            raise UsageError(f"{INVERSION} changes no layer; leave --text-encoder and --targets out")
        if not self.inverts and (self.vectors != 1 or self.initial):
            raise UsageError(f"--vectors and --initial are for {INVERSION}; leave them out of {self.name}")

    @property
    def inverts(self) -> bool:
        """Whether a word's vectors are learnt, and no layer is changed."""
        return self.name == INVERSION

    @property
    def reads(self) -> bool:
        """Whether text encoders are learnt on."""
        return self.inverts or self.text > 0

    @property
    def least(self) -> int | None:
        """The rank that acts at full noise; None where all of it does at every level."""
        if self.name != FALLING:
            return None
        return (self.rank + 1) // 2 if self.rank_at_noise is None else self.rank_at_noise

    @property
    def begin(self) -> Begin:
        made = METHODS[self.name](self.rank, self.alpha)
        return TLoRA(LoRA(self.rank, self.alpha), self.least) if self.least is not None else made

    @property
    def begin_text(self) -> Begin:
        """The same of a text encoder, which knows no noise."""
        return METHODS[self.name](self.rank, self.alpha)


def usual_rate(method: Method, numbers: int) -> float:
    """The rate of learning where nobody says, on a base of so many numbers."""
    if method.inverts:
        return WORD_S
    usual = SMALL_S if numbers < LARGE else LARGE_S
    return EVERY_WEIGHT * usual if method.name == "full" else usual


@dataclass(frozen=True)
class Settings:
    """How it is learnt.

    steps: updates.  batch: rows of each.  rate: of learning; None is ``usual_rate``.  share: of rows that keep the base
    as it is.  prior: how much those count.  outside: how much it counts what is behind a product where its text does
    not say so.  moments: how many points of the run are candidates.  seed: of everything that is drawn.
    """

    method: Method = field(default_factory=Method)
    steps: int = 160
    batch: int = 8
    rate: float | None = None
    share: float = 0.25
    prior: float = 4.0
    outside: float = 0.2
    moments: int = 2
    seed: int = 0

    @property
    def kept_share(self) -> float:
        """``share``, 0 of a word: all that does not say it stays as it is."""
        return 0.0 if self.method.inverts else self.share

    def __post_init__(self) -> None:
        if not (1 <= self.steps <= 1_000_000 and 1 <= self.batch <= 4096 and 1 <= self.moments <= 64):
            raise UsageError(f"steps {self.steps}, batch {self.batch}, moments {self.moments}; expected each 1 or more")
        if self.moments > self.steps:
            raise UsageError(f"{self.moments} moments of {self.steps} steps; expected no more than steps")
        check_seed(self.seed)
        if self.rate is not None and not 0 < self.rate <= 1:
            raise UsageError(f"rate is {self.rate:g}; expected above 0 and at most 1")
        if not (0 <= self.share < 1 and 0 <= self.prior <= MOST_PRIOR and 0 <= self.outside <= 1):
            raise UsageError(
                f"share {self.share:g}, prior {self.prior:g}, outside {self.outside:g}; expected 0 <= share < 1,"
                f" prior from 0 to {MOST_PRIOR:g}, and outside from 0 to 1"
            )
