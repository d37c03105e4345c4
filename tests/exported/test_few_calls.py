"""Optimised grids and learned solvers without torch: those that ``generate`` takes, and none else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from asking import request_of

import mezzotint as mz
from mezzotint.errors import UsageError
from mezzotint.exported.folder import Exported, read
from mezzotint.exported.job import prepare
from mezzotint.exported.run import stream
from mezzotint.exported.ways import ways_of
from mezzotint.exported.write import export
from mezzotint.fewstep.parameters import Layout, fixed
from mezzotint.making.image import Image
from mezzotint.pretrained.model import load
from mezzotint.pretrained.sidecar import SideCar, write
from mezzotint.pretrained.spaced import grid_path, write_grid

U = (1.0, 0.93, 0.71, 0.4, 0.0)


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))


def car(model: Path, scale: float | None = None, calls: int = 3) -> SideCar:
    """A side-car of a model whose numbers are any; it is written."""
    main = load(model).main
    theta = 0.1 * torch.randn(Layout(calls).size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    solver, u = fixed(theta, torch.linspace(0.98, 0.01, calls + 1, dtype=torch.float64))
    usual = main.spec.sampling["standard"].scale if scale is None else scale
    about = (main.described.name, main.described.weights_sha256, usual, main.spec.shape, "float32")
    made = SideCar(*about, solver, tuple(u.tolist()))
    write(made)
    return made


def same(model: Path | str, folder: Path, **words: object) -> Image:
    """The picture of an export, made by the same words as torch's, and as near to it as any other is."""
    said = {"prompt": "Sneaker", "seed": 5, "threads": 1, **words}
    (ours,) = (event for event in stream(prepare(request_of(model=folder, **said))) if isinstance(event, Image))
    (theirs,) = mz.generate(model=model, **said).images  # type: ignore[arg-type]
    assert np.abs(ours.pixels.astype(int) - theirs.pixels).max() <= 1
    assert ours.receipt.made.stages[0].solver == theirs.receipt.made.stages[0].solver
    assert ours.receipt.made.stages[0].grid == theirs.receipt.made.stages[0].grid
    return ours


def exported(model: Path | str, out: Path, *solvers: str, steps: tuple[int, ...], grid: str | None = None) -> Exported:
    return export(model, out=out, solver=solvers, steps=steps, grid=grid)


def test_an_optimised_grid_is_the_one_of_generate(tiny: Path, tmp_path: Path) -> None:
    main = load(tiny).main
    write_grid(grid_path(main.described.weights_sha256, "gits", 4, main.spec.sampling["standard"].scale), "gits", U)
    made = exported(tiny, tmp_path / "e", "unipc", steps=(4,), grid="auto")
    way = next(way for way in made.ways[0] if way.grids == ("auto",))
    assert way.grid == {"name": "auto", "by": "gits", "u": list(U)}
    same(tiny, made.folder, solver="unipc", steps=4, grid="auto")


def test_a_learned_solver_is_the_one_of_generate(tiny: Path, tmp_path: Path) -> None:
    one = car(tiny)
    made = exported(tiny, tmp_path / "e", "learned", steps=(3,))
    way = next(way for way in made.ways[0] if way.learned)
    assert (way.names, way.steps, way.grid["u"]) == (("learned",), 3, list(one.u))
    same(tiny, made.folder, solver="learned", steps=3)
    assert same(tiny, made.folder, solver="learned").receipt.made.stages[0].steps == 3, "of most steps, where none said"


@pytest.mark.slow
def test_the_one_that_ships_with_fashion(tmp_path: Path) -> None:
    made = exported("fashion", tmp_path / "e", "learned", steps=(6,))
    assert same("fashion", made.folder, solver="learned", steps=6, dtype="float32").receipt.made.stages[0].steps == 6


def test_a_solver_of_other_steps_or_scale_is_refused(tiny: Path) -> None:
    stage = load(tiny).main
    with pytest.raises(UsageError, match="has no learned solver; make one"):
        ways_of(stage, ("learned",), None, (3,))
    one = car(tiny, scale=4.0)
    with pytest.raises(UsageError, match=r"made for scale 4, not 1\.5; nothing is exported"):
        ways_of(stage, ("learned",), None, (3,))
    write(replace(one, scale=1.5))
    with pytest.raises(UsageError, match="no learned solver of 4 steps but of 3"):
        ways_of(stage, ("learned",), None, (4,))
    with pytest.raises(UsageError, match="has its own grid"):
        ways_of(stage, ("learned",), "auto", (3,))


def test_the_commands_behind_them_need_no_receipt(tiny: Path, tmp_path: Path, made_again) -> None:
    car(tiny)
    folder = exported(tiny, tmp_path / "e", "learned", steps=(3,)).folder
    words = ["generate", f"--model={folder}", "--seed=5", "--solver=learned", "--steps=3", "--", "Sneaker"]
    (said,) = made_again(words, {"EXPORT": read(folder).folder})
    assert "--solver=learned" in said and "--steps=3" in said
