"""The command behind a picture or a receipt of ours: it makes the picture again, and says so where none can."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import jsonschema
import pytest
from asking import request_of
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from saying import png

import mezzotint as mz
from mezzotint.cli import group
from mezzotint.errors import InputError
from mezzotint.governance.receipt import Made
from mezzotint.making.recalled import a1111
from mezzotint.making.recalled.ours import words_of_made
from mezzotint.making.recalled.read import read
from mezzotint.schemas import schema


def made(tiny: Path, out: Path, *more: str, prompt: str = "sneaker") -> Path:
    command = ["generate", prompt, "--model", str(tiny), "--seed", "5", "--quiet", "--out", str(out), *more]
    done = CliRunner().invoke(group, command)
    assert done.exit_code == 0, done.output
    return next(p for p in out.glob("*.png") if p.name != "sheet.png")


def texts(path: Path) -> dict[str, str]:
    with Image.open(path) as picture:
        return dict(picture.info)


def pixels(path: Path) -> bytes:
    with Image.open(path) as picture:
        return picture.tobytes()


def test_the_prompt_is_private_unless_asked(tiny: Path, tmp_path: Path) -> None:
    quiet, loud = made(tiny, tmp_path / "q"), made(tiny, tmp_path / "l", "--embed-prompt")
    assert "parameters" not in texts(quiet) and b"sneaker" not in quiet.read_bytes().lower()
    assert texts(loud)["parameters"].startswith("sneaker\nSteps: 4, Sampler: DPM++ 2M, Schedule type: ")
    with pytest.raises(InputError, match="receipts/<asset-id>"):
        read(quiet.rename(tmp_path / "away.png"))


@pytest.mark.parametrize("prompt", ["sneaker", pytest.param("Ankle boot", marks=pytest.mark.slow)])
def test_the_command_that_is_printed_makes_the_picture_again(
    tiny: Path, tmp_path: Path, prompt: str, record: Made
) -> None:
    """From the receipt, from the picture beside it, and from a picture that says it: a shell runs it to the end."""
    words = [
        "--embed-prompt",
        "--scale",
        "2.5123456",
        "--guidance-interval",
        "0.3,2.75",
        "--negative-prompt",
        "T-shirt/top",
        "-n",
        "2",
        "--batch",
        "3",
    ]
    path = made(tiny, tmp_path / "a", *words, "--grid", "karras:rho=5", "--dtype", "bfloat16", prompt=prompt)
    plain = made(tiny, tmp_path / "b", *[w for w in words if w != "--embed-prompt"], prompt=prompt)
    receipt = tmp_path / "a" / "receipts" / f"{texts(path)['mezzotint:asset_id']}.json"
    alone = tmp_path / "alone.png"
    alone.write_bytes(path.read_bytes())
    (tmp_path / "tiny").symlink_to(tiny)  # the command says the model's name, which is a path from here
    for k, file in enumerate((receipt, plain, path, alone)):
        found = read(file)
        assert [(need.word, need.sha256) for need in found.needs] == [("tiny", record.stage.weights_sha256)]
        python = f"{shlex.quote(sys.executable)} -m mezzotint generate --quiet --embed-prompt --out={k} "
        command = found.command.replace("mezzotint generate ", python, 1)
        subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
        (other,) = [p for p in (tmp_path / str(k)).glob("*.png") if p.name != "sheet.png"]
        source = plain if file == plain else path
        assert (
            pixels(other) == pixels(source)
            and texts(other)["mezzotint:asset_id"] == texts(source)["mezzotint:asset_id"]
        )


def test_a_picture_that_says_something_else_than_its_id(tiny: Path, tmp_path: Path) -> None:
    said = texts(made(tiny, tmp_path / "a", "--embed-prompt"))
    said["mezzotint:made"] = said["mezzotint:made"].replace("sneaker", "slipper")
    with pytest.raises(InputError, match="was changed"):
        read(png(tmp_path / "changed.png", said))
    del said["mezzotint:made"]
    found = read(png(tmp_path / "text.png", said))
    assert any("its receipt" in note for note in found.notes), "text alone lacks options"


CHANGES: dict[str, dict[str, object]] = {
    "no --solver and --grid": {"solver": {"name": "dpmpp-2m", "eta": 0.5}},
    "come to what": {"grid": {"name": "uniform", "swirl": 1}},
    "by 'paint'": {"task": {"name": "paint"}},
    "in float64": {"dtype": "float64"},
    "something else": {"task": {"name": "vary"}},
    "character 0": {"prompt": "a\0b"},
}


@pytest.mark.parametrize("message", CHANGES)
def test_what_no_command_says_is_said(message: str, record: Made) -> None:
    """One line, and no command that makes another picture."""
    change = CHANGES[message]
    stage = dataclasses.replace(record.stage, **{k: v for k, v in change.items() if k in ("solver", "grid")})  # type: ignore[arg-type]
    rest = {k: v for k, v in change.items() if k not in ("solver", "grid")}
    with pytest.raises(InputError, match=message) as caught:
        words_of_made(dataclasses.replace(record, stages=(stage,), **rest))  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_receipt_of_a_schedulers_whole_configuration(record: Made) -> None:
    """As receipts were once: without the class; the model's own is taken, and it is said."""
    grid = {"name": "leading", "num_train_timesteps": 1000, "steps_offset": 1}
    found = words_of_made(dataclasses.replace(record, stages=(dataclasses.replace(record.stage, grid=grid),)))
    assert (found.solver, found.grid) == (None, None) and any("scheduler's class" in note for note in found.notes)


def test_a_receipt_from_before_its_newer_words(record: Made) -> None:
    """It says none of them, and the command none."""
    task = {"name": "inpaint", "picture": "a" * 64, "strength": 1.0, "mask": "b" * 64, "lock": False}
    said = {a.partition("=")[0] for a in words_of_made(dataclasses.replace(record, task=task)).arguments}
    assert "--mask" in said and not said & {"--mask-means", "--parts", "--prior", "--allow-partial", "--ip-encoder"}


NO_PIXELS = {
    *("--strict", "--offload", "--out", "--embed-prompt", "--film", "--json", "--quiet", "--use", "--licence-mode"),
}
HASH, SHARE = "a" * 64, {"name": "handover", "share": 0.6}
CONTROL = {"kind": "control", "name": "edges", "sha256": HASH, "weight": 0.5, "picture": HASH, "begin": 0, "end": 1}
ADAPTER = {"kind": "ip-adapter", "name": "ip", "sha256": HASH, "weight": 1, "picture": HASH, "encoder_sha256": HASH}
EDIT = {"picture": HASH, "strength": 0.5, "mask": HASH, "lock": True}
PARTS = {"parts": [{"name": "vae", "sha256": HASH}], "prior": [{"name": "prior", "sha256": HASH}]}
TASKS: dict[str, list[dict[str, object]]] = {
    "generate": [
        {"name": "inpaint", **EDIT, **PARTS, "mask_means": "transparent", "allow_partial": True},
        {"name": "outpaint", **EDIT, "margins": [8, 0, 0, 0]},
    ],
    "upscale": [
        {"name": "upscale", "picture": HASH, "by": 2, "tile": 8, "overlap": 2, "strength": 0.5, "noise_level": 2},
    ],
    "vary": [{"name": "vary", "pictures": [HASH]}],
}


@pytest.mark.parametrize("verb", TASKS)
def test_every_option_is_given_back_or_changes_no_pixel(verb: str, record: Made) -> None:
    """A new one is to be in one of both."""
    weak = {"name": "auto", "model": "early", "weights_sha256": HASH, "config_sha256": HASH}
    stage = dataclasses.replace(
        record.stage,
        guidance_interval=(0.5, None),
        guidance=weak,
        cache=0.1,
        candidates={"of": 4, "ranker_sha256": HASH},
        classifier={"scale": 12.5, "ranker_sha256": HASH},
    )
    stages = (stage, dataclasses.replace(stage, link=SHARE), dataclasses.replace(stage, model="then_unet"))
    whole = dataclasses.replace(
        record,
        negative_prompt="blue",
        apart=dict.fromkeys(("prompt_2", "prompt_3", "negative_prompt_2", "negative_prompt_3"), "red"),
        adapters=({"name": "bag", "sha256": HASH, "weight": 0.8},),
        embeddings=({"name": "acme", "sha256": HASH},),
        attached=({**CONTROL, "config_sha256": HASH}, {**ADAPTER, "config_sha256": HASH}),
        stages=stages if verb == "generate" else (record.stage,),
        versions={**record.versions, **({"inductor": "2"} if verb == "generate" else {})},
    )
    said = [word for task in TASKS[verb] for word in words_of_made(dataclasses.replace(whole, task=task)).arguments]
    given = {word.partition("=")[0] for word in said}
    with click.Context(group) as context:
        command = group.get_command(context, verb)
    assert command is not None
    options = {name for p in command.params if isinstance(p, click.Option) for name in p.opts if name.startswith("--")}
    assert options - given == options & NO_PIXELS


@pytest.mark.parametrize("damage", [{"parts": [3]}, {"parts": [{"name": "vae"}]}, {"prior": 1}, {"prior": [{}]}])
def test_parts_that_are_none_are_told(damage: dict[str, object], record: Made) -> None:
    with pytest.raises(InputError, match="something else than it should"):
        words_of_made(dataclasses.replace(record, task={"name": "generate", **damage}))


def test_the_document(tiny: Path, tmp_path: Path) -> None:
    file = made(tiny, tmp_path / "a")
    said = json.loads(CliRunner().invoke(group, ["read", str(file), "--json"]).stdout)
    jsonschema.validate(said, schema(said["schema"]))
    assert shlex.split(said["command"]) == ["mezzotint", *said["arguments"]]
    done = CliRunner().invoke(group, ["read", str(next((tmp_path / "a" / "receipts").iterdir()))])
    assert "mezzotint: needs tiny, the weights: " in done.stderr


def test_compiled_is_said(record: Made) -> None:
    found = words_of_made(dataclasses.replace(record, versions={**record.versions, "inductor": "2"}))
    assert "--compile" in found.arguments


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_characters_that_cannot_be_seen_are_kept_and_not_printed(record: Made, tmp_path: Path) -> None:
    prompt = "a 'fox' \u202e \x1b[2J \U0001f469\u200d\U0001f4bb \\ $(touch ran)"
    found = words_of_made(dataclasses.replace(record, prompt=prompt))
    assert found.command.isprintable()
    echo = f"{shlex.quote(sys.executable)} -c 'import sys; print(ascii(sys.argv[-1]))'"
    command = ["bash", "-c", found.command.replace("mezzotint", echo, 1)]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == ascii(prompt) and not (tmp_path / "ran").exists()


@pytest.fixture(scope="module")
def record(tiny: Path):
    job = mz.prepare(request_of("sneaker", model=tiny, seed=5))
    return job.made(job.pictures[0])


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cf", "Co", "Cn")), max_size=60
)


@settings(deadline=None, max_examples=60)
@given(prompt=TEXTS, negative=TEXTS, name=TEXTS)
def test_there_and_back(record, prompt: str, negative: str, name: str) -> None:
    prompt, negative, name = (" ".join(t.split()) for t in (prompt, negative, name))
    name = name.strip('"') or "m"
    if "<lora:" in prompt or "Negative prompt:" in prompt:
        return
    one = dataclasses.replace(record, prompt=prompt, negative_prompt=negative, model=name)
    found = a1111.words_of(a1111.text_of(one))
    assert (found.source, found.prompt, found.negative_prompt, found.model) == ("mezzotint", prompt, negative, name)
    assert (found.steps, found.scale, found.seed, found.size) == (
        one.stage.steps, one.stage.scale, one.seed, f"{one.size[0]}x{one.size[1]}",
    )  # fmt: skip
