"""``export``: a model written for a runtime without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint import __version__
from mezzotint.config import DEFAULT_MODEL
from mezzotint.errors import StorageError, UsageError, unknown
from mezzotint.exported.folder import DESCRIBED, PLAN_JSON, SCHEMA, TEXT, Exported, Lowres, Part, read
from mezzotint.exported.plan import to_json
from mezzotint.exported.runtime import RUNTIMES, openvino, openvino_session
from mezzotint.exported.weights import KINDS, stored
from mezzotint.files import make_folder, pretty_json, sha256_file, user_path, write_atomic
from mezzotint.making.licensed import licensed_to
from mezzotint.pretrained.folder import EXPORT_JSON

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mezzotint.pretrained.model import Model
    from mezzotint.pretrained.stage_model import StageModel
    from mezzotint.pretrained.system import System

TOLD = ("label", "text", "text_mask", "lowres", "lowres_logsnr")
"""What a network may be told here (``nets.cond``)."""


@dataclass
class Files:
    """A folder that is being written.   to, weights: of its graphs.   names: of what is in it."""

    folder: Path
    to: str
    weights: str
    names: list[str]

    def text(self, name: str, data: str | bytes) -> None:
        """A file."""
        write_atomic(self.folder / name, data)
        self.names.append(name)

    def graph(self, name: str, net: nn.Module, inputs: Mapping[str, Tensor]) -> str:
        """A network's graph, in the runtime's own form.   Returns: the file's name."""
        from mezzotint.exported.graph import graph

        made = stored(graph(net, inputs), self.weights).SerializeToString()
        if self.to == "onnx":
            self.text(f"{name}.onnx", made)
        else:
            self._openvino(name, made)
        return f"{name}{RUNTIMES[self.to].suffix}"

    def _openvino(self, name: str, model: bytes) -> None:
        path, ov = self.folder / f"{name}.xml", openvino()
        ov.save_model(ov.Core().read_model(model), str(path), compress_to_fp16=False)
        self.names += [path.name, f"{name}.bin"]
        openvino_session(path, 1)  # not every graph that it reads can it compile


def export(
    model: str | Path | Model = DEFAULT_MODEL,
    *,
    out: str | Path,
    to: str = "onnx",
    weights: str = "float32",
    solver: Sequence[str] = (),
    grid: str | None = None,
    steps: Sequence[int] = (),
) -> Exported:
    """Writes a model for a runtime without torch: graphs, a plan in numbers, and the hashes of both.

    model: one of ours: class-conditional, of text, or neither; pixels or latents; alone or with an upsampler.
    out: a new folder.  to: onnx | openvino.  weights: float32 | float16 | int8, as they are stored; all arithmetic is
    float32.
    solver, grid, steps: the ways to sample that the folder holds beside the model's presets, each solver in each number
    of steps.
    Returns: the folder, as it is read.
    Raises: UsageError (words, a package that is missing, a model that cannot be exported), ModelError, StorageError.
    """
    from mezzotint.exported.ways import ways_of
    from mezzotint.pretrained.model import Model, load

    for kind, name, known in (("runtime", to, RUNTIMES), ("weights", weights, KINDS)):
        if name not in known:
            raise unknown(kind, name, known)
    loaded = model if isinstance(model, Model) else load(model)
    licensed_to(loaded.system, None)
    _check(loaded)
    _ = RUNTIMES[to].version
    folder = user_path(out)
    if (folder / EXPORT_JSON).exists():
        raise StorageError(f"{folder} holds an export; nothing is ever overwritten, choose another --out")
    plans = [
        ways_of(stage, *((solver, grid, steps) if k == loaded.system.main else ((), None, ())))
        for k, stage in enumerate(loaded.stages)
    ]
    files = Files(make_folder(folder), to, weights, [])
    parts = [_stage(files, loaded, k) for k in range(len(loaded.stages))]
    text = _text(files, loaded)
    _describe(files, loaded)
    files.text(PLAN_JSON, pretty_json({"stages": [[to_json(way) for way in ways] for ways in plans]}))
    write_atomic(folder / EXPORT_JSON, pretty_json(_document(files, loaded, parts, text)))
    return read(folder)


def _document(files: Files, model: Model, parts: Sequence[Part], text: str) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "mezzotint": __version__,
        "model": model.name,
        "to": files.to,
        "weights": files.weights,
        "stages": [asdict(part) for part in parts],
        "text": text,
        "files": {name: sha256_file(files.folder / name) for name in sorted(files.names)},
    }


def _check(model: Model) -> None:
    """Raises UsageError for a model that cannot be exported."""
    from mezzotint.pretrained.stage_model import StageModel

    system = model.system
    if system.components is not None:
        raise UsageError(
            f"{model.name} is a checkpoint of another library; only models of Mezzotint's own are exported"
        )
    if system.adapters:
        raise UsageError(f"{model.name} wears adapters, which are not exported; leave them out")
    for stage, member in zip(model.stages, system.members, strict=True):
        assert isinstance(stage, StageModel)
        strange = sorted(set(stage.takes) - set(TOLD))
        codec, link = stage.spec.codec["name"], member.link["name"]
        reasons = [f"its network is told {', '.join(strange)}"] if strange else []
        reasons += [f"its codec is {codec}"] if codec not in ("pixels", "latent") else []
        reasons += [f"it is fed by {link}"] if link not in ("keep", "lowres") else []
        reasons += [f"its network has {key}" for key in ("bounds", "variance") if key in stage.spec.net]
        if reasons:
            raise UsageError(
                f"{stage.name} cannot be exported: {'; '.join(reasons)}; expected labels, text or a smaller picture,"
                " and pixels or latents"
            )


def _stage(files: Files, model: Model, k: int) -> Part:
    import torch

    from mezzotint.exported.graph import Told
    from mezzotint.nets.build import freeze
    from mezzotint.pretrained.stage_model import StageModel

    stage = model.stages[k]
    assert isinstance(stage, StageModel)
    net = Told(freeze(stage.network, torch.float32), stage.takes)
    inputs = {"x": torch.randn(1, *stage.spec.shape, generator=torch.Generator().manual_seed(k))}
    inputs |= {"c_noise": torch.full((1,), 0.3), **_told(stage, model.system)}
    return Part(
        name=stage.name,
        network=files.graph(f"stage-{k}", net, inputs),
        takes=stage.takes,
        decode=_decode(files, stage, k),
        config_sha256=stage.config_sha256,
        lowres=_lowres(files, model, k),
    )


def _told(stage: StageModel, system: System) -> dict[str, Tensor]:
    """An example of what the network is told, one row."""
    import torch

    said = system.text
    length, width = (
        (0, 0) if said is None else (said.tokens, int(dict(stage.spec.net.get("text") or {"dim": 0})["dim"]))
    )
    made = {
        "label": lambda: torch.zeros(1, dtype=torch.int64),
        "text": lambda: torch.randn(1, length, width, generator=torch.Generator().manual_seed(0)),
        "text_mask": lambda: (torch.arange(length) < length // 2)[None],
        "lowres": lambda: torch.zeros(1, *stage.spec.shape),
        "lowres_logsnr": lambda: torch.full((1,), 4.0),
    }
    return {name: made[name]() for name in stage.takes}


def _decode(files: Files, stage: StageModel, k: int) -> str:
    """The graph that makes a latent a picture, "" for pixels."""
    import torch

    from mezzotint.codecs.latent import Latent
    from mezzotint.nets.build import freeze

    codec = stage.codec()
    if not isinstance(codec, Latent):
        return ""
    z = torch.randn(1, *codec.shape, generator=torch.Generator().manual_seed(k))
    return files.graph(f"decode-{k}", freeze(codec.net.decoder, torch.float32), {"state": z})


def _lowres(files: Files, model: Model, k: int) -> Lowres | None:
    """How a stage is told the one before."""
    import torch
    from torch import nn

    from mezzotint.making.job import Planned
    from mezzotint.making.staged import link_of
    from mezzotint.pretrained.plan import plan
    from mezzotint.pretrained.system import picture_shape
    from mezzotint.stage import LINK_DRAW
    from mezzotint.stage import Lowres as Link

    member = model.system.members[k]
    if member.link["name"] == "keep":
        return None
    link = link_of(Planned(model.stages[k], plan(model.stages[k].spec), member.link)).link
    assert isinstance(link, Link)
    enlarge = link.enlarge

    class Enlarged(nn.Module):
        def forward(self, small: Tensor) -> Tensor:
            return enlarge(small)

    small = torch.arange(0, 256, dtype=torch.uint8).repeat(1 << 16)
    shape = picture_shape(model.system.members[k - 1].described)
    example = small[: shape[0] * shape[1] * shape[2]].reshape(1, *shape)
    graph = files.graph(f"enlarge-{k}", Enlarged(), {"small": example})
    level = link.level
    return Lowres(graph, float(level.alpha), float(level.sigma), float(level.logsnr), LINK_DRAW)


def _text(files: Files, model: Model) -> str:
    """The text encoder's graph, its tokenizer beside it; "" for a model without."""
    import torch

    from mezzotint.conditioning.text import ENCODER_JSON, TOKENIZER

    encoder, said = model.system.encoder, model.system.text
    if encoder is None or said is None:
        return ""
    for name in (ENCODER_JSON, TOKENIZER):
        files.text(f"{TEXT}/{name}", (encoder.folder / name).read_bytes())
    ids, mask = map(torch.from_numpy, encoder.padded(["a red chair"], said.tokens, said.tokens))
    kept = Files(files.folder, files.to, "int8", files.names)  # as it ships
    return kept.graph("text", encoder.network, {"ids": ids, "mask": mask})


def _describe(files: Files, model: Model) -> None:
    """What the model says of itself: its JSON files as they are, without weights."""
    from mezzotint.pretrained.network import NETWORK_JSON
    from mezzotint.pretrained.system import codec_part

    root = model.system.folder.resolve()
    found = [
        path for path in sorted(root.rglob("*.json")) if path.name in ("model.json", "system.json", "network.json")
    ]
    for path in found:
        files.text(str(Path(DESCRIBED) / path.relative_to(root)), path.read_bytes())
    parts = [part.folder for member in model.system.members if (part := codec_part(member.described)) is not None]
    for folder in (folder for folder in parts if not folder.is_relative_to(root)):
        files.text(f"{folder.name}/{NETWORK_JSON}", (folder / NETWORK_JSON).read_bytes())  # beside the model, as it lay
    if (root / "CARD.md").is_file():
        files.text("CARD.md", (root / "CARD.md").read_bytes())
