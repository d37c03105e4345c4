"""T-LoRA from learning to pictures, ours and two in diffusers' layout: rows at other levels learn together, the file
says that its rank falls, and pictures are made so; other tools' layouts refuse it unless told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from asking import request_of
from test_tune_kill import halfway, same, wait
from torch import Tensor
from tuning_case import finished, started, tiny_lesson, words

import mezzotint as mz
from mezzotint.cli import run
from mezzotint.diffusion.denoiser import Preconditioned
from mezzotint.diffusion.level import Level
from mezzotint.errors import ModelError, UsageError
from mezzotint.making.tuned.base import base, worn
from mezzotint.nets.adapters.contents import contents_of
from mezzotint.nets.adapters.falling import ByLevel, Falling
from mezzotint.nets.adapters.trained import learnt
from mezzotint.pretrained.adapters import read_adapter, with_adapters
from mezzotint.pretrained.exchange.convert import convert_adapter
from mezzotint.pretrained.exchange.save import layout_for, write_adapter
from mezzotint.pretrained.model import Model, load
from mezzotint.pretrained.passport import Base, Passport, Photos, passport_in
from mezzotint.tensorfile import read_header
from mezzotint.tuning.settings import Method, Settings
from mezzotint.tuning.task import Tuned

FALLS = Method("tlora", rank=2, rank_at_noise=1)
LEVELS = Level(torch.tensor([1.0, 0.8, 0.05]).double(), torch.tensor([0.05, 0.6, 0.99]).double())


def passport(model: Model, least: int | None) -> Passport:
    shot = Photos(5, "0" * 64, "our own")
    by = Base(model.name, "x", "0" * 64)
    return Passport("mug", by, "tlora", 2, None, ("mug",), "mug", shot, {}, {}, "", {}, 0, "", rank_at_noise=least)


def asked(model: Model, x: Tensor, *, level: Level = LEVELS) -> Tensor:
    denoiser = model.main.denoiser("cpu", torch.float32)
    said = mz.prepare(request_of("a mug", model=model)).pictures[0].told.conds(torch.float32)[0]
    cond = {k: v.expand(len(x), *v.shape[1:]) for k, v in said.items() if k in model.main.takes}
    with torch.no_grad():
        return denoiser(x, level, cond).mean


@pytest.fixture(scope="module")
def file(cascade: Path, shoot: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(cascade, shoot, tmp_path_factory.mktemp("falling"))


def made(folder: Path, shoot: Path, out: Path, least: int | None = 1) -> Path:
    """A file of random weights that says that its rank falls."""
    model = base(load(folder), "cpu", "float32")
    lesson = tiny_lesson(model, shoot, Settings(FALLS, 4, 4, moments=1))
    net = lesson.recipe.build(lesson.recipe.net)
    torch.manual_seed(3)
    values = {name: p + 0.3 * torch.randn_like(p) for name, p in net.named_parameters() if p.requires_grad}
    contents = contents_of(learnt(net, values))
    path = out / f"{least}.safetensors"
    write_adapter(path, contents, model.system, layout_for(contents, model.system), passport(model.model, least))
    return path


def test_rows_at_other_levels_learn_as_each_is_worn(model: Path, shoot: Path) -> None:
    held = base(load(model), "cpu", "float32")
    lesson = tiny_lesson(held, shoot, Settings(FALLS, 4, 4, moments=1))
    net = lesson.recipe.build(lesson.recipe.net)
    assert isinstance(net, Tuned)
    torch.manual_seed(3)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.2 * torch.randn_like(p) * p.requires_grad)

    items = [lesson.data.train.open(0, print)[k] for k in range(3)]
    cond, x = dict(lesson.recipe.conditioning(items)), torch.randn(3, *held.stage.spec.shape)
    with torch.no_grad():
        learning = Preconditioned(net.at(LEVELS), lesson.recipe.parametrisation)(x, LEVELS, cond).mean
        tuned = load(
            replace(held.until.system, adapters=(worn("mug", {p: o.change for p, o in learnt(net).items()}, "t"),))
        )
        denoiser = tuned.main.denoiser("cpu", torch.float32)
        assert isinstance(denoiser, ByLevel)
        for k in range(3):
            row = {name: value[k : k + 1] for name, value in cond.items()}
            alone = denoiser(x[k : k + 1], LEVELS[k], row).mean[0]
            assert torch.allclose(alone, learning[k], atol=2e-4)
        whole = denoiser(x, Level(torch.ones(3).double(), torch.zeros(3).double()), cond).mean
        assert torch.isfinite(whole).all()


def test_the_file_says_that_its_rank_falls(cascade: Path, shoot: Path, file: Path, tmp_path: Path) -> None:
    falling = load(with_adapters(load(cascade).system, [str(file)]))
    plain = load(with_adapters(load(cascade).system, [str(made(cascade, shoot, tmp_path, None))]))
    x = torch.randn(3, *falling.main.spec.shape)
    one, other = asked(falling, x), asked(plain, x)
    assert not torch.allclose(one[2], other[2], atol=1e-3)
    clean = Level(torch.ones(3).double(), torch.full((3,), 1e-9).double())
    assert torch.allclose(asked(falling, x, level=clean), asked(plain, x, level=clean), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cascade", "sd1", "sd3"])
def test_pictures_beside_each_other_are_those_of_each_alone(
    request: pytest.FixtureRequest, shoot: Path, tmp_path: Path, name: str
) -> None:
    folder = request.getfixturevalue(name)
    one, model = made(folder, shoot, tmp_path), load(folder)
    said = [{"steps": 3, "seed": 1, "lora": (one,)}, {"steps": 4, "seed": 2, "lora": (one,)}, {"steps": 3, "seed": 1}]
    jobs = [mz.prepare(request_of("a red mug", model=model, dtype="float32", **how)) for how in said]  # type: ignore[arg-type]
    alone = [[e.pixels for e in mz.stream(job) if isinstance(e, mz.Image)] for job in jobs]
    walks, beside = [mz.stream(job) for job in jobs], [list[np.ndarray]() for _ in jobs]
    going = set(range(3))
    while going:
        for k in sorted(going):
            event = next(walks[k], None)
            if event is None:
                going.discard(k)
            elif isinstance(event, mz.Image):
                beside[k].append(event.pixels)
    assert all(
        np.array_equal(a, b)
        for those, ours in zip(alone, beside, strict=True)
        for a, b in zip(those, ours, strict=True)
    )
    assert not np.array_equal(alone[0][0], alone[2][0])


def test_blocks_are_not_compiled_for_one_rank(cascade: Path, file: Path) -> None:
    worn = load(with_adapters(load(cascade).system, [str(file)]))
    with pytest.raises(UsageError, match="--compile does not go with an adapter whose rank falls"):
        worn.main.denoiser("cpu", torch.float32, compiled=True)


@pytest.mark.parametrize("layout", ["diffusers", "kohya", "peft", "comfyui"])
def test_other_tools_layouts_refuse_it_unless_told(cascade: Path, file: Path, tmp_path: Path, layout: str) -> None:
    system = load(cascade).system
    with pytest.raises(
        UsageError, match=f"its rank falls with noise, to 1, which {layout} files have no form for; give"
    ):
        convert_adapter(file, system, layout, tmp_path / "no")  # type: ignore[arg-type]
    assert not (tmp_path / "no").exists()
    (one,) = convert_adapter(file, system, layout, tmp_path / "yes.safetensors", "whole")  # type: ignore[arg-type]
    changes = read_adapter(one.path.parent if layout == "peft" else one.path, system).parts["denoiser"].values()
    assert changes and not any(isinstance(change, Falling) for change in changes)
    known = passport_in(read_header(one.path).metadata, "f")
    assert known is not None and known.method == "lora" and known.rank_at_noise is None


def test_the_command_says_the_same(
    cascade: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["convert", str(file), "--to", "kohya", "--base", str(cascade), "--out", str(tmp_path / "k.safetensors")]
    assert run(words) == 2 and "give --rank whole" in capsys.readouterr().err
    assert run([*words, "--rank", "half"]) == 2 and "unknown rank 'half'" in capsys.readouterr().err
    assert run([*words, "--rank", "whole"]) == 0 and (tmp_path / "k.safetensors").is_file()


def test_a_passport_that_fits_no_layer_is_refused(cascade: Path, shoot: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"a rank of 3 at full noise; its .* has none such"):
        read_adapter(made(cascade, shoot, tmp_path, 3), load(cascade).system)


@pytest.mark.slow
def test_killed_and_resumed_is_equal_to_the_bit(cascade: Path, shoot: Path, tmp_path: Path) -> None:
    method = ("--method", "tlora", "--rank-at-noise", "1", "--quiet")
    code, _, err = finished(started(words(shoot, cascade, tmp_path / "whole", *method), tmp_path))
    assert code == 0, err
    out = tmp_path / "o"
    child = started(words(shoot, cascade, out, *method), tmp_path)
    wait(child, halfway, out)
    child.kill()
    finished(child)
    assert not (out / "adapter.safetensors").exists()
    code, _, err = finished(started(words(shoot, cascade, out, *method, "--resume"), tmp_path))
    assert code == 0 and same(out / "adapter.safetensors", tmp_path / "whole/adapter.safetensors"), err
    said = json.loads(read_header(out / "adapter.safetensors").metadata["mezzotint.passport"])
    assert said["method"] == "tlora" and said["rank"] == 2 and said["rank_at_noise"] == 1
    assert "--rank-at-noise 1" in said["command"]
    note = "other tools put this adapter on with all of its rank at every level, as they know no rank that falls"
    assert note in json.loads((out / "tune.json").read_text())["notes"]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"name": "lora", "rank_at_noise": 1}, "rank at noise has no effect on lora; leave it out, or choose tlora"),
        ({"name": "tlora", "rank": 4, "rank_at_noise": 5}, "rank at noise is 5; expected 0 to the rank, 4"),
        ({"name": "tlora", "rank": 4, "rank_at_noise": -1}, "rank at noise is -1; expected 0 to the rank, 4"),
    ],
)
def test_wrong_words(how: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Method(**how)  # type: ignore[arg-type]


def test_half_of_the_rank_is_left_where_nobody_says() -> None:
    assert [Method("tlora", rank).least for rank in (1, 4, 5)] == [1, 2, 3] and Method().least is None
