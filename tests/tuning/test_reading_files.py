"""Words and text encoders' adapters as files: diffusers and PEFT read them to the same effect, killed runs go on to the
same bits, and what cannot be learnt is refused in a line before a picture is made."""

from __future__ import annotations

import json
import shlex
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import diffusers
import jsonschema
import pytest
import torch
from reading_case import Case, case, moved
from test_tune_bad_input import fails, inside
from test_tune_kill import halfway, same, wait
from torch import Tensor
from tuning_case import finished, photographs, started, words

import mezzotint as mz
from mezzotint.errors import UsageError
from mezzotint.making.tuned.product import until
from mezzotint.making.tuned.wish import Wish, subjects_of
from mezzotint.pretrained.adapters import read_adapter
from mezzotint.pretrained.embeddings import read_embedding, token_of
from mezzotint.pretrained.exchange.convert import convert_adapter
from mezzotint.pretrained.passport import Base, Passport, Photos
from mezzotint.schemas import schema
from mezzotint.tensorfile import read_header
from mezzotint.tuning.settings import INVERSION, Method, Settings

peft = pytest.importorskip("peft")
inside = inside  # a fixture
TEXTS, WORD = Method(rank=2, text=0.5), Method(INVERSION, vectors=2)
PHOTOS = Photos(5, "0" * 64, "")
KNOWN = Passport("mug", Base("x", "x", ""), "lora", 2, None, ("acme mug",), "mug", PHOTOS, {}, {}, "", {}, 0, "")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Their warnings are theirs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def pipeline(folder: Path) -> Any:
    pipe = diffusers.DiffusionPipeline.from_pretrained(folder, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def states(pipe: Any, prompt: str) -> tuple[Tensor, ...]:
    """What their pipeline makes of a prompt: states, and of SDXL the pooled one."""
    xl = "XL" in type(pipe).__name__
    found = pipe.encode_prompt(prompt, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False)
    return (found[0], found[2]) if xl else (found[0],)


def read(c: Case, caption: str) -> tuple[Tensor, ...]:
    """What is told of a caption while it is learnt."""
    inner, told = c.net.tuned, c.cond((caption,))
    with torch.no_grad():
        found = inner._reads.cond(inner.texts.__getitem__, told)
    return tuple(found[name] for name in ("text", "pooled") if name in found)


def test_diffusers_reads_a_word(read_by_clip: Path, shoot: Path, tmp_path: Path) -> None:
    c = case(read_by_clip, shoot, WORD)
    file = until(c.net, moved(c.net, 0.5), "acme mug").write(tmp_path, c.base, KNOWN)
    pipe, token = pipeline(read_by_clip), "<acme-mug>"
    if "XL" in type(pipe).__name__:
        from safetensors.torch import load_file

        both = load_file(file)
        pipe.load_textual_inversion(both["clip_l"], token=token)
        pipe.load_textual_inversion(
            both["clip_g"], token=token, text_encoder=pipe.text_encoder_2, tokenizer=pipe.tokenizer_2
        )
    else:
        pipe.load_textual_inversion(str(tmp_path), weight_name=file.name, local_files_only=True)
    wanted, plain = states(pipe, f"a red {token} there"), states(pipeline(read_by_clip), "a red mug there")
    for ours, theirs, without in zip(read(c, "a red acme mug there"), wanted, plain, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5) and not torch.allclose(theirs, without, atol=1e-2)
    assert read_embedding(file, c.base.system).words == (
        "learned_embeds",
        *((token,) if len(wanted) == 1 else ()),
        "acme mug",
    )


@pytest.mark.slow
def test_diffusers_and_peft_read_text_encoders(read_by_clip: Path, shoot: Path, tmp_path: Path) -> None:
    c = case(read_by_clip, shoot, TEXTS)
    values = {name: value.half().float() for name, value in moved(c.net).items()}
    file = until(c.net, values, "").write(tmp_path, c.base, KNOWN)
    for name, p in c.net.named_parameters():
        p.data = values.get(name, p.data)
    pipe = pipeline(read_by_clip)
    plain = states(pipe, "a red mug")
    pipe.load_lora_weights(tmp_path, weight_name=file.name, adapter_name="a")
    for ours, theirs, without in zip(read(c, "a red mug"), states(pipe, "a red mug"), plain, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4) and not torch.allclose(theirs, without, atol=1e-2)
    heads = {key.split(".")[0] for key in read_header(file).entries}
    assert heads == {"unet", *c.net.tuned.texts}


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["kohya", "peft", "comfyui"])
def test_every_layout_has_them(read_by_clip: Path, shoot: Path, tmp_path: Path, layout: str) -> None:
    c = case(read_by_clip, shoot, TEXTS)
    file = until(c.net, moved(c.net), "").write(tmp_path, c.base, KNOWN)
    made = convert_adapter(file, c.base.system, layout, tmp_path / f"o-{layout}.safetensors")  # type: ignore[arg-type]
    names = {key for one in made for key in read_header(one.path).entries}
    several = "text_encoder_2" in c.net.tuned.texts
    if layout == "kohya":
        assert any(name.startswith("lora_te1_" if several else "lora_te_") for name in names)
        assert any(name.startswith("lora_te2_") for name in names) == several
    whole = tmp_path / f"o-{layout}.safetensors"
    ours, theirs = (read_adapter(path, c.base.system).parts for path in (file, whole))
    assert ours.keys() == theirs.keys() == {"denoiser", *c.net.tuned.texts}
    for part, layers in ours.items():
        assert layers.keys() == theirs[part].keys()
        weight = torch.zeros(1)
        assert all(torch.equal(one.delta(weight), theirs[part][path].delta(weight)) for path, one in layers.items())


MORE = {
    "word": ("--method", INVERSION, "--vectors", "2", "--initial", "cup"),
    "texts": ("--text-encoder", "0.5", "--prior-pictures", "0"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", MORE)
def test_killed_and_resumed_is_equal_to_the_bit(sd1: Path, shoot: Path, tmp_path: Path, what: str) -> None:
    more, name = (*MORE[what], "--quiet", "-n", "2"), {"word": "learned_embeds", "texts": "adapter"}[what]
    code, _, err = finished(started(words(shoot, sd1, tmp_path / "whole", *more), tmp_path))
    assert code == 0, err
    out = tmp_path / "o"
    child = started(words(shoot, sd1, out, *more), tmp_path)
    wait(child, halfway, out)
    child.kill()
    finished(child)
    assert not (out / f"{name}.safetensors").exists()
    code, printed, err = finished(started(words(shoot, sd1, out, *more, "--resume", "--json"), tmp_path))
    file = out / f"{name}.safetensors"
    assert code == 0 and same(file, tmp_path / f"whole/{name}.safetensors"), err
    document, known = json.loads(printed), json.loads(read_header(file).metadata["mezzotint.passport"])
    jsonschema.validate(document, schema("mezzotint/tune/1"))
    jsonschema.validate(known, schema("mezzotint/passport/1"))
    assert document["use"].endswith(f"{'--embedding' if what == 'word' else '--lora'} {file}")
    said = shlex.split(known["command"])
    assert all(word in said for word in more[:4]) and known["triggers"] == ["acme mug"]
    assert "holds" in finished(started(words(shoot, sd1, out, *more), tmp_path))[2]
    how: dict[str, Any] = {"embedding": (file,)} if what == "word" else {"lora": (file,)}
    one, plain = (mz.generate("an acme mug", model=sd1, steps=1, dtype="float32", **k).images[0] for k in (how, {}))
    assert (one.pixels != plain.pixels).any()


WRONG = [
    ("sd3", ("--method", INVERSION), "takes no textual inversions; expected Stable Diffusion 1, 2 or XL"),
    ("sd3", ("--text-encoder", "1"), "nothing is learnt on the text encoders of model; expected Stable Diffusion 1, 2"),
    (
        "cascade",
        ("--text-encoder", "1"),
        "no adapters go on the text encoder of cascade, which is frozen; leave --text-encoder out",
    ),
    ("sd1", ("--text-encoder", "-1"), "text encoder learns -1 times as fast; expected 0 to 1000"),
    ("sd1", ("--text-encoder", "nan"), "text encoder learns nan times as fast; expected 0 to 1000"),
    ("sd1", ("--vectors", "2"), "--vectors and --initial are for textual-inversion; leave them out of lora"),
    ("sd1", ("--initial", "cup"), "--vectors and --initial are for textual-inversion; leave them out of lora"),
    ("sd1", ("--method", INVERSION, "--vectors", "33"), "33 vectors for a word; expected 1 to 32"),
    ("sd1", ("--method", INVERSION, "--text-encoder", "1"), "textual-inversion changes no layer; leave --text-encoder"),
    ("sd1", ("--method", INVERSION, "--targets", "to_q"), "textual-inversion changes no layer; leave --text-encoder"),
    ("sd1", ("--method", INVERSION, "--alpha", "1"), "alpha has no effect on textual-inversion; leave it out"),
    (
        "sd1",
        ("--method", INVERSION, "--initial", "  "),
        "is nothing to a text encoder; give a word",
    ),
    ("sd1", ("--method", INVERSION, "--lora-plus", "2"), "LoRA+ has no effect on textual-inversion"),
]


@pytest.mark.parametrize(
    ("base", "more", "line"), WRONG, ids=lambda v: "-".join(v)[:40] if isinstance(v, tuple) else ""
)
def test_wrong_words(
    request: pytest.FixtureRequest, inside: Path, capsys: pytest.CaptureFixture[str], shoot: Path,
    base: str, more: tuple[str, ...], line: str,
) -> None:  # fmt: skip
    model = request.getfixturevalue(base)
    capsys.readouterr()
    assert line in fails(capsys, words(shoot, model, inside / "o", *more))
    assert not list((inside / "o").rglob("*.npz"))


def test_one_word_a_run(tmp_path: Path) -> None:
    both = subjects_of(tmp_path, "acme mug", None, (f"{photographs(tmp_path / 'red', 1)}=zorb cup",))
    with pytest.raises(UsageError, match="textual-inversion learns one word a run; leave --also out"):
        Wish(both, "m", Settings(WORD))


def test_a_caption_that_is_not_read_whole_is_named(sd1: Path, shoot: Path) -> None:
    c = case(sd1, shoot, TEXTS)
    with pytest.raises(UsageError, match="is longer than text encoders read; say it shorter"):
        c.cond(("an acme mug " * 20,))


@pytest.mark.parametrize(
    ("word", "token"), [("acme mug", "<acme-mug>"), ("Zorb's Nº 7", "<zorb-s-n-7>"), ("مقهى", "<word>")]
)
def test_what_a_word_is_called_in_a_file(word: str, token: str) -> None:
    assert token_of(word) == token
