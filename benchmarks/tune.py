"""One step of tuning a Stable-Diffusion-shaped model: ours beside PEFT in the loop of diffusers' DreamBooth script.

The same files, photographs, rank, layers and number of rows: eight, of which four are the prior's in the script, and
one or two in ours, as its default share has it.  The peer's step is that of ``train_dreambooth_lora.py`` in diffusers'
examples as read: autoencoder, text encoder, noise, U-Net, squared error with prior preservation, clipping, AdamW.  Once
as it comes (float32), once at its best here: bfloat16 by autocast where that is faster, texts encoded before.  Ours at
its defaults: the fastest number format, states and texts kept, the base's own answer for the prior's target, which is a
further forward pass of those rows.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness
from harness import Comparison

RANK, ROWS, SIDE, STEPS = 4, 8, 256, 10_000
NAME, KIND = "zorbo mug", "mug"
TARGETS = ["to_k", "to_q", "to_v", "to_out.0"]


def photographs(folder: Path, n: int) -> Path:
    """n pictures of a mug on grey."""
    from PIL import Image, ImageDraw

    folder.mkdir(parents=True)
    for k in range(n):
        image = Image.new("RGB", (SIDE, SIDE), (200, 200, 200))
        draw = ImageDraw.Draw(image)
        left = SIDE // 4 + 6 * k
        draw.rectangle((left, 80, left + 100, 200), fill=(30, 90, 170))
        draw.ellipse((left + 80, 110, left + 140, 170), outline=(30, 90, 170), width=12)
        image.save(folder / f"{k}.png")
    return folder


def ours_of(folder: Path, photos: Path, work: Path) -> Callable[[], Any]:
    """One update of ours, by the loop that ``mezzotint tune`` runs."""
    from mezzotint.evaluation.features import extractor
    from mezzotint.making.tuned.base import base
    from mezzotint.making.tuned.learn import lesson, tunable_of
    from mezzotint.making.tuned.shoots import shoots
    from mezzotint.making.tuned.wish import Wish
    from mezzotint.pretrained.model import load
    from mezzotint.training.loop import Progress, train
    from mezzotint.tuning.settings import Method, Settings
    from mezzotint.tuning.words import subject

    said = Settings(Method("lora", RANK), steps=STEPS, batch=ROWS, moments=1)
    one = subject(NAME, KIND)
    wish = Wish({one: photos}, folder, said)
    model = base(load(folder), "auto", "fastest")
    taken = shoots(wish, SIDE, extractor(64))
    plan = lesson(model, tunable_of(model, said.method), taken.learnt, taken.held, [], said)
    steps: Iterator[Progress] = train(plan.recipe, type(plan.data)(plan.data.train, None), device=plan.device)
    return lambda: next(steps)


class Script:
    """The peer: what the script sets up, and one of its steps."""

    def __init__(self, folder: Path, photos: Path, *, best: bool) -> None:
        import numpy as np
        import torch
        from diffusers import DDPMScheduler, StableDiffusionPipeline
        from peft import LoraConfig
        from PIL import Image

        from mezzotint.nets.precision import best_dtype

        pipe = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None)
        self.unet, self.vae, self.text, self.tokenizer = pipe.unet, pipe.vae, pipe.text_encoder, pipe.tokenizer
        self.scheduler = DDPMScheduler.from_config(pipe.scheduler.config)
        self.half = best and best_dtype("cpu") == torch.bfloat16
        for net in (self.unet, self.vae, self.text):
            net.requires_grad_(False)
        if self.half:
            for net in (self.unet, self.vae, self.text):
                net.to(torch.bfloat16)
        self.unet.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, init_lora_weights="gaussian", target_modules=TARGETS))
        self.learnt = [p for p in self.unet.parameters() if p.requires_grad]
        for p in self.learnt:
            p.data = p.data.float()
        self.adamw = torch.optim.AdamW(self.learnt, lr=5e-4, betas=(0.9, 0.999), weight_decay=1e-2, eps=1e-8)
        pictures = [np.asarray(Image.open(path)) for path in sorted(photos.glob("*.png"))]
        stack = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
        self.pictures = stack[torch.arange(ROWS) % len(stack)]
        half = ROWS // 2
        self.prompts = [f"a {NAME}"] * half + [f"a {KIND}"] * half
        self.states = self.encoded() if best else None

    def encoded(self) -> Any:
        """Token states of the rows' prompts."""
        import torch

        ids = self.tokenizer(
            self.prompts, padding="max_length", max_length=77, truncation=True, return_tensors="pt"
        ).input_ids
        with torch.no_grad():
            return self.text(ids)[0]

    def __call__(self) -> None:
        import torch
        import torch.nn.functional as F

        kind = next(self.vae.parameters()).dtype
        with torch.no_grad():
            latents = self.vae.encode(self.pictures.to(kind)).latent_dist.sample() * self.vae.config.scaling_factor
        noise = torch.randn_like(latents)
        t = torch.randint(0, self.scheduler.config.num_train_timesteps, (ROWS,))
        noisy = self.scheduler.add_noise(latents, noise, t)
        states = self.encoded() if self.states is None else self.states
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            answer = self.unet(noisy, t, states, return_dict=False)[0]
        (own, prior), (target, before) = answer.chunk(2), noise.chunk(2)
        loss = F.mse_loss(own.float(), target.float()) + F.mse_loss(prior.float(), before.float())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.learnt, 1.0)
        self.adamw.step()
        self.adamw.zero_grad()


def rows(folder: Path, photos: Path, work: Path, repeats: int, threads: int) -> list[Comparison]:
    """Processor seconds of a step."""
    import torch

    torch.set_num_threads(threads)
    ours = ours_of(folder, photos, work)
    for _ in range(8):  # until every scene's state is kept
        ours()
    found = []
    for name, best, target in (("as it comes, float32", False, 0.5), ("at its best, texts kept", True, None)):
        peer = Script(folder, photos, best=best)
        a, b = harness.alternate(lambda: harness.timed(ours), lambda peer=peer: harness.timed(peer), repeats)
        found.append(
            harness.compare(f"one step : the script {name}", "CPU s", [u.cpu for u in a], [u.cpu for u in b], target)
        )
    return found


def adapter(folder: Path, seed: int, place: Path) -> tuple[Path, int]:
    """A LoRA file of random weights for the model, and how many layers it has."""
    import torch

    from mezzotint.nets.adapters.begun import LoRA
    from mezzotint.nets.adapters.contents import contents_of
    from mezzotint.nets.adapters.trained import learnt, trained
    from mezzotint.pretrained.exchange.save import write_adapter
    from mezzotint.pretrained.model import load
    from mezzotint.pretrained.tunable import paths, tunable

    model = load(folder)
    base = tunable(model.main, "cpu", torch.float32).base
    net = trained(base, dict.fromkeys(paths(base), LoRA(RANK)), seed)
    said = learnt(net, {name: torch.randn_like(p) * 0.01 for name, p in net.named_parameters()})
    out = place / f"{seed}.safetensors"
    write_adapter(out, contents_of(said), model.system, "diffusers")
    return out, len(said)


def swap_row(folder: Path, place: Path, repeats: int) -> Comparison:
    """Going from one resident adapter to another, a hundred times."""
    import torch
    from diffusers import StableDiffusionPipeline

    import mezzotint as mz

    (one, layers), (two, _) = (adapter(folder, seed, place) for seed in (1, 2))
    model = mz.load(folder)
    ours: list[Any] = [mz.prepare(mz.Request("a mug", model=model, lora=[f])).main.model for f in (one, two)]
    pipe = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None)
    for name, file in (("one", one), ("two", two)):
        pipe.load_lora_weights(file, adapter_name=name)

    def swapped() -> None:
        for k in range(100):
            ours[k % 2].denoiser("cpu", torch.float32).network.fetch()

    def set_() -> None:
        for k in range(100):
            pipe.set_adapters("two" if k % 2 else "one")

    a, b = harness.alternate(lambda: harness.timed(swapped), lambda: harness.timed(set_), repeats)
    each = [sorted(u.wall * 10 for u in a)[len(a) // 2] / layers * 100]
    note = f"{each[0]:.3f} ms for 100 layers; the target is 1"
    return harness.compare(
        f"swap of a resident adapter of {layers} layers, 100 times", "s", [u.wall for u in a], [u.wall for u in b],
        notes=note,
    )  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Runs it."""
    given = harness.arguments(__doc__ or "", 7).parse_args(argv)
    with tempfile.TemporaryDirectory() as place:
        import pretrained_model

        folder = Path(place, "model")
        parameters = pretrained_model.save(folder)
        photos = photographs(Path(place, "photos"), 5)
        found = rows(folder, photos, Path(place), given.repeats, given.threads)
        found.append(swap_row(folder, Path(place), given.repeats))
    settings = {
        **{k: v for k, v in vars(given).items() if k != "out"},
        "parameters": parameters, "rank": RANK, "rows": ROWS, "side": SIDE,
    }  # fmt: skip
    return harness.finish(harness.Outcome("tune", harness.machine(given.threads), settings, found), given.out)


if __name__ == "__main__":
    sys.exit(main())
