"""States as bytes: float16 comes back to the bit, what it cannot say comes to the nearest, other shapes are refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mezzotint.codecs.halves import Halves
from mezzotint.errors import InputError

HALVES = Halves((3, 2, 4))


@given(arrays.arrays(np.float16, (2, 3, 2, 4), elements=st.floats(-65504, 65504, width=16)))
def test_every_half_comes_back_to_the_bit(x: np.ndarray) -> None:
    state = torch.from_numpy(x)
    stored = HALVES.decode(state.float())
    assert stored.dtype == torch.uint8 and stored.shape == (2, *HALVES.stored) == (2, 6, 2, 4)
    again = HALVES.encode(stored)
    assert again.dtype == torch.float32
    assert torch.equal(again.half().view(torch.int16), state.view(torch.int16))


def test_others_come_to_the_nearest() -> None:
    x = torch.randn(5, 3, 2, 4, generator=torch.Generator().manual_seed(0))
    again = HALVES.encode(HALVES.decode(x))
    assert torch.equal(again, x.half().float()) and not torch.equal(again, x)


def test_a_number_lies_in_two_channels() -> None:
    x = torch.zeros(1, 3, 2, 4)
    x[0, 1] = 1.0
    stored = HALVES.decode(x)[0]
    assert [bool(channel.any()) for channel in stored] == [False, False, False, True, False, False]  # 1.0 is 00 3C


def test_vectors_too() -> None:
    one = Halves((7,))
    x = torch.arange(14.0).reshape(2, 7)
    assert torch.equal(one.encode(one.decode(x)), x)


@pytest.mark.parametrize("shape", [(2, 3, 2, 4), (2, 6, 4, 2), (6, 2, 4), (2, 7, 2, 4), (2, 6, 2), (0,), ()])
def test_bytes_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        HALVES.encode(torch.zeros(shape, dtype=torch.uint8))


@pytest.mark.parametrize("shape", [(2, 6, 2, 4), (2, 3, 4, 2), (3, 2, 4), (1, 3, 2, 4, 1)])
def test_states_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        HALVES.decode(torch.zeros(shape))
