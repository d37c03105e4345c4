"""Photographs drawn by hand, a tiny cascade of text to tune, and a real process of ``mezzotint tune``."""

from __future__ import annotations

import io
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageDraw

from mezzotint.cli import run
from mezzotint.conditioning.text import encoder
from mezzotint.files import sha256_file
from mezzotint.making.tuned.base import Base
from mezzotint.making.tuned.learn import Lesson, lesson, tunable_of
from mezzotint.nets import DiTConfig, TextConfig, UNetConfig, UpsamplerConfig, build, config_to_dict
from mezzotint.nets.config import LEVEL_WAVES
from mezzotint.pretrained.folder import save_model
from mezzotint.pretrained.spec import Card, Sampling, Spec, Text
from mezzotint.pretrained.system import StageSpec, save_system
from mezzotint.tuning.photos import read_shoot
from mezzotint.tuning.settings import Settings
from mezzotint.tuning.words import Subject

BLOCKED = Path(__file__).parents[1] / "cli" / "no_network"
"""On the import path of a process it refuses sockets."""

CARD = Card("Tiny", "Untrained, for tests.", "CC0-1.0")
TEXT = TextConfig(384, "in_context", 12)


def mug(side: int, hue: tuple[int, int, int], turn: int, paper: tuple[int, ...]) -> Image.Image:
    """A mug that is not in the middle, its handle left or right."""
    image = Image.new("RGBA" if len(paper) == 4 else "RGB", (side, side), paper)
    draw = ImageDraw.Draw(image)
    left = side // 4 + turn * side // 40
    draw.ellipse(
        (left - side // 8 if turn % 2 else left + side // 3, side // 2, left + side // 2, side * 7 // 10), fill=hue
    )
    draw.rectangle((left, side // 3, left + side * 2 // 5, side * 4 // 5), fill=hue)
    draw.rectangle((left, side // 3, left + side * 2 // 5, side * 2 // 5), fill=tuple(v // 2 for v in hue))
    for k in range(6):  # something fine to see: a flat mug would count as blurred
        x = left + k * side // 16
        draw.line((x, side * 2 // 5, x, side * 4 // 5), fill=(250, 250, 250), width=max(1, side // 64))
    return image


def photographs(
    folder: Path, n: int, *, hue: tuple[int, int, int] = (30, 90, 170), side: int = 64, clear: bool = True
) -> Path:
    """n photographs of one mug; clear: transparent behind it, else on grey."""
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(n):
        mug(side, hue, k, (0, 0, 0, 0) if clear else (200, 200, 200)).save(folder / f"{k}.png")
    return folder


def stage(folder: Path, config: object, shape: tuple[int, ...], scale: float) -> None:
    torch.manual_seed(0)
    state = build(config).state_dict()  # type: ignore[arg-type]
    spec = Spec(
        net=config_to_dict(config),  # type: ignore[arg-type]
        parametrisation={"name": "edm", "sigma_data": 0.5},
        schedule={"name": "karras", "sigma_min": 0.01, "sigma_max": 20.0, "rho": 7.0},
        codec={"name": "pixels"},
        shape=shape,
        sampling={"standard": Sampling("dpmpp_2m", {"name": "karras"}, 3, scale)},
        card=CARD,
    )
    save_model(folder, {k: w + 0.1 * torch.randn_like(w) for k, w in state.items()}, spec, torch.float32)


def text_cascade(folder: Path, card: Card = CARD) -> Path:
    """Text -> 16 px -> 32 px."""
    base = DiTConfig(in_channels=3, out_channels=3, size=(16, 16), patch=4, width=32, depth=2, heads=1, text=TEXT)
    up = UpsamplerConfig(UNetConfig(2, 6, 3, (32, 32), 2, 16, (1, 2), 1, (), head_dim=16, vector=LEVEL_WAVES))
    stage(folder / "base", base, (3, 16, 16), 2.0)
    stage(folder / "up", up, (3, 32, 32), 1.0)
    stages = (StageSpec("base", {"name": "keep"}), StageSpec("up", {"name": "lowres", "logsnr": 4.0}))
    said = Text("minilm", encoder("minilm").sha256, 12, ("a", "red", "mug", "on", "background"), "products")
    save_system(folder, stages, card, 0, said)
    return folder


HOW = (
    *("--steps", "8", "--batch", "4", "--moments", "2", "-n", "4", "--prior-pictures", "4", "--rank", "2"),
    *("--dtype", "float32", "--photo-licence", "our own"),
)
"""A run of seconds."""


def words(photos: Path, model: Path, out: Path, *more: str) -> list[str]:
    return ["tune", str(photos), "--name", "acme mug", "--model", str(model), "--out", str(out), *HOW, *more]


def environment(home: Path) -> dict[str, str]:
    """Of a process: no settings of the user's, no network."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith("MEZZOTINT_")}
    path = os.pathsep.join(filter(None, [str(BLOCKED), os.environ.get("PYTHONPATH")]))
    own = {"MEZZOTINT_HOME": str(home), "XDG_CONFIG_HOME": str(home), "HF_HUB_CACHE": str(home / "hub")}
    return {**keep, **own, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def heeding() -> None:
    """Ctrl-C counts, also where these tests run in the background, whose processes ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def limited() -> None:
    """No file may grow beyond 20 kB, which is how a full disk answers a write."""
    heeding()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def started(arguments: list[str], home: Path, before: Callable[[], None] = heeding) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from mezzotint.cli import main; main()", *arguments]
    return subprocess.Popen(
        command, env=environment(home), text=True, preexec_fn=before,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def ran(arguments: list[str], home: Path) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of the command, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setenv("MEZZOTINT_HOME", str(home))
        patch.setenv("XDG_CONFIG_HOME", str(home))
        code = run(arguments)
    return code, out.getvalue(), err.getvalue()


def finished(child: subprocess.Popen[str]) -> tuple[int, str, str]:
    """(exit code, standard output, standard error)."""
    try:
        out, err = child.communicate(timeout=240)
    finally:
        child.kill()
    return child.returncode, out, err


@dataclass(frozen=True)
class Whole:
    """A run from beginning to end.   printed: its JSON document.  before, after: hashes of the base's files."""

    out: Path
    printed: dict[str, Any]
    before: dict[str, str]
    after: dict[str, str]


def hashes(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): sha256_file(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def tiny_lesson(model: Base, photos: Path, said: Settings) -> Lesson:
    """Of all photographs of a folder, without pictures of a prior; measured on the same."""
    who = Subject("acme mug", "mug")
    seen = read_shoot(photos, 64).photos
    return lesson(model, tunable_of(model, said.method), {who: seen}, {who: ()}, (), said)
