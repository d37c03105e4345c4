"""The words behind a picture: ours there and back, other tools' as they write them, and what means harm."""

from __future__ import annotations

import io
import json
import shlex
import subprocess
import sys
import zlib
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner
from PIL import Image
from saying import png

from mezzotint.cli import group
from mezzotint.errors import InputError
from mezzotint.making.recalled.read import read
from mezzotint.schemas import schema

A1111 = """a red (armchair:1.2), studio light <lora:acme-bag:0.8>
on a beige background
Negative prompt: blurry, low quality
Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 965400086, Size: 512x768, Model hash: 6ce0161689, Model: v1-5-pruned-emaonly, Denoising strength: 0.6, Clip skip: 2, Lora hashes: "acme-bag: 0123456789ab", Version: v1.10.1"""  # noqa: E501

COMFYUI = {
    "3": {"class_type": "KSampler", "inputs": {
        "seed": 156680208700286, "steps": 20, "cfg": 8.0, "sampler_name": "dpmpp_2m", "scheduler": "karras",
        "denoise": 1.0, "model": ["10", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "v1-5.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 640, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a red armchair", "clip": ["10", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "text, watermark", "clip": ["10", 1]}},
    "10": {"class_type": "LoraLoader", "inputs": {
        "lora_name": "acme.safetensors", "strength_model": 0.7, "strength_clip": 1.0, "model": ["4", 0],
        "clip": ["4", 1]}},
}  # fmt: skip

INVOKEAI = {
    "generation_mode": "txt2img", "positive_prompt": "a red armchair", "negative_prompt": "blurry", "width": 512,
    "height": 512, "seed": 7, "cfg_scale": 7.5, "steps": 30, "scheduler": "dpmpp_2m_k",
    "model": {"key": "x", "name": "stable-diffusion-v1-5", "base": "sd-1"},
    "loras": [{"model": {"name": "acme"}, "weight": 0.75}],
}  # fmt: skip

OLD_INVOKEAI = {
    "model_weights": "stable-diffusion-1.5",
    "image": {"prompt": [{"prompt": "a red armchair", "weight": 1.0}], "steps": 50, "cfg_scale": 7.5, "seed": 42,
              "width": 512, "height": 512, "sampler": "k_euler_a", "type": "txt2img"},
}  # fmt: skip


def test_a1111(tmp_path: Path) -> None:
    found = read(png(tmp_path / "a.png", {"parameters": A1111}))
    assert found.source == "AUTOMATIC1111"
    assert found.prompt == "a red (armchair:1.2), studio light\non a beige background"
    assert found.negative_prompt == "blurry, low quality"
    assert (found.steps, found.scale, found.seed, found.size) == (20, 7.0, 965400086, "512x768")
    assert (found.solver, found.model, found.strength) == ("DPM++ 2M Karras", "v1-5-pruned-emaonly", 0.6)
    assert found.loras == (("acme-bag", 0.8),)
    assert any("Clip skip" in note for note in found.notes) and any("noise" in note for note in found.notes)


@pytest.mark.parametrize("code", [b"UNICODE\0", b"ASCII\0\0\0"])
def test_a1111_in_a_jpeg(tmp_path: Path, code: bytes) -> None:
    exif = Image.Exif()
    body = A1111.encode("utf-16-be") if code == b"UNICODE\0" else A1111.encode()
    exif.get_ifd(0x8769)[0x9286] = code + body
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif)
    assert read(tmp_path / "a.jpg").seed == 965400086


def test_comfyui(tmp_path: Path) -> None:
    found = read(png(tmp_path / "c.png", {"prompt": json.dumps(COMFYUI), "workflow": "{}"}))
    assert (found.source, found.prompt, found.negative_prompt) == ("ComfyUI", "a red armchair", "text, watermark")
    assert (found.steps, found.scale, found.seed, found.size) == (20, 8.0, 156680208700286, "512x640")
    assert (found.solver, found.model, found.loras) == (
        "dpmpp_2m:scheduler=karras", "v1-5.safetensors", (("acme.safetensors", 0.7),),
    )  # fmt: skip
    assert found.strength is None


def test_invokeai(tmp_path: Path) -> None:
    found = read(png(tmp_path / "i.png", {"invokeai_metadata": json.dumps(INVOKEAI)}))
    assert (found.source, found.prompt, found.negative_prompt) == ("InvokeAI", "a red armchair", "blurry")
    assert (found.steps, found.scale, found.seed, found.size) == (30, 7.5, 7, "512x512")
    assert (found.solver, found.model, found.loras) == (
        "dpmpp_2m:scheduler=karras", "stable-diffusion-v1-5", (("acme", 0.75),),
    )  # fmt: skip
    old = read(png(tmp_path / "o.png", {"sd-metadata": json.dumps(OLD_INVOKEAI)}))
    assert (old.prompt, old.seed, old.solver) == ("a red armchair", 42, "euler_ancestral")


def test_invokeai_without_guidance_steers_away_from_nothing(tmp_path: Path) -> None:
    found = read(png(tmp_path / "i.png", {"invokeai_metadata": json.dumps({**INVOKEAI, "cfg_scale": 1})}))
    assert (found.scale, found.negative_prompt) == (1.0, "") and "--negative-prompt" not in found.command
    assert "its negative prompt had no effect at scale 1, guidance off; it is left out" in found.notes


def test_a_sampler_without_a_name_here_is_said(tmp_path: Path) -> None:
    text = A1111.replace("DPM++ 2M,", "Restart,")
    found = read(png(tmp_path / "a.png", {"parameters": text}))
    assert found.solver is None and "its sampler, Restart Karras, has no name here" in found.notes


EVIL = "x'; touch ran; $(touch ran) `touch ran` \" --out=/ \x1b[2J\u202e"


def test_no_shell_is_talked_into_anything(tmp_path: Path) -> None:
    found = read(png(tmp_path / "e.png", {"parameters": A1111.replace("a red", f"--help {EVIL}")}))
    assert "\x1b" not in found.command and "\u202e" not in found.command
    echoed = found.command.replace("mezzotint", f"{sys.executable} -c 'import sys; print(len(sys.argv))'", 1)
    subprocess.run(["sh", "-c", echoed], cwd=tmp_path, check=True, capture_output=True)
    assert not (tmp_path / "ran").exists()
    assert shlex.split(found.command)[-2] == "--"


def deep(n: int) -> str:
    return "[" * n + "]" * n


@pytest.mark.parametrize(
    "texts",
    [
        {"prompt": json.dumps({"1": {"class_type": "KSampler", "inputs": {"positive": ["1", 0], "model": ["2", 0]}},
                               "2": {"class_type": "LoraLoader", "inputs": {"model": ["2", 0], "x": ["1", 0]}}})},
        {"prompt": '{"1": {"class_type": "KSampler", "inputs": []}}'},
        {"prompt": '{"1": {"class_type": "KSampler", "inputs": {"positive": [[], 0], "seed": 1e400, "steps": "x"}}}'},
        {"prompt": deep(100_000)},
        {"invokeai_metadata": deep(100_000)},
        {"invokeai_metadata": '{"loras": {"a": 1}, "model": 3, "seed": [], "positive_prompt": {}}'},
        {"sd-metadata": '{"image": {"prompt": [[]], "steps": null}}'},
        {"parameters": "Steps: " + "9" * 5000 + ", Seed: -1, Size: 0x0, CFG scale: nan"},
        {"parameters": "a: b, " * 100_000},
        {"parameters": '"' * 200_000},
    ],
)  # fmt: skip
def test_what_means_harm_ends_soon_and_says_little(tmp_path: Path, texts: dict[str, str]) -> None:
    try:
        found = read(png(tmp_path / "h.png", texts))
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert found.steps is None and found.seed is None
    shlex.split(found.command)


def test_a_bomb_in_a_chunk_is_not_unpacked(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    body = b"parameters\0\0" + zlib.compress(bytes(300_000_000))
    chunk = len(body).to_bytes(4, "big") + b"zTXt" + body + zlib.crc32(b"zTXt" + body).to_bytes(4, "big")
    (tmp_path / "b.png").write_bytes(file.getvalue()[:33] + chunk + file.getvalue()[33:])
    with pytest.raises(InputError):
        read(tmp_path / "b.png")


def test_the_command(tmp_path: Path) -> None:
    file = png(tmp_path / "c.png", {"prompt": json.dumps(COMFYUI)})
    done = CliRunner().invoke(group, ["read", str(file)])
    assert done.exit_code == 0 and done.stdout.startswith("mezzotint generate '--negative-prompt=text, watermark'")
    said = json.loads(CliRunner().invoke(group, ["read", str(file), "--json"]).stdout)
    assert said["schema"] == "mezzotint/read/2" and said["loras"] == [{"name": "acme.safetensors", "weight": 0.7}]
    jsonschema.validate(said, schema(said["schema"]))


HIRES = """masterpiece, 1girl <lora:add_detail:0.8> <lora:style:1:0.5> <lora:x> (red hair:1.2), embedding:foo
Negative prompt: easynegative, bad-hands-5, <lora:neg:-0.5>
Steps: 25, Sampler: DPM++ 2M SDE Karras, CFG scale: 6.5, Seed: 123, Size: 512x768, Model hash: abc, Model: dreamshaper_8, VAE: vae-ft, Denoising strength: 0.45, Clip skip: 2, Hires upscale: 2, Hires steps: 15, Hires upscaler: 4x-UltraSharp, Lora hashes: "add_detail: 7c6bad76eb54, style: aa", TI hashes: "easynegative: c74b4e810b03, bad-hands-5: aa7651be154c", Version: 1.6.0"""  # noqa: E501

FLUX = {'6': {'class_type': 'CLIPTextEncode', 'inputs': {'text': 'a fox', 'clip': ['30', 1]}},
 '8': {'class_type': 'VAEDecode', 'inputs': {'samples': ['13', 0], 'vae': ['10', 0]}},
 '13': {'class_type': 'SamplerCustomAdvanced',
        'inputs': {'noise': ['25', 0],
                   'guider': ['22', 0],
                   'sampler': ['16', 0],
                   'sigmas': ['17', 0],
                   'latent_image': ['27', 0]}},
 '16': {'class_type': 'KSamplerSelect', 'inputs': {'sampler_name': 'euler'}},
 '17': {'class_type': 'BasicScheduler',
        'inputs': {'scheduler': 'simple', 'steps': 20, 'denoise': 1, 'model': ['12', 0]}},
 '22': {'class_type': 'BasicGuider', 'inputs': {'model': ['12', 0], 'conditioning': ['26', 0]}},
 '25': {'class_type': 'RandomNoise', 'inputs': {'noise_seed': 219670278747233}},
 '26': {'class_type': 'FluxGuidance', 'inputs': {'guidance': 3.5, 'conditioning': ['6', 0]}},
 '27': {'class_type': 'EmptySD3LatentImage', 'inputs': {'width': 1024, 'height': 1024, 'batch_size': 1}},
 '12': {'class_type': 'UNETLoader', 'inputs': {'unet_name': 'flux1-dev.safetensors'}}}  # fmt: skip
FLUX_KSAMPLER = {'31': {'class_type': 'KSampler',
        'inputs': {'seed': 5,
                   'steps': 20,
                   'cfg': 1.0,
                   'sampler_name': 'euler',
                   'scheduler': 'simple',
                   'denoise': 1,
                   'model': ['30', 0],
                   'positive': ['35', 0],
                   'negative': ['33', 0],
                   'latent_image': ['27', 0]}},
 '35': {'class_type': 'FluxGuidance', 'inputs': {'guidance': 3.5, 'conditioning': ['6', 0]}},
 '6': {'class_type': 'CLIPTextEncodeFlux',
       'inputs': {'clip_l': 'a', 't5xxl': 'a long fox', 'guidance': 2.5, 'clip': ['30', 1]}},
 '33': {'class_type': 'CLIPTextEncode', 'inputs': {'text': '', 'clip': ['30', 1]}},
 '27': {'class_type': 'EmptySD3LatentImage', 'inputs': {'width': 1024, 'height': 1024}},
 '30': {'class_type': 'CheckpointLoaderSimple', 'inputs': {'ckpt_name': 'flux1-dev-fp8.safetensors'}}}  # fmt: skip
TWO_SAMPLERS = {'10': {'class_type': 'KSamplerAdvanced',
        'inputs': {'add_noise': 'enable',
                   'noise_seed': 721,
                   'steps': 25,
                   'cfg': 8,
                   'sampler_name': 'euler',
                   'scheduler': 'normal',
                   'start_at_step': 0,
                   'end_at_step': 20,
                   'return_with_leftover_noise': 'enable',
                   'model': ['4', 0],
                   'positive': ['6', 0],
                   'negative': ['7', 0],
                   'latent_image': ['5', 0]}},
 '11': {'class_type': 'KSamplerAdvanced',
        'inputs': {'add_noise': 'disable',
                   'noise_seed': 0,
                   'steps': 25,
                   'cfg': 8,
                   'sampler_name': 'euler',
                   'scheduler': 'normal',
                   'start_at_step': 20,
                   'end_at_step': 10000,
                   'return_with_leftover_noise': 'disable',
                   'model': ['12', 0],
                   'positive': ['15', 0],
                   'negative': ['16', 0],
                   'latent_image': ['10', 0]}},
 '4': {'class_type': 'CheckpointLoaderSimple', 'inputs': {'ckpt_name': 'sd_xl_base_1.0.safetensors'}},
 '12': {'class_type': 'CheckpointLoaderSimple', 'inputs': {'ckpt_name': 'sd_xl_refiner_1.0.safetensors'}},
 '5': {'class_type': 'EmptyLatentImage', 'inputs': {'width': 1024, 'height': 1024}},
 '6': {'class_type': 'CLIPTextEncodeSDXL',
       'inputs': {'text_g': 'evening sunset',
                  'text_l': 'short',
                  'width': 4096,
                  'height': 4096,
                  'clip': ['4', 1]}},
 '7': {'class_type': 'CLIPTextEncode', 'inputs': {'text': 'text, embedding:bad.pt', 'clip': ['4', 1]}},
 '15': {'class_type': 'CLIPTextEncode', 'inputs': {'text': 'evening', 'clip': ['12', 1]}},
 '16': {'class_type': 'CLIPTextEncode', 'inputs': {'text': 't', 'clip': ['12', 1]}}}  # fmt: skip


def test_lora_tags_hires_fix_and_embeddings(tmp_path: Path) -> None:
    found = read(png(tmp_path / "h.png", {"parameters": HIRES}))
    assert found.prompt == "masterpiece, 1girl (red hair:1.2), embedding:foo"
    assert found.loras == (("add_detail", 0.8), ("style", 0.5), ("x", 1.0)) and found.strength is None
    assert {"--lora=add_detail:0.8", "--lora=style:0.5", "--lora=x:1", "--size=512x768"} <= set(found.arguments)
    notes = "\n".join(found.notes)
    assert "mezzotint upscale PICTURE --by 2 --strength 0.45 --steps 15" in notes and "weight" in notes
    assert "--embedding: easynegative, bad-hands-5" in notes
    began = read(png(tmp_path / "i.png", {"parameters": A1111}))
    assert not any(a.startswith("--strength") for a in began.arguments), "refused without --image"
    assert any("give --image and --strength 0.6" in note for note in began.notes)
    forge = "a fox\nNegative prompt: red\nSteps: 20, Sampler: Euler, CFG scale: 1, Distilled CFG Scale: 3.5, Seed: 1"
    flux = read(png(tmp_path / "f.png", {"parameters": forge}))
    assert flux.scale == 3.5 and not any("red" in a for a in flux.arguments if a.startswith("--negative"))


def test_comfyui_flux(tmp_path: Path) -> None:
    found = read(png(tmp_path / "a.png", {"prompt": json.dumps(FLUX)}))
    assert (found.prompt, found.scale, found.steps, found.seed) == ("a fox", 3.5, 20, 219670278747233)
    assert (found.model, found.size, found.solver) == (
        "flux1-dev.safetensors", "1024x1024", "euler:scheduler=simple",
    )  # fmt: skip
    found = read(png(tmp_path / "b.png", {"prompt": json.dumps(FLUX_KSAMPLER)}))
    assert (found.prompt, found.apart, found.scale) == ("a", {"prompt_2": "a long fox"}, 3.5)
    assert "--prompt-2=a long fox" in found.arguments and found.negative_prompt == ""


def test_comfyui_a_base_and_a_refiner(tmp_path: Path) -> None:
    for k, names in enumerate((["10", "11"], ["11", "10"])):
        graph = {name: TWO_SAMPLERS[name] for name in dict.fromkeys([*names, *TWO_SAMPLERS])}
        found = read(png(tmp_path / f"{k}.png", {"prompt": json.dumps(graph)}))
        assert (found.model, found.seed, found.steps) == ("sd_xl_base_1.0.safetensors", 721, 25)
        assert (found.prompt, found.apart) == ("short", {"prompt_2": "evening sunset"})
        assert (found.negative_prompt, found.size) == ("text, bad", "1024x1024")
        assert any("--refiner-at 0.8" in note for note in found.notes)
        assert any("--embedding: bad" in note for note in found.notes)
