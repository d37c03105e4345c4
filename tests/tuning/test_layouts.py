"""``tune`` on tiny checkpoints of SDXL, SD3, FLUX and PixArt: what is learnt is the adapters on attention exactly, and
the file does here, in diffusers and in PEFT what a base does whose weights were changed by hand in float64."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import checkpoints
import pytest
import torch
from exchanging import latents, merged
from test_exchange_peers import NEAR, answer, check, gap, loaded
from tuning_case import hashes

import mezzotint as mz
from mezzotint.errors import UsageError
from mezzotint.nets.adapters.contents import Contents
from mezzotint.pretrained.adapters import layers_of, parts_to_adapt
from mezzotint.pretrained.exchange.convert import convert_adapter
from mezzotint.pretrained.exchange.read import read_contents
from mezzotint.pretrained.system import System, describe_system
from mezzotint.pretrained.tunable import ATTENTION

peft = pytest.importorskip("peft")

MADE = {
    "sdxl": checkpoints.stable_diffusion_xl,
    "sd3": checkpoints.stable_diffusion_3,
    "flux": lambda folder: checkpoints.flux(folder, distilled=False),  # whose pictures are made in four steps
    "pixart": checkpoints.pixart,
}


@dataclass(frozen=True, eq=False)
class Learnt:
    """One run.   before, after: hashes of the base's files."""

    name: str
    folder: Path
    system: System
    made: mz.Tuned
    before: dict[str, str]
    after: dict[str, str]

    @property
    def file(self) -> Path:
        assert self.made.adapter is not None
        return self.made.adapter

    @property
    def contents(self) -> Contents:
        return read_contents(self.file, self.system)[0]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module", params=[k if k == "pixart" else pytest.param(k, marks=pytest.mark.slow) for k in MADE])
def run(request: pytest.FixtureRequest, shoot: Path, tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    """Three updates at a high rate, so that something is learnt."""
    place = tmp_path_factory.mktemp(request.param)
    folder = MADE[request.param](place / "base")
    before = hashes(folder)
    made = mz.tune(
        shoot, name="acme mug", model=folder, out=place / "o", steps=3, batch=2, moments=1, rate=0.05, n=2, rank=2,
        prior_pictures=0, dtype="float32", size="32x32",
    )  # fmt: skip
    return Learnt(request.param, folder, describe_system(folder), made, before, hashes(folder))


def test_what_is_learnt_is_attention_s_adapters_exactly(run: Learnt) -> None:
    (denoiser,) = run.contents.values()
    every = layers_of(parts_to_adapt(run.system)["denoiser"])
    assert set(denoiser) == {path for path in every if ATTENTION.search(path)} and 4 < len(denoiser) < len(every)
    assert all(set(h.tensors) == {"down", "up"} and h.tensors["down"].shape[0] == 2 for h in denoiser.values())
    # B began as zeros.  What SD3's last block makes of its texts goes nowhere, so there is nothing to learn of it.
    unmoved = {path for path, held in denoiser.items() if not held.tensors["up"].any()}
    assert unmoved == ({"transformer_blocks.1.attn.add_q_proj"} if run.name == "sd3" else set())


def test_the_base_keeps_its_bytes(run: Learnt) -> None:
    assert run.before == run.after and run.made.found is not None and list(run.made.found.evidence) == [0, 3]


def test_it_loads_here(run: Learnt) -> None:
    plain, worn = latents(run.folder), latents(run.folder, run.file)
    assert plain.shape == worn.shape and torch.isfinite(worn).all() and gap(worn, plain) > 1e-3


def test_diffusers_loads_it(run: Learnt, caplog: pytest.LogCaptureFixture) -> None:
    """PixArt's pipeline takes no adapter files; PEFT does."""
    if run.name != "pixart":
        check(loaded(run.folder, run.file, caplog), run.system, run.contents)


def test_peft_loads_it(run: Learnt, tmp_path: Path) -> None:
    (other,) = convert_adapter(run.file, run.system, "peft", tmp_path / "a")
    assert run.system.components is not None
    base, place = merged(run.system, "denoiser", {}), other.path.parent
    plain, expected = answer(base), answer(merged(run.system, "denoiser", run.contents["denoiser"]))
    theirs = peft.PeftModel.from_pretrained(base, place)
    assert gap(answer(theirs.eval()), expected) < NEAR and gap(plain, expected) > 1e-3


def test_a_size_is_square_and_one_that_is_made(run: Learnt, cascade: Path, shoot: Path, tmp_path: Path) -> None:
    words = {"name": "acme mug", "out": tmp_path / "o"}
    for folder, size, said in (
        (run.folder, "64x32", "not square"),
        (run.folder, "30x30", "cannot be made"),
        (cascade, "16x16", "not one that"),
    ):
        with pytest.raises(UsageError, match=said):
            mz.tune(shoot, model=folder, size=size, **words)  # type: ignore[arg-type]
