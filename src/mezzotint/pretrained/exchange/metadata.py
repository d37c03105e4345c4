"""What the header of an adapter's file says beside its tensors: ModelSpec's keys, kohya's, the passport.

Facts: Stability AI's ModelSpec 1.0.1; kohya-ss' sd-scripts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from mezzotint.nets.adapters.contents import Held
from mezzotint.pretrained.adapter_files import HASH
from mezzotint.pretrained.exchange.names import JOINT, Layout
from mezzotint.pretrained.passport import KEY, Passport, said
from mezzotint.pretrained.system import System

SPEC = "1.0.1"
GENERATIVE = "https://github.com/Stability-AI/generative-models"
ORIGINALS = {"FluxTransformer2DModel": "https://github.com/black-forest-labs/flux"}
"""Network -> whose code has its names, where that is not Stability AI's."""

HASHES = (HASH, "sshs_model_hash", "sshs_legacy_hash")
"""What is said of a file's own bytes."""

LAID = ("format", "lora_adapter_metadata", "modelspec.implementation", "ss_network_module", "ss_network_args")
"""What is said of a file's layout."""


def kept(metadata: Mapping[str, str]) -> dict[str, str]:
    """What stays true of an adapter in another layout, less the passport, which is written anew."""
    anew = ("ss_network_dim", "ss_network_alpha", KEY)
    return {k: v for k, v in metadata.items() if k not in (*HASHES, *LAID, *anew)}


def architecture(system: System) -> str:
    """As ModelSpec has it; of others the kind of the network."""
    found = system.components
    if found is None:
        kind = system.members[system.main].described.spec.net.get("kind", "network")
        return f"mezzotint-{kind}"
    net = found.denoising
    if net.class_name == "FluxTransformer2DModel":
        return "flux-1-dev" if net.config.get("guidance_embeds") else "flux-1-schnell"
    if net.class_name == "SD3Transformer2DModel":
        return "stable-diffusion-3"
    if found.class_name.startswith("StableDiffusionXL"):
        return "stable-diffusion-xl-v1-base"
    if found.class_name.startswith("StableDiffusion"):
        return "stable-diffusion-v2-512" if net.config.get("cross_attention_dim") == 1024 else "stable-diffusion-v1"
    return net.class_name


def _implementation(system: System, layout: Layout) -> str:
    """Whose code names the layers as the file does."""
    found = system.components
    if found is None:
        return "mezzotint"
    name, xl = found.denoising.class_name, found.class_name.startswith("StableDiffusionXL")
    original = layout == "comfyui" or (layout == "kohya" and (name in JOINT or xl))
    return ORIGINALS.get(name, GENERATIVE) if original else "diffusers"


def spec(system: System, layout: Layout, passport: Passport | None) -> dict[str, str]:
    """ModelSpec's keys, less the hash."""
    made = {
        "modelspec.sai_model_spec": SPEC,
        "modelspec.architecture": f"{architecture(system)}/lora",
        "modelspec.implementation": _implementation(system, layout),
        "modelspec.resolution": "{}x{}".format(*system.size),
    }
    if passport is None:
        return made
    about = {
        "modelspec.title": passport.title,
        "modelspec.date": passport.created,
        "modelspec.trigger_phrase": ", ".join(passport.triggers),
        "modelspec.license": passport.licence,
        KEY: said(passport),
    }
    return {**made, **{k: v for k, v in about.items() if v}}


BASES = {"stable-diffusion-v1": "sd_v1", "stable-diffusion-v2-512": "sd_v2", "stable-diffusion-3": "sd3",
         "stable-diffusion-xl-v1-base": "sdxl_base_v1-0", "flux-1-dev": "flux1", "flux-1-schnell": "flux1"}  # fmt: skip
"""ModelSpec's architecture -> what kohya calls the base."""


def of_kohya(layers: Sequence[Held], system: System, passport: Passport | None) -> dict[str, str]:
    """kohya's keys."""
    lycoris = {one.method.partition("+")[0] for one in layers} - {"lora"}
    made = {
        "ss_network_module": "lycoris.kohya" if lycoris else "networks.lora",
        "ss_network_dim": _common([one.rank for one in layers if one.rank is not None]),
        "ss_network_alpha": _common([one.alpha for one in layers if one.alpha is not None]),
        "ss_base_model_version": BASES.get(architecture(system), architecture(system)),
    }
    if lycoris:
        algo = sorted(lycoris)[0]
        made["ss_network_args"] = json.dumps({"algo": {"oft": "diag-oft"}.get(algo, algo)})
    if passport is None:
        return made
    return {
        **made,
        "ss_seed": str(passport.seed),
        "ss_output_name": passport.title,
        "ss_sd_model_name": passport.base.name,
        "ss_new_sd_model_hash": passport.base.sha256,
        "ss_num_train_images": str(passport.photos.count),
    }


def _common(values: Sequence[float]) -> str:
    """The value of most layers."""
    return f"{Counter(values).most_common(1)[0][0]:g}" if values else "None"


def hashes(data_sha256: str, layout: Layout) -> dict[str, str]:
    """What is said of the bytes behind the header."""
    own = {"sshs_model_hash": data_sha256} if layout == "kohya" else {}
    return {HASH: f"0x{data_sha256}", **own}
