"""Every network the tests walk over: both kinds, one to three axes, with and without text."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import net_configs as configs
import pytest
import torch

ALL = {
    **{f"dit{d}": configs.dit(d) for d in (1, 2, 3)},
    **{f"unet{d}": configs.unet(d) for d in (1, 2, 3)},
    "dit-layer": configs.dit(2, norm="layer"),
    "dit-context": configs.dit(2, "in_context"),
    "dit-cross": configs.dit(2, "cross"),
    "dit3-context": configs.dit(3, "in_context"),
    "dit3-cross": configs.dit(3, "cross"),
    "unet-cross": configs.unet(2, "cross"),
    "unet3-cross": configs.unet(3, "cross"),
    "dit-plain": configs.dit(2, classes=None),
    "unet-plain": configs.unet(2, classes=None),
    "dit-vector": dataclasses.replace(configs.dit(2), vector=6),
    "unet-vector": dataclasses.replace(configs.unet(2), vector=6),
    "unet-fold": configs.folded(),
    "dit-overlap": configs.overlapping(),
    "unet-middle": configs.middled(),
    "upsampler": configs.upsampler(),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small only wait for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``config`` runs over all networks, ``texted`` over those with text, ``framed`` over those with frames."""
    for name, keep in (
        ("config", lambda c: True),
        ("texted", lambda c: configs.text_of(c) is not None),
        ("framed", lambda c: configs.plain(c).dims == 3),
    ):
        if name in metafunc.fixturenames:
            chosen = {k: c for k, c in ALL.items() if keep(c)}
            metafunc.parametrize(name, chosen.values(), ids=chosen.keys())
