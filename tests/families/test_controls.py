"""ControlNets: the pictures of diffusers' pipelines, several at once, for some of the steps, and what is refused."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import parity
import pytest
import torch
from asking import request_of
from checkpoints import controlnet
from PIL import Image
from pipelines import made_by
from thinned import thinned
from torch import Tensor

import mezzotint as mz
from mezzotint.diffusion.noise import Noise
from mezzotint.errors import MezzotintError
from mezzotint.pictures.flat import covering
from mezzotint.pretrained.controls import Said, said_of

STEPS, SEED, PROMPT, AWAY = 5, 7, "a red chair", "blue"
DDIM = "DDIMScheduler:steps_offset=1,set_alpha_to_one=False"
EULER = "EulerDiscreteScheduler:timestep_spacing=leading,steps_offset=1"
DPM = "DPMSolverMultistepScheduler:timestep_spacing=leading,steps_offset=1"


def drawn(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def nets(sd1: Path, sdxl: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """edges and depth for 1.x, edges for XL, and pictures of the right and of other sizes."""
    folder = tmp_path_factory.mktemp("controls")
    controlnet(folder / "edges", sd1)
    controlnet(folder / "depth", sd1, seed=1)
    controlnet(folder / "xl", sdxl)
    Image.fromarray(drawn(32, 32)).save(folder / "a.png")
    Image.fromarray(drawn(32, 32, 1)).save(folder / "b.png")
    Image.fromarray(drawn(64, 64, 2)).save(folder / "large.png")
    Image.fromarray(drawn(80, 40, 3)).save(folder / "wide.png")
    return folder


def mine(folder: Path, **words: Any) -> tuple[Tensor, np.ndarray]:
    said = {"model": folder, "seed": SEED, "steps": STEPS, "scale": 5.0, "negative_prompt": AWAY, **words}
    events = list(mz.stream(mz.prepare(request_of(PROMPT, **said))))
    last = [e.state.x for e in events if isinstance(e, mz.Progress)][-1]
    return last, next(e.pixels for e in events if isinstance(e, mz.Image))


def theirs(
    folder: Path, nets: Sequence[Path], pictures: Sequence[Path], solver: str | None = None, **words: Any
) -> tuple[Tensor, np.ndarray]:
    xl = "XL" in (folder / "model_index.json").read_text()
    made = diffusers.StableDiffusionXLControlNetPipeline if xl else diffusers.StableDiffusionControlNetPipeline
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = [diffusers.ControlNetModel.from_pretrained(net) for net in nets]
        lacks = {} if xl else {"safety_checker": None}
        pipe = made.from_pretrained(folder, controlnet=loaded[0] if len(loaded) == 1 else loaded, **lacks)
        pipe.set_progress_bar_config(disable=True)
        if solver is not None:
            config = {k: v for k, v in pipe.scheduler.config.items() if k.startswith("beta_")}
            name = solver.partition(":")[0]
            extra = {"set_alpha_to_one": False, "clip_sample": False} if "DDIM" in name else {}
            pipe.scheduler = getattr(diffusers, name)(**config, timestep_spacing="leading", steps_offset=1, **extra)
        begin = Noise((SEED,))(0, (1, 4, 16, 16)).float()
        images = [Image.open(path) for path in pictures]
        said = {"image": images[0] if len(images) == 1 else images, "negative_prompt": AWAY, "latents": begin,
                "num_inference_steps": STEPS, "guidance_scale": 5.0, "width": 32, "height": 32, **words}  # fmt: skip
        return made_by(pipe, PROMPT, **said)


def agree(a: tuple[Tensor, np.ndarray], b: tuple[Tensor, np.ndarray], solver: str | None = None) -> bool:
    return parity.agree("ControlNet", solver, a[0], b[0], a[1], b[1])


@pytest.mark.slow
@pytest.mark.parametrize(("family", "solver"), thinned(["sd1", "sdxl"], [None, DDIM, EULER, DPM]))
def test_the_picture_is_that_of_the_pipeline(
    family: str, solver: str | None, nets: Path, request: pytest.FixtureRequest
) -> None:
    folder, net = request.getfixturevalue(family), {"sd1": "edges", "sdxl": "xl"}[family]
    found = mine(folder, solver=solver, control=[f"{nets / net}:0.8"], control_image=[nets / "a.png"])
    expected = theirs(folder, [nets / net], [nets / "a.png"], solver, controlnet_conditioning_scale=0.8)
    assert agree(found, expected, solver)
    assert not agree(mine(folder, solver=solver), expected)


def test_several_add_up(sd1: Path, nets: Path) -> None:
    found = mine(sd1, control=[f"{nets / 'edges'}:0.7", nets / "depth"], control_image=[nets / "a.png", nets / "b.png"])
    both = [nets / "edges", nets / "depth"]
    assert agree(found, theirs(sd1, both, [nets / "a.png", nets / "b.png"], controlnet_conditioning_scale=[0.7, 1.0]))


@pytest.mark.slow
@pytest.mark.parametrize(("solver", "shares"), thinned([DDIM, EULER], [(0.0, 0.5), (0.2, 0.9), (0.4, 1.0)]))
def test_a_share_of_the_steps(shares: tuple[float, float], solver: str, sd1: Path, nets: Path) -> None:
    begin, end = shares
    control = f"{nets / 'edges'}:1:{begin}-{end}"
    found = mine(sd1, solver=solver, control=[control], control_image=[nets / "a.png"])
    asked = {"control_guidance_start": begin, "control_guidance_end": end}
    expected = theirs(sd1, [nets / "edges"], [nets / "a.png"], solver, **asked)
    assert agree(found, expected)
    assert not agree(mine(sd1, solver=solver, control=[nets / "edges"], control_image=[nets / "a.png"]), expected)


def test_no_step_and_no_weight_are_no_control(sd1: Path, nets: Path) -> None:
    plain = mine(sd1)[1]
    for control in (f"{nets / 'edges'}:1:0.5-0.55", f"{nets / 'edges'}:0"):
        assert np.array_equal(mine(sd1, control=[control], control_image=[nets / "a.png"])[1], plain)


def test_pictures_of_other_sizes_cover_and_are_cut(sd1: Path, nets: Path, tmp_path: Path) -> None:
    """Of the same shape it is what diffusers does; diffusers stretches others."""
    found = mine(sd1, control=[nets / "edges"], control_image=[nets / "large.png"])
    assert agree(found, theirs(sd1, [nets / "edges"], [nets / "large.png"]))
    Image.fromarray(covering(drawn(80, 40, 3), (32, 32))).save(tmp_path / "cut.png")
    cut = mine(sd1, control=[nets / "edges"], control_image=[tmp_path / "cut.png"])[1]
    assert np.array_equal(mine(sd1, control=[nets / "edges"], control_image=[nets / "wide.png"])[1], cut)
    words = {"control": [nets / "edges"], "control_image": [nets / "wide.png"]}
    assert mine(sd1, size="48x32", **words)[1].shape == (32, 48, 3)


def test_with_a_picture_to_begin_from(sd1: Path, nets: Path) -> None:
    """Shares are of the steps that are run."""
    words = {"image": nets / "b.png", "strength": 0.6, "solver": DDIM, "control_image": [nets / "a.png"], "steps": 10}
    whole = mine(sd1, control=[nets / "edges"], **words)[1]
    assert not np.array_equal(whole, mine(sd1, image=nets / "b.png", strength=0.6, solver=DDIM, steps=10)[1])
    half = mine(sd1, control=[f"{nets / 'edges'}:1:0-0.5"], **words)[1]
    none = mine(sd1, control=[f"{nets / 'edges'}:1:0-0.1"], **words)[1]
    assert not np.array_equal(half, whole) and not np.array_equal(half, none)


def test_requests_with_other_controls_run_beside_each_other(sd1: Path, nets: Path) -> None:
    model = mz.load(sd1)
    words: list[dict[str, Any]] = [
        {"control": [nets / "edges"], "control_image": [nets / "a.png"]},
        {},
        {"control": [f"{nets / 'edges'}:0.5"], "control_image": [nets / "b.png"]},
        {"control": [f"{nets / 'depth'}:1:0-0.5"], "control_image": [nets / "b.png"]},
    ]
    alone = [mine(model, **w)[1] for w in words]
    assert len({a.tobytes() for a in alone}) == len(words)
    said = {"model": model, "seed": SEED, "steps": STEPS, "scale": 5.0, "negative_prompt": AWAY}
    walks = [mz.stream(mz.prepare(request_of(PROMPT, **said, **w))) for w in words]
    found = [e.pixels for events in zip(*walks, strict=True) for e in events if isinstance(e, mz.Image)]
    assert all(np.array_equal(a, b) for a, b in zip(alone, found, strict=True))


def test_receipts_name_control_weight_steps_and_picture(sd1: Path, nets: Path) -> None:
    def made(control: str, picture: str) -> Any:
        words = {"control": [f"{nets}/{control}"], "control_image": [nets / picture]}
        return mz.generate("ch", model=sd1, steps=2, **words).images[0].receipt.made

    one = made("edges:0.5:0-0.5", "a.png")
    (said,) = one.attached
    assert (said["kind"], said["name"], said["weight"]) == ("control", "edges", 0.5)
    assert (said["begin"], said["end"]) == (0.0, 0.5) and len(str(said["picture"])) == len(str(said["sha256"])) == 64
    others = [made("edges:0.5", "a.png"), made("edges:0.5:0-0.5", "b.png"), made("depth:0.5:0-0.5", "a.png")]
    assert len({one.asset_id, *(o.asset_id for o in others)}) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("canny", Said(Path("canny"))),
        ("canny:0.8", Said(Path("canny"), 0.8)),
        ("a:b/canny:-1:0.1-0.5", Said(Path("a:b/canny"), -1.0, 0.1, 0.5)),
        ("C:canny", Said(Path("C:canny"))),
    ],
)
def test_controls_in_words(text: str, said: Said) -> None:
    assert said_of(text) == said


@pytest.mark.parametrize(
    ("text", "said"), [("x:11", "expected -10 to 10"), ("x:1:0.5-0.2", "begin < end"), ("x:nan", "weight is nan")]
)
def test_faults_in_words(text: str, said: str) -> None:
    with pytest.raises(MezzotintError, match=said):
        said_of(text)


def test_what_does_not_fit(sd1: Path, sdxl: Path, flux_dev: Path, nets: Path, tmp_path: Path) -> None:
    def refused(said: str, model: str | Path = sd1, control: Path = nets / "edges", picture: str = "a.png") -> None:
        with pytest.raises(MezzotintError, match=said) as error:
            mz.prepare(request_of("ch", model=model, control=[control], control_image=[nets / picture]))
        assert "\n" not in str(error.value)

    refused("is for another base than model: its cross_attention_dim is 32, the base's 56", sdxl)
    refused("is for another base", control=nets / "xl")
    refused("takes no controls", flux_dev)
    refused("is a UNet2DConditionModel; expected a ControlNetModel", control=sd1 / "unet")
    refused(r"no config\.json", control=tmp_path)
    refused("no file", picture="nowhere.png")
    with pytest.raises(MezzotintError, match="1 controls and 0 pictures"):
        mz.prepare(request_of("ch", model=sd1, control=[nets / "edges"]))
    with pytest.raises(MezzotintError, match="0 controls and 1 pictures"):
        mz.prepare(request_of("ch", model=sd1, control_image=[nets / "a.png"]))
    with pytest.raises(MezzotintError, match="takes no controls"):
        mz.prepare(request_of("sneaker", model="fashion", control=[nets / "edges"], control_image=[nets / "a.png"]))
    shutil.copytree(nets / "edges", tmp_path / "other")
    config = json.loads((tmp_path / "other/config.json").read_text())
    config["conditioning_embedding_out_channels"] = [8, 16, 16]
    (tmp_path / "other/config.json").write_text(json.dumps(config))
    refused("makes its picture 4 times smaller", control=tmp_path / "other")
    shutil.copytree(nets / "edges", tmp_path / "pickled")
    weights = tmp_path / "pickled/diffusion_pytorch_model.safetensors"
    torch.save({}, tmp_path / "pickled/diffusion_pytorch_model.bin")
    weights.unlink()
    with pytest.raises(MezzotintError, match="pickle"):
        mz.prepare(request_of("ch", model=sd1, control=[tmp_path / "pickled"], control_image=[nets / "a.png"]))
