"""What goes with an adapter from layout to layout: its passport and header; files that lost something; the commands."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
from asking import request_of
from exchanging import contents
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import mezzotint as mz
from mezzotint.cli import run
from mezzotint.errors import ModelError
from mezzotint.pretrained.exchange.convert import convert_adapter
from mezzotint.pretrained.exchange.names import LAYOUTS, Layout
from mezzotint.pretrained.exchange.read import read_contents
from mezzotint.pretrained.exchange.save import write_adapter
from mezzotint.pretrained.passport import KEY, Passport, Photos, base_of, said
from mezzotint.pretrained.system import describe_system
from mezzotint.schemas import schema
from mezzotint.tensorfile import read_header


def passport(folder: Path) -> Passport:
    return Passport(
        title="acme bag",
        base=base_of(describe_system(folder)),
        method="lora",
        rank=3,
        alpha=2.0,
        triggers=("acme bag", "acme"),
        kind="bag",
        photos=Photos(12, "b" * 64, "our own"),
        evaluation={"fidelity": {"value": 0.8, "low": 0.7}},
        settings={"steps": 600},
        command="mezzotint tune photos/",
        versions={"mezzotint": "0.1.0"},
        seed=3,
        created="2026-11-27T12:00:00Z",
        licence="CC-BY-4.0",
    )


@pytest.fixture
def file(sd1: Path, tmp_path: Path) -> Path:
    made = contents(describe_system(sd1), "lora", "denoiser", "text_encoder")
    (one,) = write_adapter(tmp_path / "a.safetensors", made, describe_system(sd1), "kohya", passport(sd1))
    return one.path


def metadata(path: Path) -> dict[str, str]:
    with safe_open(path, "pt") as opened:
        return dict(opened.metadata())


def test_the_passport_and_the_header_go_along(sd1: Path, file: Path, tmp_path: Path) -> None:
    system, path = describe_system(sd1), file
    named = {**metadata(file), "ss_tag_frequency": "{}", "sshs_legacy_hash": "12345678"}
    save_file(load_file(file), path := tmp_path / "more.safetensors", named)
    for k, layout in enumerate((*LAYOUTS, "kohya")):
        out = tmp_path / (f"{k}" if layout == "peft" else f"{k}.safetensors")
        for one in convert_adapter(path, system, layout, out):  # type: ignore[arg-type]
            header = metadata(one.path)
            assert header["ss_tag_frequency"] == "{}" and "sshs_legacy_hash" not in header
            data = one.path.read_bytes()[read_header(one.path).start :]
            assert header["modelspec.hash_sha256"] == f"0x{hashlib.sha256(data).hexdigest()}"
            assert hashlib.sha256(one.path.read_bytes()).hexdigest() == one.sha256
            assert ("lora_adapter_metadata" in header) == (layout == "diffusers")
        _, opened = read_contents(out, system)
        assert opened.passport == passport(sd1) and opened.adapter.coverage.base == ""
        path = out
    again = metadata(path)
    assert {k: v for k, v in named.items() if k != "sshs_legacy_hash"} == again
    assert again["modelspec.architecture"] == "stable-diffusion-v1/lora"
    assert again["modelspec.trigger_phrase"] == "acme bag, acme" and again["modelspec.license"] == "CC-BY-4.0"
    assert (again["ss_network_dim"], again["ss_network_alpha"]) == ("3", "2") and again["ss_seed"] == "3"


def test_xl_by_the_names_of_the_original_code(sd1: Path, sdxl: Path, tmp_path: Path) -> None:
    """As kohya trains it, and ComfyUI knows all; kohya trains the first version on diffusers' network."""
    heads: dict[tuple[Path, Layout], str] = {
        (sdxl, "kohya"): "lora_unet_input_blocks_", (sdxl, "comfyui"): "diffusion_model.input_blocks.",
        (sd1, "kohya"): "lora_unet_down_blocks_", (sd1, "comfyui"): "diffusion_model.input_blocks.",
    }  # fmt: skip
    for k, ((folder, layout), head) in enumerate(heads.items()):
        system = describe_system(folder)
        made = contents(system, "lora", "denoiser", "text_encoder")
        (one,) = write_adapter(tmp_path / f"{k}.safetensors", made, system, layout)
        assert any(key.startswith(head) for key in load_file(one.path))
    implementation = "modelspec.implementation"
    assert "Stability" in metadata(tmp_path / "0.safetensors")[implementation]
    assert metadata(tmp_path / "2.safetensors")[implementation] == "diffusers"
    assert any(key.startswith("lora_te1_text_model_") for key in load_file(tmp_path / "0.safetensors"))
    assert any(key.startswith("lora_te_text_model_") for key in load_file(tmp_path / "2.safetensors"))


def test_another_base_is_said_and_one_that_does_not_fit_refuses(
    sd1: Path, sdxl: Path, file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "finer"
    shutil.copytree(sd1, other)
    weights = other / "unet/diffusion_pytorch_model.safetensors"
    save_file({k: v * 1.01 for k, v in load_file(weights).items()}, weights)
    words: dict[str, Any] = {"lora": [file], "steps": 2}
    (note,) = mz.prepare(request_of("ch", model=other, **words)).notes
    assert "; learnt on model, whose weights (" in note and note.endswith("…) are not those of finer")
    (note,) = mz.prepare(request_of("ch", model=sd1, **words)).notes
    assert "learnt on" not in note
    with pytest.raises(ModelError, match=r"is for another base than model, it is for model: its .* has weights of"):
        mz.prepare(request_of("ch", model=sdxl, **words))


TAILS: dict[Layout, tuple[str, ...]] = {
    "peft": ("lora_A.weight", "lora_B.weight"), "diffusers": ("lora_A.weight", "lora_B.weight"),
    "kohya": ("lora_down.weight", "lora_up.weight", "alpha"), "comfyui": ("lora_A.weight", "lora_B.weight", "alpha"),
}  # fmt: skip
"""The keys of a layer."""


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_dropped_key_or_alpha_refuses(layout: Layout, sd1: Path, tmp_path: Path) -> None:
    system, out = describe_system(sd1), tmp_path / "a.safetensors"
    (one,) = write_adapter(
        tmp_path / "w" if layout == "peft" else out, contents(system, "lora", "denoiser"), system, layout
    )
    tensors, header = load_file(one.path), metadata(one.path)
    for end in TAILS[layout]:
        gone = next(key for key in tensors if key.endswith(end))
        save_file({k: v for k, v in tensors.items() if k != gone}, one.path, header)
        with pytest.raises(ModelError, match=r"[12] keys without a place") as error:
            convert_adapter(one.path, system, "kohya", tmp_path / "no.safetensors")
        assert "\n" not in str(error.value) and not (tmp_path / "no.safetensors").exists()


HOSTILE: dict[str, dict[str, str]] = {
    "not JSON": {KEY: "{"},
    "huge": {KEY: "[" * 1_000_000},
    "another version": {KEY: json.dumps({"schema": "mezzotint/passport/99"})},
    "wrong types": {KEY: json.dumps({"schema": "mezzotint/passport/1", "title": 1})},
    "alphas not JSON": {"lora_adapter_metadata": "{"},
    "an alpha that is none": {"lora_adapter_metadata": json.dumps({"unet.lora_alpha": "much"})},
    "an endless alpha": {"lora_adapter_metadata": '{"unet.lora_alpha": 1e999}'},
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_headers_are_refused_in_a_line(case: str, sd1: Path, tmp_path: Path) -> None:
    system = describe_system(sd1)
    (one,) = write_adapter(tmp_path / "a.safetensors", contents(system, "lora", "denoiser"), system, "diffusers")
    tensors, header = load_file(one.path), metadata(one.path)
    save_file(tensors, one.path, {**header, **HOSTILE[case]})
    with pytest.raises(ModelError) as error:
        convert_adapter(one.path, system, "kohya", tmp_path / "no.safetensors")
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_a_header_that_is_larger_than_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.safetensors").write_bytes((2**62).to_bytes(8, "little") + b"{}")
    assert run(["convert", str(tmp_path / "x.safetensors"), "--to", "peft", "--base", str(tmp_path)]) == 2
    assert run(["inspect", str(tmp_path / "x.safetensors")]) == 2
    assert all(len(line) < 400 for line in capsys.readouterr().err.splitlines())


def test_the_commands(sd1: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def answer(*words: str) -> dict[str, Any]:
        assert run([*words, "--json"]) == 0
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        jsonschema.validate(document, schema(document["schema"]))
        return document

    made = answer("convert", str(file), "--to", "peft", "--base", str(sd1), "--out", str(tmp_path / "p"))
    assert [f["tensors"] > 0 for f in made["files"]] == [True, True]
    for path, layout in ((file, "kohya"), (tmp_path / "p", "peft")):
        found = answer("inspect", str(path))
        facts = found["facts"]
        assert found["kind"] == "adapter" and facts["layout"] == layout and facts["intact"] is True
        assert facts["networks"]["text_encoder"]["methods"].keys() == {"lora"}
        assert facts["networks"]["denoiser"]["ranks"].keys() == {"3"}
        assert facts["networks"]["denoiser"]["alphas"].keys() == {"2"}
        assert facts["passport"]["photos"]["licence"] == "our own"
    assert run(["inspect", str(file)]) == 0 and "licence  our own" in capsys.readouterr().out
    lines = {
        ("--to", "peft"): "converted with both --to LAYOUT and --base MODEL",
        ("--to", "pfet", "--base", str(sd1)): "unknown layout 'pfet'; did you mean peft?",
        ("--to", "peft", "--base", str(sd1), "--out", str(tmp_path / "p")): "is there already",
    }
    for words, line in lines.items():
        assert run(["convert", str(file), *words]) == 2
        assert line in capsys.readouterr().err
    save_file({k: v + 1 for k, v in load_file(file).items()}, file, metadata(file))
    assert answer("inspect", str(file))["facts"]["intact"] is False
    save_file(load_file(file), file, {KEY: "?"})
    assert "is not JSON" in answer("inspect", str(file))["facts"]["passport"]["fault"]


def test_a_pickled_adapter_says_what_to_do(sd1: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "a.pt")
    assert run(["convert", str(tmp_path / "a.pt"), "--to", "peft", "--base", str(sd1)]) == 2
    assert "is a pickle" in capsys.readouterr().err


def test_a_passport_is_what_its_schema_says(sd1: Path) -> None:
    document = json.loads(said(replace(passport(sd1), alpha=None)))
    jsonschema.validate(document, schema("mezzotint/passport/1"))
    assert document["base"]["architecture"] == "UNet2DConditionModel" and len(document["base"]["sha256"]) == 64
