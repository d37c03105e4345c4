"""What every network owes its callers, for one, two and three axes: shapes, rows, frames, text, precision."""

from __future__ import annotations

import copy

import net_configs as configs
import pytest
import torch
import torch.nn.functional as F

from mezzotint.errors import MezzotintError, ModelError, UsageError
from mezzotint.nets import build, frames_first, freeze, parameter_count


def test_shape_and_dtype_are_those_of_x(config):
    net = configs.alive(config)
    x, c, cond = configs.state(config)
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        y = net(x.to(dtype), c.double(), cond)
        assert y.shape == x.shape and y.dtype == dtype and y.isfinite().all()


def test_untrained_network_answers_zero(config):
    torch.manual_seed(0)
    net = build(config)
    x, c, cond = configs.state(config)
    assert torch.equal(net(x, c, cond), torch.zeros_like(x))


def test_every_parameter_learns(config):
    net = configs.alive(config).train()
    x, c, cond = configs.state(config)
    net(x, c, cond).square().sum().backward()
    assert [n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_contents_of_batch_mates_do_not_change_a_row(config, dtype):
    net = configs.alive(config).to(dtype)
    x, c, cond = configs.state(config, rows=3, seed=1)
    other = configs.state(config, rows=3, seed=2)
    mixed_x, mixed_c = x.clone(), c.clone()
    mixed = {k: v.clone() for k, v in cond.items()}
    for mine, theirs in [(mixed_x, other[0]), (mixed_c, other[1]), *((mixed[k], other[2][k]) for k in mixed)]:
        mine[::2] = theirs[::2]
    with torch.inference_mode():
        a, b = net(x, c, cond), net(mixed_x, mixed_c, mixed)
    assert torch.equal(a[1], b[1]) and not torch.equal(a[0], b[0])


def test_one_level_for_all_rows_is_that_level_for_each(config):
    net = configs.alive(config)
    x, _, cond = configs.state(config)
    one = torch.tensor(0.3)
    assert torch.equal(net(x, one, cond), net(x, one.expand(2), cond))
    assert not torch.equal(net(x, one, cond), net(x, one + 0.5, cond))


def test_a_level_a_frame(framed):
    net = configs.alive(framed)
    x, c, cond = configs.state(framed)
    frames = c[:, None].repeat(1, x.shape[2])
    torch.testing.assert_close(net(x, frames, cond), net(x, c, cond), rtol=1e-4, atol=1e-5)
    changed = frames.clone()
    changed[0, 2] += 1
    y, z = net(x, frames, cond), net(x, changed, cond)
    assert not torch.equal(y[0, :, 2], z[0, :, 2]) and torch.equal(y[1], z[1])
    assert (z - y)[0, :, 2].norm() > (z - y)[0, :, 0].norm()


def test_frames_first_swaps_the_axes(framed):
    net = configs.alive(framed)
    x, c, cond = configs.state(framed)
    assert torch.equal(frames_first(net)(x.transpose(1, 2), c, cond), net(x, c, cond).transpose(1, 2))


def test_masked_text_has_no_influence(texted):
    net = configs.alive(texted)
    x, c, cond = configs.state(texted)
    poison = torch.where(cond["text_mask"][..., None], cond["text"], torch.tensor(float("nan")))
    assert torch.equal(net(x, c, cond), net(x, c, {**cond, "text": poison}))
    assert not torch.equal(net(x, c, cond), net(x, c, {**cond, "text": cond["text"] * -1}))


def test_padding_has_no_influence(texted):
    net = configs.alive(texted)
    x, c, cond = configs.state(texted)
    longer = {**cond, "text": F.pad(cond["text"], (0, 0, 0, 9)), "text_mask": F.pad(cond["text_mask"], (0, 9))}
    torch.testing.assert_close(net(x, c, longer), net(x, c, cond), rtol=1e-4, atol=1e-5)


def test_an_empty_prompt_is_a_value(texted):
    net = configs.alive(texted)
    x, c, cond = configs.state(texted)
    assert net(x, c, {**cond, "text_mask": torch.zeros(2, 5, dtype=torch.bool)}).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_text_kv_is_exact(texted, dtype):
    net = configs.alive(texted).to(dtype)
    x, c, cond = configs.state(texted)
    cached = net.text_kv(cond)
    assert "text" not in cached and all(len(v) == 2 for v in cached.values())
    assert torch.equal(net(x, c, cond), net(x, c, cached))
    assert net.text_kv(cached) is cached
    halves = {k: torch.cat([v[:1], v[1:]]) for k, v in cached.items()}
    assert torch.equal(net(x, c, cond), net(x, c, halves))


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a.float() - b).norm() / b.norm())


def test_bfloat16_is_close(config):
    net = configs.alive(config)
    x, c, cond = configs.state(config, rows=4)
    with torch.inference_mode():
        exact = net(x, c, cond)
        half = copy.deepcopy(net).to(torch.bfloat16)(x, c, cond)
        with torch.autocast("cpu", torch.bfloat16):
            mixed = net(x, c, cond)
    assert relative(half, exact) < 2e-2 and relative(mixed, exact) < 2e-2
    assert half.dtype == mixed.dtype == x.dtype


def test_frozen_answers_the_same(config):
    net = configs.alive(config)
    x, c, cond = configs.state(config, rows=4)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    with torch.inference_mode():
        exact = net(x, c, cond)
        torch.testing.assert_close(freeze(net, torch.float32)(x, c, cond), exact, rtol=1e-5, atol=1e-6)
        assert relative(freeze(net, torch.bfloat16)(x, c, cond), exact) < 2e-2
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert not any(p.requires_grad for p in freeze(net, torch.float32).parameters())


def test_trains_in_autocast_with_float32_master_weights(config):
    net = configs.alive(config).train()
    x, c, cond = configs.state(config)
    with torch.autocast("cpu", torch.bfloat16):
        y = net(x, c, cond)
    y.square().sum().backward()
    assert all(p.dtype == p.grad.dtype == torch.float32 for p in net.parameters())


def test_what_inference_cached_does_not_break_training():
    config = configs.dit(2).__class__(size=(12, 20), width=32, depth=1, heads=1)  # a size no other test has cached
    net = configs.alive(config)
    x = torch.randn(1, 1, 12, 20)
    with torch.inference_mode():
        net(x, torch.tensor(0.1), {})
    net(x, torch.tensor(0.1), {}).sum().backward()


def test_other_sizes_run(config):
    net = configs.alive(config)
    x, c, cond = configs.state(config)
    bigger = torch.cat([x, x], -1)
    cond = {k: torch.cat([v, v], -1) if k == "lowres" else v for k, v in cond.items()}
    assert net(bigger, c, cond).shape == bigger.shape


def test_unknown_and_missing_conditioning(config):
    net = configs.alive(config)
    x, c, cond = configs.state(config)
    with pytest.raises(UsageError, match="unknown stray"):
        net(x, c, {**cond, "stray": x})
    for name in cond:
        with pytest.raises(UsageError, match=f"missing {name}"):
            net(x, c, {k: v for k, v in cond.items() if k != name})


def wrong(config):
    x, c, cond = configs.state(config)
    yield x[:, :1], c, cond
    yield x[..., :-1], c, cond
    yield x[0], c, cond
    yield x, c.repeat(3), cond
    yield x, c[:, None].repeat(1, 7), cond
    if "label" in cond:
        yield x, c, {**cond, "label": cond["label"].float()}
        yield x, c, {**cond, "label": cond["label"] * 0 + 4}
        yield x, c, {**cond, "label": cond["label"][:1]}
    if "text" in cond:
        yield x, c, {**cond, "text": cond["text"][..., :3]}
        yield x, c, {**cond, "text_mask": cond["text_mask"].float()}
        yield x, c, {**cond, "text_mask": cond["text_mask"][:, :2]}


def test_what_does_not_fit_is_one_clear_line(config):
    net = configs.alive(config)
    for x, c, cond in wrong(config):
        with pytest.raises(MezzotintError) as error:
            net(x, c, cond)
        assert ("\n" not in str(error.value) and "expected" in str(error.value)) or "must be" in str(error.value)


def test_levels_a_frame_need_frames_of_their_own():
    net = configs.alive(configs.DiTConfig(3, 1, 1, (4, 8, 8), 2, width=32, depth=1, heads=1))
    with pytest.raises(UsageError, match="patch 1 on the frame axis"):
        net(torch.zeros(1, 1, 4, 8, 8), torch.zeros(1, 4), {})


def test_parameter_count_and_same_seed_same_weights(config):
    a, b = configs.alive(config, seed=3), configs.alive(config, seed=3)
    assert parameter_count(a) == sum(v.numel() for v in a.state_dict().values()) > 0
    assert all(torch.equal(v, b.state_dict()[k]) for k, v in a.state_dict().items())


def test_wrong_state_names_what_was_expected():
    with pytest.raises(ModelError, match=r"expected \(B, 2, 2 axes divisible by \(2, 2\)\)"):
        configs.alive(configs.dit(2))(torch.zeros(1, 3, 8, 8), torch.zeros(1), {"label": torch.zeros(1).long()})
