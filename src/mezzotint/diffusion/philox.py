"""Philox bits and the normals made of them, in numpy alone: what draws noise also where torch is not.

Bits come from Philox4x64-10 (Salmon et al., 2011, Parallel Random Numbers: As Easy as 1, 2, 3); bits become normals by
``normal_from_bits``, which uses only IEEE-exact operations (+, -, x, /, sqrt), so every machine draws the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import UsageError

MAX_SEED = 2**63 - 1
Array = NDArray[np.float64]

# Wichura, 1988, Algorithm AS 241 (PPND16): rational approximations to the normal quantile, relative error about 1e-16.
_CENTRE = (
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
)  # fmt: skip
_MIDDLE = (
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
)  # fmt: skip
_TAIL = (
    (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
)  # fmt: skip


def _ratio(r: Array, table: tuple[tuple[float, ...], tuple[float, ...]]) -> Array:
    """The rational function with ascending coefficients (numerator, denominator), by Horner's rule."""
    top, bottom = np.full_like(r, table[0][-1]), np.full_like(r, table[1][-1])
    for a, b in zip(table[0][-2::-1], table[1][-2::-1], strict=True):
        top *= r
        top += a
        bottom *= r
        bottom += b
    out: Array = top / bottom
    return out


def _log(p: Array) -> Array:
    """Natural logarithm by IEEE-exact operations alone (libm's differs between machines): log m 2^e with m in
    [sqrt(1/2), sqrt 2).
    """
    m, e = np.frexp(p)
    low = m < math.sqrt(0.5)
    m = np.where(low, 2 * m, m)
    s = (m - 1) / (m + 1)
    s2 = s * s
    series = np.full_like(s, 1 / 25)
    for k in range(23, 0, -2):
        series = series * s2 + 1 / k
    out: Array = (e - low) * 0.6931471805599453 + 2 * s * series
    return out


def normal_from_bits(bits: NDArray[np.uint64]) -> Array:
    """Standard normals from 64-bit words, one each: the quantile function at u = (top 53 bits + 1/2) / 2^53.

    Exact operations only, so the result is the same to the bit on every IEEE machine; |z| < 8.3.
    Wichura, 1988, Algorithm AS 241: The Percentage Points of the Normal Distribution, Applied Statistics 37.
    """
    u = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    q = u - 0.5
    out: Array = q * _ratio(0.180625 - q * q, _CENTRE)
    outer = np.abs(q) > 0.425
    p = np.where(q[outer] < 0, u[outer], 1 - u[outer])
    r = np.sqrt(-_log(np.maximum(p, 2.0**-54)))
    z = np.where(r <= 5, _ratio(r - 1.6, _MIDDLE), _ratio(r - 5, _TAIL))
    out[outer] = np.where(q[outer] < 0, -z, z)
    return out


def check_seed(seed: int) -> int:
    """The seed, or UsageError outside 0 … 2^63 - 1."""
    if not 0 <= seed <= MAX_SEED:
        raise UsageError(f"seed {seed} is out of range; expected 0 <= seed <= {MAX_SEED} (2^63 - 1)")
    return seed


def seeds_from(seed: int, n: int) -> tuple[int, ...]:
    """The seeds of a batch: image k has seed + k.  Raises UsageError when one is out of range."""
    check_seed(seed)
    check_seed(seed + max(n - 1, 0))
    return tuple(range(seed, seed + n))


def bits(seed: int, stage: int, draw: int, count: int) -> NDArray[np.uint64]:
    """``count`` Philox4x64-10 words: key (seed, stage), counter words (index, draw, 0, 0) from index 1, four words a
    block.
    """
    key = np.array([seed, stage], np.uint64)
    counter = np.array([0, draw, 0, 0], np.uint64)  # as a list, numbers from 2^63 on would be rounded to float64
    return np.random.Philox(key=key, counter=counter).random_raw(count)


SMALL = 2048
"""Rows of no more numbers than this are drawn for several draws at once."""


def normals(seeds: Sequence[int], stage: int, draws: Sequence[int], shape: Sequence[int]) -> Iterator[Array]:
    """The normals of some draws, (B, *) float64 each, B = len(seeds): row i depends on seeds[i] alone.

    Small ones come out of their bits all at once.
    """
    count = math.prod(shape[1:])
    many = len(draws) if count <= SMALL else 1
    for i in range(0, len(draws), many):
        words = [bits(seed, stage, draw, count) for draw in draws[i : i + many] for seed in seeds]
        yield from normal_from_bits(np.stack(words)).reshape(-1, *shape)
