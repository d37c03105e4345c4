"""Our few lines against the classes of diffusers and transformers: the same names, the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import checkpoints
import pytest
import torch
from thinned import some

from mezzotint.nets.packed import packs
from mezzotint.nets.published.layers import attend, laid, pixels, tokens
from mezzotint.pretrained.component_network import library_network, network_of, packed_network_of
from mezzotint.pretrained.components import Component, components
from mezzotint.pretrained.families.pictured import cross_attentions
from mezzotint.pretrained.published import own_network

TOLERANCE = 2e-6
MAKERS = {
    "sd": checkpoints.stable_diffusion,
    "xl": checkpoints.stable_diffusion_xl,
    "upscaler": checkpoints.upscaler,
    "inpaint": checkpoints.stable_diffusion_inpaint,
}


@pytest.fixture(scope="module", params=some(MAKERS, "sd", "xl"))
def parts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Component]:
    return dict(components(MAKERS[request.param](tmp_path_factory.mktemp(request.param))).parts)


def both(part: Component) -> tuple[Any, Any]:
    """(ours, the library's) with the same weights."""
    theirs = library_network(part)
    ours = network_of(part, "cpu", torch.float32)
    theirs.load_state_dict(ours.state_dict(), assign=True)
    return ours, theirs.eval()


def near(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and bool(((a - b).abs() <= TOLERANCE * (1 + b.abs().max())).all())


@pytest.mark.parametrize("keys", [5, 32, 77, 600])
@pytest.mark.parametrize("width", [4, 10, 16, 40])
def test_attention_of_heads_of_any_width_to_any_number_of_keys(width: int, keys: int) -> None:
    g, heads = torch.Generator().manual_seed(3), 2
    q, k, v = (torch.randn(2, n, heads * width, generator=g) for n in (6, keys, keys))
    a, b, c = (x.double().unflatten(-1, (heads, width)).transpose(1, 2) for x in (q, k, v))
    expected = ((a @ b.mT / width**0.5).softmax(-1) @ c).transpose(1, 2).flatten(2)
    assert near(attend(q, k, v, heads), expected.float())


def test_the_u_net_predicts_what_diffusers_does(parts: dict[str, Component]) -> None:
    ours, theirs = both(parts["unet"])
    config, g = parts["unet"].config, torch.Generator().manual_seed(1)
    for height, width in ((16, 16), (10, 14)):
        x = torch.randn(2, config["in_channels"], height, width, generator=g)
        text = torch.randn(2, 7, config["cross_attention_dim"], generator=g)
        added = {"text_embeds": torch.randn(2, 24, generator=g), "time_ids": torch.randn(2, 6, generator=g)}
        told = {
            "class_labels": torch.tensor([3, 900]) if config["num_class_embeds"] else None,
            "added_cond_kwargs": added if config["addition_embed_type"] else None,
        }
        t = torch.tensor([1.0, 741.0])
        with torch.inference_mode():
            assert near(ours(x, t, text, **told)[0], theirs(x, t, text, return_dict=False, **told)[0])


@pytest.mark.skipif(not packs("cpu", torch.bfloat16), reason="this processor does not multiply in bfloat16")
def test_packed_it_predicts_the_same(parts: dict[str, Component]) -> None:
    part, g = parts["unet"], torch.Generator().manual_seed(1)
    plain, packed = (make(part, "cpu", torch.bfloat16) for make in (network_of, packed_network_of))
    x, text = (
        torch.randn(s, generator=g).bfloat16() for s in (_seen(part), (2, 7, part.config["cross_attention_dim"]))
    )
    told = {
        "class_labels": torch.tensor([3, 900]) if part.config["num_class_embeds"] else None,
        "added_cond_kwargs": {"text_embeds": torch.randn(2, 24).bfloat16(), "time_ids": torch.randn(2, 6).bfloat16()},
    }
    with torch.inference_mode():
        for size in (slice(None), slice(0, 12)):
            a, b = (net(x[..., size], torch.tensor([1.0, 741.0]), text, **told)[0] for net in (plain, packed))
            assert float((a - b).abs().max() / a.abs().max()) < 2**-6
    left = [type(layer) for layer in packed.modules() if getattr(layer, "kernel_size", (2, 2)) != (1, 1)]
    assert torch.nn.Linear not in left and torch.nn.Conv2d not in left  # kernels of one pixel gain nothing


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_each_state_is_told_several_texts_as_if_it_came_with_each(
    parts: dict[str, Component], dtype: torch.dtype
) -> None:
    part, g = parts["unet"], torch.Generator().manual_seed(1)
    if part.config["num_class_embeds"] or part.config["addition_embed_type"]:
        pytest.skip("it is told more than texts")
    net = packed_network_of(part, "cpu", dtype)
    x = torch.randn(2, part.config["in_channels"], 34, 32, generator=g).to(dtype)
    text = torch.randn(6, 7, part.config["cross_attention_dim"], generator=g).to(dtype)
    t = torch.tensor([1.0, 741.0])
    with torch.inference_mode():
        shared, apart = net(x, t, text)[0], net(x.repeat(3, 1, 1, 1), t.repeat(3), text)[0]
    assert (
        shared.shape == apart.shape and (shared - apart).abs().max() <= 16 * torch.finfo(dtype).eps * apart.abs().max()
    )
    assert not torch.equal(shared[:2], shared[2:4])


@pytest.mark.parametrize("size", [8, 32])
def test_channels_lie_innermost_where_there_are_many_pixels(size: int) -> None:
    x = torch.randn(2, 8, size, size).bfloat16()
    with torch.inference_mode():
        assert laid(x).is_contiguous(memory_format=torch.channels_last) == (size == 32)
        assert laid(x.float()).is_contiguous()
        made = pixels(tokens(x), size, size)
        assert torch.equal(made, x) and made.is_contiguous() == (size == 8)
    assert laid(x).is_contiguous()


def _seen(part: Component) -> tuple[int, int, int, int]:
    return (2, part.config["in_channels"], 16, 16)


def test_a_u_net_of_odd_sizes_adds_what_controls_say(parts: dict[str, Component]) -> None:
    ours, theirs = both(parts["unet"])
    config, g = parts["unet"].config, torch.Generator().manual_seed(1)
    if config["num_class_embeds"] or config["addition_embed_type"]:
        pytest.skip("the plain ones show it")
    x, t = torch.randn(1, config["in_channels"], 9, 5, generator=g), torch.tensor([5.0])
    text = torch.randn(1, 7, config["cross_attention_dim"], generator=g)
    with torch.inference_mode():
        beside = [torch.randn(s.shape, generator=g) for s in _beside(ours, x, t, text)]
        more = {
            "down_block_additional_residuals": tuple(beside),
            "mid_block_additional_residual": torch.randn(beside[-1].shape, generator=g),
        }
        assert near(ours(x, t, text, **more)[0], theirs(x, t, text, return_dict=False, **more)[0])


def _beside(unet: Any, x: torch.Tensor, t: torch.Tensor, text: torch.Tensor) -> list[torch.Tensor]:
    """The states on the way down."""
    time = torch.nn.functional.silu(unet._embedded(x, t, None, None, {}))
    states = [unet.conv_in(x)]
    for stage in unet.down_blocks:
        states += stage(states[-1], time, text)
    return states


def test_the_autoencoder_is_diffusers(parts: dict[str, Component]) -> None:
    ours, theirs = both(parts["vae"])
    g = torch.Generator().manual_seed(2)
    x, z = torch.randn(1, 3, 24, 32, generator=g), torch.randn(1, 4, 6, 8, generator=g)
    with torch.inference_mode():
        assert near(ours.encode(x).latent_dist.mode(), theirs.encode(x).latent_dist.mode())
        assert near(ours.decode(z).sample, theirs.decode(z).sample)


def test_the_text_encoder_is_transformers(parts: dict[str, Component]) -> None:
    for part in (part for name, part in parts.items() if name.startswith("text_encoder")):
        ours, theirs = both(part)
        end = part.config["eos_token_id"]
        ids = torch.randint(0, end, (3, 77), generator=torch.Generator().manual_seed(3))
        ids[:, 20:] = end
        with torch.inference_mode():
            mine, yours = ours(ids), theirs(ids, output_hidden_states=True)
        assert near(mine.last_hidden_state, yours.last_hidden_state)
        assert len(mine.hidden_states) == len(yours.hidden_states)
        assert all(near(a, b) for a, b in zip(mine.hidden_states[:-1], yours.hidden_states[:-1], strict=True))
        if part.class_name == "CLIPTextModelWithProjection":
            assert near(mine.text_embeds, yours.text_embeds)
        else:
            assert near(mine.pooler_output, yours.pooler_output)


def test_layers_that_files_count_come_in_diffusers_order(parts: dict[str, Component]) -> None:
    ours, theirs = both(parts["unet"])
    assert list(cross_attentions(ours)) == list(cross_attentions(theirs))


def with_config(part: Component, tmp_path: Path, **changes: Any) -> Component:
    import json

    (tmp_path / "config.json").write_text(json.dumps({**part.config, **changes}))
    return Component(part.name, part.library, part.class_name, tmp_path)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("unet", {"only_cross_attention": True}),
        ("unet", {"a_key_of_a_later_version": 1}),
        ("unet", {"class_embed_type": "timestep"}),
        ("unet", {"block_out_channels": [32, 2**40]}),
        ("unet", {"layers_per_block": 10**9}),
        ("unet", {"norm_num_groups": 7}),
        ("unet", {"norm_eps": "small"}),
        ("vae", {"act_fn": "relu"}),
        ("vae", {"down_block_types": ["AttnDownEncoderBlock2D"] * 2}),
        ("text_encoder", {"hidden_act": "relu"}),
        ("text_encoder", {"use_attention_mask": True}),
        ("text_encoder", {"eos_token_id": [1, 2]}),
    ],
)
def test_what_we_do_not_know_is_left_to_the_library(
    parts: dict[str, Component], tmp_path: Path, name: str, changes: dict[str, Any]
) -> None:
    assert own_network(parts[name]) is not None
    assert own_network(with_config(parts[name], tmp_path, **changes)) is None
