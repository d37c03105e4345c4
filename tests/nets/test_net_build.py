"""Configurations as data, and what they cost."""

from __future__ import annotations

import dataclasses
import json

import net_configs as configs
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from mezzotint.errors import ModelError
from mezzotint.nets import (
    AutoencoderConfig,
    DiTConfig,
    EmbedderConfig,
    JudgeConfig,
    TextConfig,
    UNetConfig,
    build,
    config_from_dict,
    config_to_dict,
    flops,
    parameter_count,
)


def test_round_trip_through_json(config):
    assert config_from_dict(json.loads(json.dumps(config_to_dict(config)))) == config


@pytest.mark.parametrize("part", [AutoencoderConfig(), EmbedderConfig(), JudgeConfig(kinds=3, views=2)], ids=str)
def test_parts_come_back_from_json(part):
    assert config_from_dict(json.loads(json.dumps(config_to_dict(part)))) == part
    assert parameter_count(build(part)) > 0


@pytest.mark.parametrize("change", [{"widht": 3}, {"text": {"dim": 4, "lenght": 2}}], ids=str)
def test_unknown_keys_are_errors(change):
    name = "widht" if "widht" in change else "lenght"
    with pytest.raises(ModelError, match=f"unknown key {name}"):
        config_from_dict(config_to_dict(configs.dit(2)) | change)


@pytest.mark.parametrize("kind", [None, "gan"])
def test_unknown_kinds_are_errors(kind):
    with pytest.raises(ModelError, match="kind must be one of dit, unet"):
        config_from_dict({"kind": kind})


@pytest.mark.parametrize(
    "make",
    [
        lambda: DiTConfig(size=(28, 27)),
        lambda: DiTConfig(dims=4, size=(8,) * 4),
        lambda: DiTConfig(dims=1),
        lambda: DiTConfig(rope_step=0.0),
        lambda: DiTConfig(heads=3),
        lambda: DiTConfig(overlap=3),
        lambda: DiTConfig(overlap=-1),
        lambda: DiTConfig(dims=3, size=(4, 8, 8), patch=(1, 2, 2), overlap=1),
        lambda: DiTConfig(norm="group"),
        lambda: DiTConfig(position="none"),
        lambda: UNetConfig(size=(30, 30)),
        lambda: UNetConfig(attention=(3,)),
        lambda: UNetConfig(width=48),
        lambda: UNetConfig(stride=(3, 3)),
        lambda: UNetConfig(text=TextConfig(8, "in_context")),
        lambda: UNetConfig(attention=(), text=TextConfig(8)),
        lambda: TextConfig(8, "prefix"),
    ],
)
def test_impossible_configurations_are_errors(make):
    with pytest.raises(ModelError) as error:
        make()
    assert "\n" not in str(error.value)


def counted(config: DiTConfig | UNetConfig) -> int:
    net = configs.alive(config)
    x, c, cond = configs.state(config, rows=1)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(x, c, cond)
    return counter.get_total_flops()


def test_flops_are_what_runs(config):
    assert flops(config) == counted(config)


@pytest.mark.parametrize("name", configs.PILOTS)
def test_pilots(name):
    config = configs.PILOTS[name]
    assert flops(config) == counted(config)
    assert 1e6 < parameter_count(build(config)) < 12e6 and flops(config) < 3e9


def test_cost_grows_with_depth_and_text():
    base = configs.dit(2)
    assert flops(dataclasses.replace(base, depth=4)) > 1.8 * flops(base)
    assert flops(configs.dit(2, "cross")) > flops(base)
