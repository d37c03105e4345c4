"""What a LoRA file says beside its changes: the base it was made for, and alphas in its header or beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.errors import ModelError
from mezzotint.pretrained.folder import table
from mezzotint.tensorfile import Header, read_header

if TYPE_CHECKING:
    from torch import Tensor

METADATA = "lora_adapter_metadata"
SAID = (
    ("flux", "FLUX.1"), ("sd3", "Stable Diffusion 3"), ("stable-diffusion-3", "Stable Diffusion 3"),
    ("sdxl", "Stable Diffusion XL"), ("stable-diffusion-xl", "Stable Diffusion XL"),
    ("sd_v2", "Stable Diffusion 2"), ("stable-diffusion-v2", "Stable Diffusion 2"),
    ("sd_v1", "Stable Diffusion 1"), ("stable-diffusion-v1", "Stable Diffusion 1"),
)  # fmt: skip
"""How ``ss_base_model_version`` and ``modelspec.architecture`` begin -> the base."""

WIDTHS = {768: "Stable Diffusion 1", 1024: "Stable Diffusion 2", 2048: "Stable Diffusion XL"}
"""Of the text that a U-Net attends to."""

OFT, CONFIG = (".oft_R.weight", ".oft_R.default.weight"), "adapter_config.json"

MAX_PATTERN, MAX_REPEATS, MAX_CHOICES = 256, 4, 8
"""Of an expression in ``alpha_pattern``: its characters, its repetitions, its alternatives."""

PEFT = {"denoiser": ("unet", "transformer")}


def base_said(header: Header) -> str:
    """The base that a file is for, as its metadata, names or shapes show it; "" where they do not."""
    for key in ("ss_base_model_version", "modelspec.architecture"):
        text = header.metadata.get(key, "").lower()
        for begins, base in SAID:
            if text.startswith(begins):
                return base
    names = " ".join(header.entries)
    if re.search(r"single_(transformer_)?blocks|double_blocks", names):
        return "FLUX.1"
    if "joint_blocks" in names or re.search(r"transformer_blocks.\d+.attn.add_q_proj", names):
        return "Stable Diffusion 3"
    for name, entry in header.entries.items():
        if re.search(r"attn2[._](processor\.)?to_[kv]", name) and re.search(r"lora_A|down", name):
            return WIDTHS.get(entry.shape[1] if len(entry.shape) > 1 else 0, "")
    return "Stable Diffusion XL" if "lora_te2_" in names else ""


def refuse_others(path: Path) -> Header:
    """The header.  Raises ModelError for what is known to be something else, saying what, InputError."""
    header = read_header(path)
    names = set(header.entries)
    few = len(names) <= 2 and all(len(e.shape) <= 2 for e in header.entries.values())
    if names and few and ("emb_params" in names or names <= {"clip_l", "clip_g"} or all("." not in n for n in names)):
        raise ModelError(f"{path} is a word that was learned, no LoRA; give it with --embedding")
    if any(".oft_r" in n for n in names):
        raise ModelError(f"{path} holds rotations as PEFT before 0.14 had them, which it reads no more; train it anew")
    whole = [n for n in names if n.startswith(("model.diffusion_model.", "first_stage_model.", "cond_stage_model."))]
    if len(whole) > 20 and not any("lora" in n or "alpha" in n or "diff" in n.rpartition(".")[2] for n in names):
        raise ModelError(f"{path} is no LoRA but whole weights of a model; give it with --model")
    return header


def _settings(path: Path, header: Header) -> Mapping[str, Any]:
    """PEFT's configuration by network, "" for a file of one: of the header, or of the folder that PEFT writes."""
    beside = path.parent / CONFIG
    if path.name == "adapter_model.safetensors" and beside.is_file():
        return {f".{key}": value for key, value in table(beside).items()}
    try:
        found = json.loads(header.metadata.get(METADATA, "{}"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: its {METADATA} is not JSON; fetch it again") from error
    return found if isinstance(found, dict) else {}


def with_rotations(tensors: Mapping[str, Tensor], path: Path, header: Header) -> Mapping[str, Tensor]:
    """The same, of PEFT's OFT the blocks (d, n, n) in the place of the numbers that they are made of.

    Which of two ways makes them ``adapter_config.json`` says, or the header.   Raises ModelError where neither does, or
    the numbers are those of no block, and by their key where they are no rows of finite numbers.
    """
    ours = [key for key in tensors if key.endswith(OFT)]
    if not ours:
        return tensors
    from mezzotint.nets.adapters.axes import check_axes, check_finite
    from mezzotint.nets.adapters.rotations import cayley, neumann, skew

    said = {name.rpartition(".")[2]: value for name, value in _settings(path, header).items()}
    quick, terms = said.get("use_cayley_neumann"), said.get("num_cayley_neumann_terms", 5)
    if type(quick) is not bool or type(terms) is not int or said.get("coft"):
        raise ModelError(
            f"{path} holds rotations that its {CONFIG} must say how to make (use_cayley_neumann, coft false); give the"
            " folder that PEFT wrote"
        )
    try:
        made = {key: skew(check_finite(key, check_axes(key, tensors[key], (2, 2)))) for key in ours}
    except RuntimeError as error:
        raise ModelError(f"{path}: its rotations are of no size ({error}); fetch it again") from error
    return {**tensors, **{key: neumann(q, terms) if quick else cayley(-q) for key, q in made.items()}}


def _number(value: object, path: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e6:
        raise ModelError(f"{path}: its alpha is {str(value)[:40]!r}; expected a number")
    return float(value)


class Alphas:
    """(network, layer, rank) -> alpha, as PEFT's configuration has it: ``alpha_pattern``, else ``lora_alpha`` (of LoHa
    and LoKr ``alpha``); times the root of the rank where it says ``use_rslora`` (Kalajdzievski, 2023, A Rank
    Stabilization Scaling Factor)."""

    def __init__(self, path: Path, header: Header) -> None:
        self._path, self._said = path, _settings(path, header)
        self._matched: dict[str, re.Pattern[str]] = {}

    def __call__(self, part: str, layer: str, rank: int) -> float | None:
        for network in ("", *PEFT.get(part, (part,))):
            alpha = self._said.get(f"{network}.lora_alpha", self._said.get(f"{network}.alpha"))
            if alpha is not None:
                pattern = self._said.get(f"{network}.alpha_pattern")
                found = self._matching(pattern if isinstance(pattern, dict) else {}, layer, alpha)
                root = rank**0.5 if self._said.get(f"{network}.use_rslora") is True else 1.0
                return _number(found, self._path) * root
        return None

    def _matching(self, pattern: Mapping[str, Any], layer: str, otherwise: object) -> object:
        """The value of the first name that is the layer's own or the end of it, as PEFT's ``get_pattern_key`` finds it.

        Raises ModelError for a name that is no regular expression, or one that could take for ever.
        """
        for name, value in pattern.items():
            if name not in self._matched:
                try:
                    self._matched[name] = _expression(name)
                except (re.error, OverflowError, RecursionError) as error:
                    raise ModelError(
                        f"{self._path}: its alpha_pattern has {name[:40]!r}, which is no regular expression that is"
                        f" taken ({error}); correct it in its {CONFIG}"
                    ) from error
            if self._matched[name].match(layer):
                return value
        return otherwise


def _expression(name: str) -> re.Pattern[str]:
    """What a name in a pattern matches, in little time: each repetition multiplies what it takes by the length of a
    layer's name, each alternative by two, and a group that is repeated makes it a power.  Raises re.error for more.
    """
    plain = re.sub(r"\\.", "", name)
    if len(name) > MAX_PATTERN or re.search(r"\)[*+{]", plain):
        raise re.error(f"expected at most {MAX_PATTERN} characters, and no group that is repeated")
    if len(re.findall(r"[*+?{]", plain)) > MAX_REPEATS or plain.count("|") > MAX_CHOICES:
        raise re.error(f"expected at most {MAX_REPEATS} repetitions and {MAX_CHOICES} alternatives")
    return re.compile(rf"(.*\.)?({name})$")
