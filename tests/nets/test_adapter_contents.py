"""What files say of several layers at once: cut into what each is told, and put together again."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from mezzotint.nets.adapters.begun import DoRA, Full, LoHa, LoKr, LoRA, PiSSA
from mezzotint.nets.adapters.contents import Held, contents_of, held, shaped
from mezzotint.nets.adapters.joint import apart, together
from mezzotint.nets.adapters.layouts import layers_in, read_key
from mezzotint.nets.adapters.trained import learnt, trained

PIECES = (("q", ((0, 6),)), ("k", ((6, 10),)), ("v", ((10, 16),)))
SIZES = {"q": 6, "k": 4, "v": 6}
SWAPPED = (("n", ((4, 8), (0, 4))),)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed + sum(shape)))


def low(out: int, rank: int, seed: int, alpha: float = 2.0) -> Held:
    return Held({"down": drawn(rank, 5, seed=seed), "up": drawn(out, rank, seed=seed)}, alpha)


def delta(one: Held, out: int) -> Tensor:
    change = one.change
    assert change is not None
    return change.delta(torch.ones(out, 5)).reshape(out, 5)


def alike(one: Held, other: Held) -> bool:
    return (
        one.alpha == other.alpha
        and one.tensors.keys() == other.tensors.keys()
        and all(torch.equal(t, other.tensors[k]) for k, t in one.tensors.items())
    )


QKV = {"q": low(6, 2, 0), "k": low(4, 2, 1), "v": low(6, 2, 2)}
CASES = {
    "each its own": QKV,
    "one left out": {k: QKV[k] for k in ("q", "v")},
    "other ranks": {**QKV, "k": low(4, 3, 1, 3.0)},
    "shared": {k: Held({**one.tensors, "down": QKV["q"].tensors["down"]}, 2.0) for k, one in QKV.items()},
    "differences": {k: Held({"diff": drawn(len(one.tensors["up"]), 5)}, None) for k, one in QKV.items()},
    "norms": {k: Held({**o.tensors, "magnitude": drawn(len(o.tensors["up"]), 1)}, 2.0) for k, o in QKV.items()},
    "nothing learnt": {
        k: Held({"down": QKV["q"].tensors["down"], "up": one.tensors["up"] * 0}, 2.0) for k, one in QKV.items()
    },
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_together_and_apart_is_what_it_was(case: str) -> None:
    given = CASES[case]
    whole = together(given, PIECES)
    back = apart(whole, PIECES)
    assert back is not None and back.keys() == given.keys()
    assert all(alike(one, given[k]) for k, one in back.items())
    if case not in ("norms", "nothing learnt"):
        rows = [delta(given[k], n) if k in given else torch.zeros(n, 5) for k, n in SIZES.items()]
        torch.testing.assert_close(delta(whole, 16), torch.cat(rows))
    if case == "shared":
        assert whole.rank == 2 and alike(together(back, PIECES), whole)


def test_rows_that_change_places() -> None:
    given = {"n": low(8, 2, 4)}
    whole = together(given, SWAPPED)
    assert torch.equal(delta(whole, 8)[:4], delta(given["n"], 8)[4:])
    back = apart(whole, SWAPPED)
    assert back is not None and alike(back["n"], given["n"])


def loha(out: int) -> Held:
    shapes = {"hada_w1_a": (out, 2), "hada_w1_b": (2, 5), "hada_w2_a": (out, 2), "hada_w2_b": (2, 5)}
    return Held({k: drawn(*shape, seed=out) for k, shape in shapes.items()}, 1.0)


REFUSED = {
    "put on in different strengths": {**QKV, "k": replace(QKV["k"], alpha=5.0)},
    "their matrices differ": {k: loha(n) for k, n in SIZES.items()},
    "cannot be said of them together": {
        k: Held({"lokr_w1": drawn(2, 1), "lokr_w2": drawn(n // 2, 5)}, 1.0) for k, n in SIZES.items()
    },
    "of only some of them": {k: one for k, one in CASES["norms"].items() if k != "k"},
}  # fmt: skip


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_be_said_together(line: str) -> None:
    with pytest.raises(ValueError, match=line):
        together(REFUSED[line], PIECES)


def test_what_none_can_be_told_alone() -> None:
    assert apart(Held({"lokr_w1": drawn(2, 1), "lokr_w2": drawn(8, 5)}, 1.0), PIECES) is None
    by_columns = Held({**low(16, 2, 0).tensors, "magnitude": drawn(1, 5)}, 1.0)
    assert apart(by_columns, PIECES) is None


def test_alphas_are_those_that_are_meant() -> None:
    thin, whole = {"down": drawn(3, 5), "up": drawn(4, 3)}, {"lokr_w1": drawn(2, 1), "lokr_w2": drawn(2, 5)}
    assert held(thin, None).alpha == 3.0 and held(thin, 0.1).alpha == float(torch.tensor(0.1))
    assert held(whole, 64.0).alpha == 1.0 and held({"diff": drawn(4, 5)}, 2.0).alpha is None


def test_axes_are_those_of_the_layer() -> None:
    given = held({"down": drawn(3, 5, 1, 1), "up": drawn(4, 3), "magnitude": drawn(4)}, 2.0)
    assert [t.ndim for t in shaped(given, 4).tensors.values()] == [4, 4, 4]
    assert [t.ndim for t in shaped(given, 2).tensors.values()] == [2, 2, 2]


def test_pefts_norms_of_a_convolution_lie_in_the_second_axis() -> None:
    norms = drawn(1, 4, 1, 1)
    tensors = {"unet.c.lora_A.weight": drawn(2, 3, 1, 1), "unet.c.lora_B.weight": drawn(4, 2, 1, 1)}
    tensors["unet.c.lora_magnitude_vector"] = norms
    ((layer,), _) = layers_in(tensors, {"denoiser": {"c": (("c", ()),)}})
    assert torch.equal(layer.matrices["magnitude"].flatten(), norms.flatten())
    assert layer.matrices["magnitude"].shape == (4, 1, 1, 1)


def test_the_text_encoder_of_the_second_version_has_a_name_of_its_own_in_comfyui() -> None:
    said = read_key("text_encoders.clip_h.transformer.text_model.encoder.layers.0.mlp.fc1.lora_A.weight")
    assert said is not None and said.part == "text_encoder"


@pytest.mark.parametrize(
    ("begin", "method"),
    [(LoRA(2), "lora"), (DoRA(LoRA(2)), "dora"), (PiSSA(2), "lora"), (LoKr(1, None, 2), "lokr"), (LoHa(2), "loha"),
     (Full(), "full")],
)  # fmt: skip
def test_what_was_learnt_is_what_is_held(begin: object, method: str) -> None:
    net = nn.Sequential(nn.Linear(6, 8), nn.Conv2d(4, 6, 3))
    made = learnt(trained(net, {"0": begin, "1": begin}, 0))  # type: ignore[dict-item]
    for path, one in contents_of(made)["denoiser"].items():
        weight = net.get_submodule(path).get_parameter("weight")
        assert one.method == method and one.change is not None
        expected = made[path].change.delta(weight).reshape(weight.shape)
        torch.testing.assert_close(one.change.delta(weight).reshape(weight.shape), expected)
