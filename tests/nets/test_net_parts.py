"""The parts of the networks: rotary positions, magnitudes, norms, attention, patches, precision."""

from __future__ import annotations

import math

import net_configs as configs
import pytest
import torch
import torch.nn.functional as F

from mezzotint.nets import attention, embed, norm, precision, rope, unet
from mezzotint.nets.attention import attend, mask_bias
from mezzotint.nets.embed import overlaid, patchify, windows
from mezzotint.nets.magnitude import MPConv, mp_cat, mp_silu, mp_sum, pixel_norm, project_, row_norm

GRIDS = [(7,), (5, 6), (3, 4, 5)]


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_rotary_scores_depend_on_the_offset_alone(grid):
    h = 24
    cos, sin = rope.tables(rope.Turns(grid, h, 100.0), 0, torch.device("cpu"), torch.float32)
    q, k = (rope.rotate(normal(h, seed=s).expand(math.prod(grid), h), cos, sin) for s in (1, 2))
    scores = (q @ k.T).reshape(*grid, *grid)
    dims = len(grid)
    here = scores[(slice(None, -1),) * 2 * dims]
    moved = scores[(slice(1, None),) * 2 * dims]
    torch.testing.assert_close(here, moved, rtol=1e-4, atol=1e-4)
    for axis in range(dims):  # each axis does turn
        one = [0] * dims
        one[axis] = 1
        assert abs(scores[(*[0] * dims, *one)] - scores[(*[0] * 2 * dims,)]) > 1e-3


def test_rotation_keeps_norms_and_leading_tokens():
    cos, sin = rope.tables(rope.Turns((4, 4), 16, 100.0), 3, torch.device("cpu"), torch.float32)
    x = normal(19, 16)
    y = rope.rotate(x, cos, sin)
    torch.testing.assert_close(y.norm(dim=-1), x.norm(dim=-1))
    assert torch.equal(y[:3], x[:3]) and not torch.allclose(y[5:], x[5:])


def test_half_a_step_on_twice_the_grid_turns_as_before():
    coarse, fine = rope.angles(rope.Turns((3, 4), 16, 100.0)), rope.angles(rope.Turns((6, 8), 16, 100.0, 0.5))
    assert torch.equal(fine.reshape(6, 8, -1)[::2, ::2].reshape(12, -1), coarse)


def rms(x: torch.Tensor) -> float:
    return float(x.detach().float().square().mean().sqrt())


def test_magnitude_of_silu():
    assert rms(mp_silu(normal(200_000))) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("t", [0.1, 0.3, 0.5, 0.9])
def test_magnitude_of_sum(t):
    assert rms(mp_sum(normal(200_000), normal(200_000, seed=1), t)) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("channels", [(8, 8), (8, 24), (48, 16)])
def test_magnitude_of_cat_and_balance(channels):
    a, b = (normal(4, c, 40, 40, seed=s) for s, c in enumerate(channels))
    y = mp_cat(a, b)
    assert rms(y) == pytest.approx(1, abs=0.01)
    left, right = y.split(channels, 1)
    assert float(left.square().sum() / right.square().sum()) == pytest.approx(1, abs=0.02)


def test_magnitude_of_pixel_norm():
    y = pixel_norm(normal(2, 32, 5, 5) * 7)
    torch.testing.assert_close(y.square().mean(1), torch.ones(2, 5, 5), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kernel", [(), (1, 1), (3,), (3, 3), (3, 3, 3)], ids=str)
def test_magnitude_of_convolution(kernel):
    torch.manual_seed(0)
    conv = MPConv(24, 64, kernel)
    x = normal(64, 24, seed=1) if not kernel else normal(4, 24, *(12,) * len(kernel), seed=1)
    inner = (slice(None), slice(None), *(slice(1, -1),) * len(kernel))
    assert rms(conv(x)[inner]) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("resample", ["keep", "up"])
def test_magnitude_of_a_block_and_its_folded_constants(resample):
    torch.manual_seed(0)
    config = configs.UNetConfig(size=(16, 16), width=32, multipliers=(1,), attention=(), head_dim=32)
    block = unet.Block(config, unet.Step("decoder", 32, 32, 0, resample)).eval()
    x, emb = normal(4, 32, 16, 16), normal(4, 1, 32)
    up = x if resample == "keep" else F.interpolate(x, scale_factor=2.0)
    weights = [w.effective(torch.float32) / w.scale for w in (block.first, block.second)]
    y = F.conv2d(mp_silu(up), weights[0], padding=1)
    plain = mp_sum(up, F.conv2d(mp_silu(y), weights[1], padding=1), config.balance)
    torch.testing.assert_close(block(x, emb, iter(())), plain, rtol=1e-4, atol=1e-5)
    assert rms(plain) == pytest.approx(1, abs=0.1)


def test_a_fresh_network_keeps_magnitudes_all_the_way():
    torch.manual_seed(0)
    net = unet.UNet(configs.UNetConfig(width=32, multipliers=(1, 2), attention=(1,), head_dim=32))
    torch.nn.init.ones_(net.out.gain)
    with torch.inference_mode():
        seen = []
        for block in net.blocks:
            block.register_forward_hook(lambda m, i, y: seen.append(rms(y)))
        y = net(normal(2, 1, 28, 28), torch.zeros(2), {})
    assert all(0.5 < s < 2 for s in seen) and 0.3 < rms(y) < 3


def test_weight_normalisation_is_forced():
    torch.manual_seed(0)
    net = configs.alive(configs.unet(2))
    convs = [m for m in net.modules() if isinstance(m, MPConv)]
    x, c, cond = configs.state(configs.unet(2))
    before = net(x, c, cond)
    with torch.no_grad():
        for conv in convs:
            conv.weight.mul_(torch.rand(len(conv.weight), *(1,) * (conv.weight.ndim - 1)) + 0.5)
    torch.testing.assert_close(net(x, c, cond), before, rtol=1e-4, atol=1e-5)
    project_(net)
    for conv in convs:
        want = torch.full_like(row_norm(conv.weight), math.sqrt(conv.weight[0].numel()))
        torch.testing.assert_close(row_norm(conv.weight), want)
        used = row_norm(conv.effective(torch.float32))
        size = conv.scale if conv.gain is None else abs(conv.gain.item()) * conv.scale
        torch.testing.assert_close(used, torch.full_like(used, size))


def test_project_leaves_other_networks_alone():
    net = configs.alive(configs.dit(2))
    before = {k: v.clone() for k, v in net.state_dict().items()}
    project_(net)
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())


def test_gradients_are_orthogonal_to_normalised_weights():
    torch.manual_seed(0)
    conv = MPConv(8, 4, (3, 3))
    conv(normal(2, 8, 6, 6)).square().sum().backward()
    assert (conv.weight * conv.weight.grad).sum((1, 2, 3)).abs().max() < 1e-3


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch's own forward mode
def test_inverse_norm_and_its_derivatives():
    x = normal(3, 5).double().requires_grad_()
    assert torch.equal(norm.inverse_norm(x), norm.inverse_norm(x.detach()))
    torch.testing.assert_close(norm.inverse_norm(x), 1 / x.norm(dim=-1, keepdim=True))
    assert torch.autograd.gradcheck(norm.inverse_norm, x, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(norm.inverse_norm, x)
    assert norm.inverse_norm(x.bfloat16()).dtype == torch.float32
    zero = torch.zeros(2, 4, requires_grad=True)
    norm.unit(zero, 1.0).sum().backward()
    assert zero.grad.isfinite().all()


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch's own forward mode
def test_forward_derivatives_reach_through_a_network():
    net = configs.alive(configs.dit(2, classes=None))
    x, c, _ = configs.state(configs.dit(2, classes=None))
    _, tangent = torch.func.jvp(lambda z: net(z, c, {}), (x,), (torch.ones_like(x),))
    h = 1e-3
    difference = (net(x + h, c, {}) - net(x - h, c, {})) / (2 * h)
    torch.testing.assert_close(tangent, difference, rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize("kind", ["rms", "layer"])
def test_normalise(kind):
    x = normal(4, 64) * 3 + 1
    y = norm.normalise(x, kind)
    want = F.rms_norm(x, (64,)) if kind == "rms" else F.layer_norm(x, (64,))
    torch.testing.assert_close(y, want, rtol=1e-4, atol=1e-4)
    scale, shift = normal(64, seed=1), normal(64, seed=2)
    modulated = norm.modulate(x, norm.gain_of(scale, kind), shift, kind)
    torch.testing.assert_close(modulated, (1 + scale) * want + shift, rtol=1e-4, atol=1e-4)


def test_both_roads_of_attention_agree(monkeypatch):
    q, k, v = (normal(2, 3, 9, 16, seed=s) for s in range(3))
    bias = mask_bias(torch.arange(9)[None] < torch.tensor([[4], [9]]), 0, 0, torch.float32)
    short = attend(q, k, v, bias)
    monkeypatch.setattr(attention, "SHORT", 0)
    assert torch.equal(attend(q.requires_grad_(), k, v, bias), short)  # where it is learnt, the limit is another
    q.requires_grad_(False)
    torch.testing.assert_close(attend(q, k, v, bias), short)
    torch.testing.assert_close(short[0], attend(q[:1], k[:1, :, :4], v[:1, :, :4], None)[0])


@pytest.mark.parametrize("grid,patch", [((6,), (2,)), ((4, 6), (2, 3)), ((2, 4, 6), (1, 2, 3))])
def test_patches_go_and_come_back(grid, patch):
    x = normal(2, 3, *(g * p for g, p in zip(grid, patch, strict=True)))
    tokens = embed.patchify(x, patch)
    assert tokens.shape == (2, math.prod(grid), 3 * math.prod(patch))
    assert torch.equal(embed.unpatchify(tokens, patch, grid), x)
    first = x[(slice(None), slice(None), *(slice(0, p) for p in patch))]
    assert torch.equal(tokens[:, 0], first.reshape(2, -1))


def test_waves_have_unit_magnitude_and_keep_their_digits():
    frequency = embed.frequencies(64, 1 / 64, 8.0, torch.device("cpu"))
    y = embed.waves(torch.linspace(-20, 20, 9), frequency)
    torch.testing.assert_close(y.square().mean(-1), torch.ones(9))
    turns = frequency[[0, -1]] / (2 * math.pi)
    torch.testing.assert_close(turns, torch.tensor([1 / 64, 8.0]))
    phase = 20.0 * frequency.double()
    torch.testing.assert_close(y[-1, :64].double(), math.sqrt(2) * phase.cos(), rtol=0, atol=1e-3)


@pytest.fixture
def unmeasured():
    precision._measured.cache_clear()
    yield
    precision._measured.cache_clear()


@pytest.mark.parametrize("half,winner", [(1.0, torch.bfloat16), (2.9, torch.float32), (9.0, torch.float32)])
def test_best_dtype_is_the_faster_one_and_is_measured_once(monkeypatch, unmeasured, half, winner):
    calls = []
    monkeypatch.setattr(precision, "_race", lambda *a: calls.append(a) or [half, 3.0])
    assert precision.best_dtype("cpu") == precision.best_dtype(torch.device("cpu")) == winner
    assert len(calls) == 1


def test_best_dtype_of_this_machine(unmeasured):
    assert precision.best_dtype("cpu") in (torch.bfloat16, torch.float32)
    assert all(s > 0 for s in precision._race(torch.device("cpu"), torch.bfloat16, torch.float32))


def test_windows_reach_over_their_neighbours_and_add_up_again():
    x = torch.randn(2, 3, 8, 12, generator=torch.Generator().manual_seed(0))
    seen = windows(x, (4, 4), 2)
    assert seen.shape == (2, 6, 3 * 64)
    inner = seen.reshape(2, 2, 3, 3, 8, 8)[:, 1, 1]  # the window of the token in the second row and column
    assert torch.equal(inner[:, :, 2:6, 2:6], x[:, :, 4:8, 4:8]) and torch.equal(inner[:, :, :2, :2], x[:, :, 2:4, 2:4])
    assert not inner[:, :, 6:].any(), "nothing is seen beyond the edge"
    counts = overlaid(torch.ones(1, 6, 3 * 64), (4, 4), (2, 3), 2)
    torch.testing.assert_close(overlaid(seen, (4, 4), (2, 3), 2), x * counts)
    assert counts.shape == (1, 3, 8, 12) and counts.min() == 1 and counts.max() == 4
    assert torch.equal(windows(x, (4, 4), 0), patchify(x, (4, 4)))
    assert torch.equal(overlaid(windows(x, (4, 4), 0), (4, 4), (2, 3), 0), x)
