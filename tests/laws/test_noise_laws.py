"""Noise is a function of (seed, stage, draw, index), and it is normal."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy import special, stats

from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.oracle import GaussianOracle
from mezzotint.diffusion.philox import MAX_SEED, bits, check_seed, normal_from_bits, seeds_from
from mezzotint.diffusion.sample import trajectory
from mezzotint.diffusion.solver.ddim import DDIM
from mezzotint.errors import UsageError

SHAPE = (3, 5, 7)
SEEDS = (0, 1, 7, 4096, 2**31, 2**32 + 7, 2**53 + 1, MAX_SEED)

# -- bits -------------------------------------------------------------------------------------------------------------

# Known answers of Random123 1.14 (kat_vectors, philox4x64 10): counter, key -> output.  Salmon et al., 2011.
KNOWN = [
    ("0 0 0 0", "0 0", "16554d9eca36314c db20fe9d672d0fdc d7e772cee186176b 7e68b68aec7ba23b"),
    (
        "ffffffffffffffff ffffffffffffffff ffffffffffffffff ffffffffffffffff",
        "ffffffffffffffff ffffffffffffffff",
        "87b092c3013fe90b 438c3c67be8d0224 9cc7d7c69cd777b6 a09caebf594f0ba0",
    ),
    (
        "243f6a8885a308d3 13198a2e03707344 a4093822299f31d0 082efa98ec4e6c89",
        "452821e638d01377 be5466cf34e90c6c",
        "a528f45403e61d95 38c72dbd566e9788 a5a1610e72fd18b5 57bd43b5e52b7fe6",
    ),
]
MASK = 2**64 - 1


def philox(counter: list[int], key: list[int]) -> list[int]:
    """Philox4x64-10, written from the paper (section 3.2 and table 2)."""
    c, k = list(counter), list(key)
    for _ in range(10):
        high0, low0 = divmod(0xD2E7470EE14C6C93 * c[0], 2**64)
        high1, low1 = divmod(0xCA5A826395121157 * c[2], 2**64)
        c = [high1 ^ c[1] ^ k[0], low1, high0 ^ c[3] ^ k[1], low0]
        k = [(k[0] + 0x9E3779B97F4A7C15) & MASK, (k[1] + 0xBB67AE8584CAA73B) & MASK]
    return c


@pytest.mark.parametrize("counter,key,want", KNOWN)
def test_the_reference_gives_the_published_answers(counter: str, key: str, want: str) -> None:
    words = [[int(w, 16) for w in part.split()] for part in (counter, key, want)]
    assert philox(words[0], words[1]) == words[2]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("stage,draw", [(0, 0), (1, 5), (2**40, 2**40), (3, 2**63 + 5)])
def test_bits_are_philox_of_seed_stage_draw_index(seed: int, stage: int, draw: int) -> None:
    want = [w for block in range(1, 5) for w in philox([block, draw, 0, 0], [seed, stage])]
    assert bits(seed, stage, draw, 16).tolist() == want
    assert bits(seed, stage, draw, 5).tolist() == want[:5]


# -- normals ----------------------------------------------------------------------------------------------------------


def test_normals_are_the_quantiles_of_the_bits() -> None:
    edge = np.array([0, 2**11, 2**64 - 1, 2**63, 2**63 - 1, 2**52, 2**40, 2**20 << 11], np.uint64)
    words = np.concatenate([edge, bits(3, 0, 0, 50_000), bits(4, 0, 0, 2000) >> np.uint64(30)])
    u = ((words >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    lower = u < 0.5
    want = np.where(lower, special.ndtri(np.minimum(u, 0.5)), -special.ndtri(np.maximum(1 - u, 2.0**-54)))
    got = normal_from_bits(words)
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got, want, rtol=2e-14, atol=2e-16)


def test_tail_reaches_eight_sigma_and_no_further() -> None:
    z = normal_from_bits(np.array([0, 2**64 - 1], np.uint64))
    np.testing.assert_allclose(z, [special.ndtri(2.0**-54), -special.ndtri(2.0**-54)], rtol=1e-14)
    assert 8.2 < z[1] < 8.3


def test_moments_and_distribution() -> None:
    z = Noise((0, 1, 2, 2**62), dtype=torch.float64)(3, (4, 100_000)).flatten().numpy()
    n = len(z)
    assert abs(z.mean()) < 4 / n**0.5
    assert abs(z.var() - 1) < 4 * (2 / n) ** 0.5
    assert abs((z**3).mean()) < 4 * (15 / n) ** 0.5
    assert abs((z**4).mean() - 3) < 4 * (96 / n) ** 0.5
    assert stats.kstest(z, "norm").pvalue > 1e-3
    for cut in (3.0, 4.0):
        expected = n * 2 * special.ndtr(-cut)
        assert abs((np.abs(z) > cut).sum() - expected) < 4 * expected**0.5


def test_rows_draws_stages_and_neighbours_are_uncorrelated() -> None:
    n = 20_000
    z = torch.stack(
        [Noise((s,), g, torch.float64)(d, (1, n))[0] for s, g, d in itertools.product((0, 1), (0, 1), (0, 1))]
    )
    c = torch.corrcoef(torch.cat((z, z.roll(1, 1), z.roll(4, 1))))
    assert (c - torch.eye(len(c))).abs().max() < 5 / n**0.5


# -- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_bit_equal_in_any_batch_and_order(dtype: torch.dtype) -> None:
    eight = Noise(SEEDS, 2, dtype)(9, (8, *SHAPE))
    assert eight.dtype == dtype
    for i, s in enumerate(SEEDS):
        assert torch.equal(Noise((s,), 2, dtype)(9, (1, *SHAPE))[0], eight[i])
    assert torch.equal(Noise(SEEDS[2:5], 2, dtype)(9, (3, *SHAPE)), eight[2:5])
    assert torch.equal(Noise(SEEDS[::-1], 2, dtype)(9, (8, *SHAPE)), eight.flip(0))


def test_bit_equal_sharded_over_processes() -> None:
    """Real processes, each with half of the seeds and its own import of everything."""
    program = (
        "import json, sys; from mezzotint.diffusion.noise import Noise\n"
        "seeds = tuple(json.loads(sys.argv[1]))\n"
        "import torch; z = Noise(seeds, 1, torch.float64)(5, (len(seeds), 3, 5, 7))\n"
        "print(json.dumps([[v.hex() for v in row] for row in z.flatten(1).tolist()]))"
    )
    shards = [
        subprocess.Popen([sys.executable, "-c", program, json.dumps(SEEDS[i::2])], stdout=subprocess.PIPE, text=True)
        for i in range(2)
    ]
    rows: dict[int, list[str]] = {}
    for i, shard in enumerate(shards):
        out, _ = shard.communicate(timeout=120)
        assert shard.returncode == 0
        rows.update(zip(SEEDS[i::2], json.loads(out), strict=True))
    whole = Noise(SEEDS, 1, torch.float64)(5, (8, *SHAPE)).flatten(1)
    for i, s in enumerate(SEEDS):
        assert rows[s] == [v.hex() for v in whole[i].tolist()]


@pytest.mark.parametrize("k", [1, 4, 9])
def test_a_resumed_trajectory_draws_the_noise_it_would_have(k: int) -> None:
    t = torch.linspace(0.99, 0.0, 11, dtype=torch.float64)
    levels, noise = Level(1 - t, t), Noise((3, 5))
    oracle = GaussianOracle(torch.tensor(0.5), torch.tensor(0.3))
    whole = list(trajectory(oracle, noise(0, (2, 6)), levels, DDIM(1.0), noise, {}))
    tail = list(trajectory(oracle, whole[k - 1].x, levels[k:], DDIM(1.0), Noise((3, 5)), {}, first=k))
    assert torch.equal(tail[-1].x, whole[-1].x) and tail[-1].i == whole[-1].i
    assert tail[-1].steps == whole[-1].steps == 10


def test_a_longer_shape_begins_like_a_shorter_one() -> None:
    long, short = Noise((5,))(1, (1, 64)), Noise((5,))(1, (1, 3))
    assert torch.equal(long[:, :3], short)
    assert torch.equal(Noise((5,))(1, (1, 4, 4, 4)).flatten(1), long)


def test_no_collision_over_seeds_stages_and_draws() -> None:
    """1.2e5 triples, chosen to collide under 32-bit, shifted, added or xor-ed keys; the first word of 64 tells."""
    seeds = [0, 1, 2, 3, 4096, 2**16, 2**31, 2**32, 2**32 + 1, 2**33, 2**40, 2**52, 2**53, 2**53 + 1, 2**62, MAX_SEED]
    seeds += [int(s) for s in np.random.default_rng(0).integers(0, MAX_SEED, 84)]
    stages, draws = range(4), [*range(290), *(2**k for k in range(9, 19))]
    seen = {int(bits(s, g, d, 1)[0]) for s in seeds for g in stages for d in draws}
    assert len(seen) == len(seeds) * len(stages) * len(draws) == 120_000


def test_no_word_is_drawn_twice_within_a_trajectory() -> None:
    words = np.concatenate([bits(11, 0, d, 4096) for d in range(30)])
    assert len(np.unique(words)) == len(words)


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1, 2**64, -(2**63)])
def test_a_seed_out_of_range_is_an_error(seed: int) -> None:
    for attempt in (check_seed, lambda s: Noise((0, s)), lambda s: seeds_from(s, 1)):
        with pytest.raises(UsageError, match="out of range"):
            attempt(seed)


def test_seed_plus_k_beyond_the_range_is_an_error() -> None:
    assert seeds_from(MAX_SEED - 3, 4) == (MAX_SEED - 3, MAX_SEED - 2, MAX_SEED - 1, MAX_SEED)
    with pytest.raises(UsageError, match="out of range"):
        seeds_from(MAX_SEED - 3, 5)


def test_a_batch_of_the_wrong_size_is_an_error() -> None:
    with pytest.raises(UsageError, match="2 seeds"):
        Noise((0, 1))(0, (3, 4))
