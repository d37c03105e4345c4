"""The peer of ``tune_fidelity.py``: PEFT on the base's own network in the loop of diffusers' DreamBooth-LoRA script.

``train_dreambooth_lora.py`` of diffusers' examples as read, with prior preservation: pictures of the class made by the
base beforehand, one prompt for the product and one for its class, as many rows of the one as of the other, levels
uniform in the schedule's own time, the squared error of what the network predicts, AdamW at its defaults, clipping at
1, a constant rate, no masks.  Where it can be done in more than one way, the cheaper is taken: pictures are read once,
and those of the class are made in the base's own standard number of steps, which is less than its pipelines' 50.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mezzotint.diffusion.denoiser import Cond
    from mezzotint.diffusion.level import Level
    from mezzotint.diffusion.objective import LevelSampler
    from mezzotint.making.job import Job
    from mezzotint.making.tuned.base import Base

RATE, BETAS, DECAY, EPSILON, CLIP, PRIOR = 5e-4, (0.9, 0.999), 1e-2, 1e-8, 1.0, 1.0
ROWS, CLASS_PICTURES, SEED = 4, 100, 2**41


@dataclass(frozen=True)
class Setting:
    """How the script is run.

    dtype: of frozen weights, and of arithmetic by autocast; "fastest" as ours has it.  texts: encoded at each step,
    padded to their full length, or before all of them; so are pictures where an autoencoder reads them.  objective: the
    script's, or levels and weights as the base was trained with.
    """

    name: str
    dtype: Literal["float32", "fastest"]
    texts: Literal["each", "before"]
    objective: Literal["script", "base"] = "script"


SETTINGS = {
    s.name: s
    for s in (
        Setting("script", "float32", "each"),
        Setting("script-best", "fastest", "before"),
        Setting("script-weighted", "fastest", "before", "base"),
    )
}


@dataclass(frozen=True)
class Task:
    """photos: a folder of opaque pictures.  prompts: of the product and of its class.  rank: of matrices."""

    base: Base
    photos: Path
    prompts: tuple[str, str]
    rank: int
    rate: float
    seed: int


def read(folder: Path, side: int) -> Tensor:
    """(n, 3, side, side) uint8: the shorter side scaled, the middle cut out, as with ``--center_crop``."""
    import numpy as np
    import torch
    from PIL import Image, ImageOps

    files = sorted(p for p in folder.iterdir() if p.suffix == ".png")
    images = [ImageOps.fit(Image.open(p).convert("RGB"), (side, side), Image.Resampling.BILINEAR) for p in files]
    return torch.from_numpy(np.stack([np.asarray(i) for i in images])).permute(0, 3, 1, 2)


def class_job(task: Task, dtype: str, n: int) -> Job:
    """What makes them.  Not ``Base.job``: what that makes is the judge's, and drafts would be another peer."""
    from mezzotint.making.prepare import prepare
    from mezzotint.making.request import Request, Sampling

    base = task.base
    sampling = Sampling(quality="standard", device=base.device, dtype=dtype, candidates=1, classifier_scale=0.0)
    return prepare(Request([task.prompts[1]] * n, model=base.until, seed=SEED, size=base.size, sampling=sampling))


def class_pictures(task: Task, dtype: str, n: int, work: Path) -> tuple[Tensor, float]:
    """n pictures of the class by the base, uint8, and what they cost: processor seconds, also where they are kept
    from before."""
    from mezzotint.making.evaluation import pictures

    made = pictures(class_job(task, dtype, n), work / f"class-{dtype}", piece=1)
    return made.images, made.seconds * n


class Script:
    """What the script sets up, and one of its updates.   ours: its rows of the product; as many of the class."""

    def __init__(self, task: Task, setting: Setting, own: Tensor, prior: Tensor) -> None:
        import torch
        from peft import LoraConfig, inject_adapter_in_model

        from mezzotint.pretrained.device import dtype_for
        from mezzotint.pretrained.tunable import paths, tunable

        torch.manual_seed(task.seed)
        self.half = (dtype := dtype_for(setting.dtype, "cpu")) == torch.bfloat16
        self.task, self.setting, self.codec = task, setting, task.base.stage.codec("cpu")
        self.own, self.prior = (self.states(x) for x in (own, prior)) if setting.texts == "before" else (own, prior)
        halves = tunable(task.base.stage, "cpu", dtype)
        layers = list(paths(halves.base))
        self.config = LoraConfig(r=task.rank, lora_alpha=task.rank, init_lora_weights="gaussian", target_modules=layers)
        self.net: nn.Module = inject_adapter_in_model(self.config, copy.deepcopy(halves.base).requires_grad_(False))
        self.called = halves.called(self.net)
        self.learnt = [p for p in self.net.parameters() if p.requires_grad]
        for p in self.learnt:
            p.data = p.data.float()
        self.adamw = torch.optim.AdamW(self.learnt, lr=task.rate, betas=BETAS, weight_decay=DECAY, eps=EPSILON)
        self.order: list[int] = []
        self.texts = self.encoded(shortened) if setting.texts == "before" else None

    def states(self, pictures: Tensor) -> Tensor:
        """What the network sees of pictures: what its autoencoder makes of them, one by one, or they themselves."""
        import torch

        with torch.no_grad():
            return torch.cat([self.codec.encode(one) for one in pictures.split(1)])

    def encoded(self, prepared: Callable[[Cond], Cond]) -> Cond:
        """What the rows are told."""
        system = self.task.base.until.system
        encoder, text = system.encoder, system.text
        assert encoder is not None and text is not None
        prompts = [prompt for prompt in self.task.prompts for _ in range(ROWS)]
        states = prepared(encoder.states(prompts, limit=text.tokens, width=text.tokens))
        return {k: v.clone() for k, v in states.items() if k in self.task.base.stage.takes}

    def pictures(self) -> Tensor:
        """The next rows: every picture of the class once an epoch in an order that is drawn, the product's beside."""
        import torch

        if len(self.order) < ROWS:
            self.order += torch.randperm(max(len(self.own), len(self.prior))).tolist()
        taken, self.order = self.order[:ROWS], self.order[ROWS:]
        return torch.stack([here[k % len(here)] for here in (self.own, self.prior) for k in taken])

    @cached_property
    def levels(self) -> LevelSampler:
        from mezzotint.diffusion.objective import Uniform
        from mezzotint.pretrained.stage_model import schedule_of
        from mezzotint.pretrained.tunable import levels_of

        spec = self.task.base.stage.spec
        return levels_of(spec) if self.setting.objective == "base" else Uniform(schedule_of(spec), 1e-3, 1.0)

    def __call__(self) -> None:
        """One update."""
        import torch

        x0 = self.pictures() if self.texts is not None else self.states(self.pictures())
        noise, level = torch.randn_like(x0), self.levels(torch.rand(len(x0), dtype=torch.float64))
        cond = self.encoded(dict) if self.texts is None else self.texts
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            rows = self.errors(x0, noise, level, cond)
        own, prior = rows.chunk(2)
        (own.mean() + PRIOR * prior.mean()).backward()
        torch.nn.utils.clip_grad_norm_(self.learnt, CLIP)
        self.adamw.step()
        self.adamw.zero_grad()

    def errors(self, x0: Tensor, noise: Tensor, level: Level, cond: Cond) -> Tensor:
        """The squared error of what the network predicts, a row."""
        from mezzotint.diffusion.level import expand, noised
        from mezzotint.diffusion.parametrisation import target
        from mezzotint.pretrained.stage_model import parametrisation_of
        from mezzotint.pretrained.tunable import weight_of

        spec = self.task.base.stage.spec
        kind, here = parametrisation_of(spec), level.to(x0)
        c = kind(here)
        answer = self.called(expand(c.inp, x0) * noised(x0, noise, here), c.noise, cond)
        error = (answer.float() - target(x0, noise, here, kind)).square().flatten(1).mean(1)
        if self.setting.objective == "script":
            return error
        return error * c.out.square() * weight_of(spec)(level).to(error)  # weights are of the error of x0

    def save(self, folder: Path) -> int:
        """What was learnt, float32 as the script has it, in the folder that PEFT writes; its bytes."""
        from peft import get_peft_model_state_dict
        from safetensors.torch import save_file

        folder.mkdir(parents=True)
        state = get_peft_model_state_dict(self.net)
        file = folder / "adapter_model.safetensors"
        save_file({f"base_model.model.{k}": v.contiguous() for k, v in state.items()}, file)
        self.config.save_pretrained(str(folder))
        return file.stat().st_size


def shortened(cond: Cond) -> Cond:
    """Without the places that no text uses."""
    from mezzotint.training.conditioning import trimmed

    return trimmed(cond)


def learnt(task: Task, setting: Setting, steps: Sequence[int], classes: int, out: Path) -> dict[str, Any]:
    """Runs the script to the last of some steps, and keeps what it had learnt at each.

    Returns: processor seconds: "beforehand" of the class's pictures, at each of "moments" of all until then, what
    keeping costs left out; "bytes" of the file.
    """
    from time import process_time

    prior, beforehand = class_pictures(task, setting.dtype, classes, out.parent)
    began = process_time() - beforehand
    script = Script(task, setting, read(task.photos, int(prior.shape[-1])), prior)
    moments, size = {}, 0
    for step in range(1, max(steps) + 1):
        script()
        if step in steps:
            moments[str(step)] = process_time() - began
            size = script.save(out / str(step))
            began = process_time() - moments[str(step)]
    return {"beforehand": beforehand, "moments": moments, "bytes": size}
