"""Laws of codecs: decode(encode(x)) is x, shapes agree, rows are independent, faults are one line."""

import pytest
import torch

from mezzotint.codecs.base import Codec, Identity
from mezzotint.codecs.pixels import Pixels
from mezzotint.errors import InputError, NonFiniteError

ALL = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)


def test_every_value_comes_back() -> None:
    codec = Pixels(1, (16, 16))
    assert torch.equal(codec.decode(codec.encode(ALL)), ALL)
    state = codec.encode(ALL)
    assert state.min() == -1 and state.max() == 1 and state.dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_half_a_step_of_error_is_forgiven(dtype: torch.dtype) -> None:
    codec = Pixels(1, (16, 16))
    off = codec.encode(ALL).to(dtype) + 0.49 / 127.5
    assert torch.equal(codec.decode(off), ALL)


@pytest.mark.parametrize(
    ("codec", "data"),
    [
        (Pixels(3, (4, 6)), torch.randint(0, 256, (5, 3, 4, 6), dtype=torch.uint8)),
        (Identity((7,)), torch.randn(5, 7)),
        (Identity((4, 3, 2)), torch.randn(5, 4, 3, 2)),
    ],
    ids=["pixels", "vector", "points"],
)
def test_laws(codec: Codec, data: torch.Tensor) -> None:
    state = codec.encode(data)
    assert tuple(state.shape[1:]) == codec.shape
    assert torch.equal(codec.decode(state), data)
    assert torch.equal(codec.encode(data[2:3]), state[2:3])
    assert torch.equal(codec.decode(state[[4, 0]]), data[[4, 0]])


def test_beyond_the_range_is_clipped() -> None:
    out = Pixels(1, (1, 3)).decode(torch.tensor([[[[-3.0, 0.0, 9.0]]]]))
    assert out.flatten().tolist() == [0, 128, 255]


def test_faults() -> None:
    codec = Pixels(1, (2, 2))
    with pytest.raises(InputError, match=r"expected \(B, 1, 2, 2\)"):
        codec.encode(torch.zeros(1, 1, 2, 3, dtype=torch.uint8))
    with pytest.raises(InputError, match="uint8"):
        codec.encode(torch.zeros(1, 1, 2, 2))
    with pytest.raises(NonFiniteError, match="not finite"):
        codec.decode(torch.full((1, 1, 2, 2), float("nan")))
