"""A whole run of the command: what it writes and prints, and that what is kept is what was judged."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from tuning_case import Whole

from mezzotint.evaluation.features import DEFAULT_SIZE, extractor
from mezzotint.making.evaluation import pictures
from mezzotint.making.tuned.base import Base, base
from mezzotint.making.tuned.judge import SEED
from mezzotint.pretrained.adapters import Weighed, read_adapter
from mezzotint.pretrained.model import load
from mezzotint.schemas import schema
from mezzotint.tensorfile import read_header
from mezzotint.training.curve import curve_png
from mezzotint.training.journal import read_journal
from mezzotint.tuning.apart import held_apart
from mezzotint.tuning.choose import choose
from mezzotint.tuning.evidence import Estimate, Evidence, evidence, marks, nearness, parted, real
from mezzotint.tuning.ground import ground_of
from mezzotint.tuning.nearest import nearest
from mezzotint.tuning.photos import read_shoot
from mezzotint.tuning.prompts import asked_of, prompts_of
from mezzotint.tuning.words import Subject


def test_what_is_there(whole: Whole) -> None:
    names = {p.name for p in whole.out.iterdir()}
    sheets = {f"sheet-{k}.png" for k in range(4)}
    assert names == {"adapter.safetensors", "report.html", "tune.json", "run"} | sheets
    # No gate has looked at what lay in work/.

    page = (whole.out / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 4 + 1 and "acme mug" in page and "<script" not in page


def test_the_document_follows_its_schema(whole: Whole) -> None:
    written = json.loads((whole.out / "tune.json").read_text())
    for document in (written, whole.printed):
        jsonschema.validate(document, schema("mezzotint/tune/1"))
    assert whole.printed == {**written, "out": str(whole.out), "adapter": str(whole.out / "adapter.safetensors")}
    assert list(written["evidence"]) == ["0", "4", "8"] and written["subjects"] == ["acme mug"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**written, "more": 1}, schema("mezzotint/tune/1"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**written, "evidence": {"4": written["evidence"]["4"]}}, schema("mezzotint/tune/1"))


def test_the_moment_that_is_kept_is_the_rule_s(whole: Whole) -> None:
    def read(one: dict[str, dict[str, float] | None]) -> Evidence:
        return Evidence(**{k: None if v is None else Estimate(**v) for k, v in one.items()})  # type: ignore[arg-type]

    found = {int(step): read(one) for step, one in whole.printed["evidence"].items()}
    wanted = choose(found)
    assert whole.printed["choice"] == {"step": wanted.step, "kept": wanted.kept, "why": wanted.why}


def test_the_report_has_the_curve_and_the_validation_loss_of_every_moment(whole: Whole) -> None:
    page, lines = (whole.out / "report.html").read_text(), read_journal(whole.out / "run/journal.jsonl")
    assert base64.b64encode(curve_png(lines, "acme mug")).decode() in page and "<svg " in page
    measured = {line["step"]: line["validation"] for line in lines if "validation" in line}
    said = whole.printed["validation"]
    assert said == {step: {"step": int(step), "loss": measured[int(step)]} for step in ("4", "8")}
    assert all(f"<td>{measured[step]:.4g}</td>" in page for step in (4, 8))


def test_the_base_keeps_its_bytes(whole: Whole) -> None:
    assert whole.before == whole.after


def test_the_passport_is_in_the_file(whole: Whole) -> None:
    found = json.loads(read_header(whole.out / "adapter.safetensors").metadata["mezzotint.passport"])
    jsonschema.validate(found, schema("mezzotint/passport/1"))
    assert found["triggers"] == ["acme mug"] and found["kind"] == "mug" and found["photos"]["licence"] == "our own"
    assert found["settings"]["kept_after"] == whole.printed["choice"]["step"] and found["photos"]["count"] == 4


@pytest.fixture(scope="module")
def judged(cascade: Path) -> Base:
    return base(load(cascade), "cpu", "float32")


GROUND = "green"
"""Of these mugs, which are blue, white would hide the lines."""

QUESTIONS = asked_of([Subject("acme mug", "mug")], "products", 4, GROUND)


def made(judged: Base, work: Path, worn: Weighed | None) -> np.ndarray:
    """The pictures of all prompts, on the noise of the evidence."""
    return pictures(judged.job(prompts_of(QUESTIONS), SEED, worn), work).images.numpy()


def test_the_kept_file_at_no_weight_is_the_base(whole: Whole, judged: Base, tmp_path: Path) -> None:
    file = Weighed(read_adapter(whole.out / "adapter.safetensors", judged.until.system), 1.0)
    plain = made(judged, tmp_path, None)
    assert np.array_equal(made(judged, tmp_path, replace(file, weight=0.0)), plain)
    assert not np.array_equal(made(judged, tmp_path, file), plain)


def test_the_evidence_of_the_kept_moment_is_that_of_the_kept_file(
    whole: Whole, judged: Base, shoot: Path, tmp_path: Path
) -> None:
    file = Weighed(read_adapter(whole.out / "adapter.safetensors", judged.until.system), 1.0)
    learnt, held = held_apart(read_shoot(shoot, 2 * 16).photos)
    assert ground_of(held) == GROUND
    (shown,) = parted(torch.from_numpy(made(judged, tmp_path, file)), QUESTIONS)
    found = asdict(evidence(marks(shown, QUESTIONS[0], real(held, learnt, 16, GROUND), extractor(2 * DEFAULT_SIZE))))
    kept, printed = str(whole.printed["choice"]["step"]), whole.printed["evidence"]
    again = nearest(shown, learnt)
    product = torch.cat([shown.subject, shown.behind, shown.painted])
    assert again.photograph == learnt[int(nearness(product, learnt).amax(0).argmax())].name
    assert whole.printed["nearest"]["acme mug"] == asdict(again)
    assert found["fidelity"] == printed[kept]["fidelity"] and found["colour"] == printed[kept]["colour"]
    assert all(found["fidelity"] != one["fidelity"] for step, one in printed.items() if step != kept)


def test_what_was_loaded_keeps_its_bytes_too(judged: Base, whole: Whole, tmp_path: Path) -> None:
    """The networks in memory, while an adapter is worn."""

    def state() -> dict[str, torch.Tensor]:
        return {f"{a}.{b}": w.clone() for a, net in judged.stage.networks.items() for b, w in net.state_dict().items()}

    before = state()
    made(judged, tmp_path, Weighed(read_adapter(whole.out / "adapter.safetensors", judged.until.system), 1.0))
    assert before.keys() == state().keys() and all(torch.equal(w, before[k]) for k, w in state().items())
