"""Files of adapters that have lost something since they were written, or hold numbers that are none: refused in a line,
for every kind of change that ``tune`` writes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from mezzotint.errors import ModelError
from mezzotint.files import sha256, sha256_file
from mezzotint.nets.adapters.contents import Contents, contents_of
from mezzotint.nets.adapters.trained import learnt, trained
from mezzotint.pretrained.adapters import layers_of, parts_to_adapt, read_adapter
from mezzotint.pretrained.exchange.convert import convert_adapter
from mezzotint.pretrained.exchange.read import read_contents
from mezzotint.pretrained.exchange.save import layout_for, write_adapter
from mezzotint.pretrained.exchange.shown import shown
from mezzotint.pretrained.passport import Passport, Photos, base_of
from mezzotint.pretrained.system import System, describe_system
from mezzotint.pretrained.weights_file import header_of
from mezzotint.tuning.settings import METHODS as LEARNT
from mezzotint.tuning.settings import Method

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "families"))
import checkpoints
from exchanging import METHODS, chosen, contents, network

HASH = "modelspec.hash_sha256"


@pytest.fixture
def system(tiny: Path) -> System:
    return describe_system(tiny)


def passport(system: System, method: str) -> Passport:
    return Passport(
        title="acme bag", base=base_of(system), method=method, rank=2, alpha=None, triggers=("acme bag",), kind="bag",
        photos=Photos(12, "b" * 64, ""), evaluation={}, settings={}, command="", versions={}, seed=3, created="",
    )  # fmt: skip


def written(folder: Path, made: Contents, system: System, method: str = "") -> Path:
    """In the layout that ``tune`` writes.   method: of its passport, "" for a file without one."""
    known = passport(system, method) if method else None
    layout = layout_for(made, system)
    (one,) = write_adapter(folder / "a.safetensors", made, system, layout, known)
    return one.path


def header(path: Path) -> dict[str, str]:
    with safe_open(path, "pt") as opened:
        return dict(opened.metadata())


def with_biases(made: Contents) -> Contents:
    """The same with a difference of every bias."""
    layers = made["denoiser"]
    wide = {path: len(one.change.delta(torch.ones(1))) for path, one in layers.items() if one.change is not None}
    return {
        "denoiser": {
            path: replace(one, tensors={**one.tensors, "diff_b": torch.ones(wide[path])})
            for path, one in layers.items()
        }
    }


CASES: Mapping[str, str] = {**{name: name for name in METHODS}, "lora, biases": "lora", "full, biases": "full"}


def made_of(case: str, system: System) -> Contents:
    made = contents(system, CASES[case])
    return with_biases(made) if "biases" in case else made


def one_of_each(tensors: Mapping[str, Tensor]) -> list[str]:
    """A key of every kind of tensor."""
    return list({key.rpartition(".lora")[2].rpartition(".")[2]: key for key in sorted(tensors)}.values())


@pytest.mark.parametrize("case", CASES)
def test_a_file_without_one_of_its_tensors_is_refused(case: str, system: System, tmp_path: Path) -> None:
    path = written(tmp_path, made_of(case, system), system, CASES[case])
    tensors, said = load_file(path), header(path)
    assert not read_adapter(path, system).coverage.partial
    for gone in one_of_each(tensors):
        save_file({k: v for k, v in tensors.items() if k != gone}, path, said)
        with pytest.raises(ModelError) as error:
            read_adapter(path, system)
        line = str(error.value)
        assert "\n" not in line and any(why in line for why in ("without a place", "its passport says", HASH)), gone
        with pytest.raises(ModelError, match=r"generate alone takes what .*, with --allow-partial"):
            convert_adapter(path, system, "kohya", tmp_path / "no.safetensors")


@pytest.mark.parametrize("case", CASES)
def test_what_is_left_of_it_is_taken_where_that_is_asked(case: str, system: System, tmp_path: Path) -> None:
    """And that it was is said."""
    path = written(tmp_path, made_of(case, system), system, CASES[case])
    tensors, said = load_file(path), header(path)
    assert not read_adapter(path, system, partial=True).coverage.partial
    gone = next(iter(sorted(tensors)))
    save_file({k: v for k, v in tensors.items() if k != gone}, path, said)
    coverage = read_adapter(path, system, partial=True).coverage
    assert coverage.layers > 0 and coverage.partial
    assert coverage.lacks in str(coverage) and (coverage.lacks or "without a place" in str(coverage))


def test_a_changed_number_is_refused_and_inspect_shows_it(system: System, tmp_path: Path) -> None:
    path = written(tmp_path, contents(system, "full"), system, "full")
    tensors, said = load_file(path), header(path)
    key = next(iter(tensors))
    save_file({**tensors, key: tensors[key] + 1}, path, said)
    with pytest.raises(ModelError, match=rf"its tensors are not those .* \({HASH}\); fetch it again; generate"):
        read_adapter(path, system)
    assert shown(path)["intact"] is False


def of_the_whole_file(path: Path) -> str:
    """As ComfyUI's helpers write it: before the header has it."""
    return sha256_file(path)


def by_name(path: Path) -> str:
    """As OneTrainer writes it: tensor by tensor, in the order of their names."""
    tensors = load_file(path)
    return sha256(b"".join(tensors[key].contiguous().view(torch.uint8).numpy().tobytes() for key in sorted(tensors)))


@pytest.mark.parametrize("hashed", [of_the_whole_file, by_name])
def test_what_other_tools_hash_is_their_own(hashed: Callable[[Path], str], system: System, tmp_path: Path) -> None:
    """Without a passport nothing says which bytes are meant: put on, converted, and not called damaged."""
    path = written(tmp_path, contents(system, "lora"), system)
    mixed = {k: v.half() if k.endswith("lora_A.weight") else v for k, v in load_file(path).items()}
    save_file(mixed, path, rest := {k: v for k, v in header(path).items() if k != HASH})
    assert sha256_file(path, header_of(path).start) != hashed(path)
    save_file(mixed, path, {**rest, HASH: f"0x{hashed(path)}"})
    assert not read_adapter(path, system).coverage.partial and shown(path)["intact"] is None
    (other,) = convert_adapter(path, system, "peft", tmp_path / "other")
    assert read_adapter(other.path, system).coverage.layers > 0


@pytest.mark.parametrize("said", [None, "", "0x", "0xABC", "unknown"])
def test_a_file_that_states_no_hash_is_read(said: str | None, system: System, tmp_path: Path) -> None:
    """Some tools leave the key empty, or put something else there."""
    path = written(tmp_path, contents(system, "oft"), system)
    rest = {k: v for k, v in header(path).items() if k != HASH}
    save_file(load_file(path), path, rest if said is None else {**rest, HASH: said})
    assert read_adapter(path, system).coverage.layers > 0 and shown(path)["intact"] is None


def test_a_hash_is_read_in_either_spelling(system: System, tmp_path: Path) -> None:
    path = written(tmp_path, contents(system, "lora"), system)
    said = header(path)
    save_file(load_file(path), path, {**said, HASH: said[HASH].removeprefix("0x").upper()})
    assert read_adapter(path, system).coverage.layers > 0 and shown(path)["intact"] is True


def test_the_hash_of_a_file_that_is_the_same_is_remembered(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it costs nothing beside reading: the bytes are hashed the first time alone."""
    path, asked = written(tmp_path, contents(system, "lora"), system, "lora"), []

    def counted(one: Path, start: int = 0) -> str:
        asked.append(start)
        return sha256_file(one, start)

    monkeypatch.setattr("mezzotint.pretrained.components.sha256_file", counted)
    for _ in range(3):
        read_adapter(path, system)
    assert len(asked) == 2 and asked[0] > 0 == asked[1]  # the tensors' and the file's, once each


@pytest.mark.parametrize("method", LEARNT)
def test_a_passport_is_believed(method: str, system: System, tmp_path: Path) -> None:
    """Of every method as it was learnt, the file is what its passport says."""
    begin = Method(method, 2).begin_text  # of a denoiser T-LoRA is read by levels, which is another law
    net = trained(network(system, "denoiser"), dict.fromkeys(chosen(system, "denoiser"), begin), 0)
    made = contents_of(learnt(net))
    path = written(tmp_path, made, system, method)
    assert read_adapter(path, system).coverage.layers == len(made["denoiser"])


@pytest.mark.parametrize("method", [m for m in METHODS if m != "lora"])
def test_what_a_passport_says_and_a_file_lacks_is_named(method: str, system: System, tmp_path: Path) -> None:
    """With no hash to go by: DoRA without a norm is LoRA, and would be put on as that."""
    plain = contents(system, "lora")["denoiser"]
    made = dict(contents(system, method)["denoiser"])
    lost = next(iter(made))
    made[lost] = plain[lost]
    (one,) = write_adapter(tmp_path / "a.safetensors", {"denoiser": made}, system, "kohya", passport(system, method))
    save_file(load_file(one.path), one.path, {k: v for k, v in header(one.path).items() if k != HASH})
    with pytest.raises(ModelError, match=f"its passport says {method}, and its {lost} has no [a-z0-9_]*; expected"):
        read_adapter(one.path, system)
    coverage = read_adapter(one.path, system, partial=True).coverage
    assert coverage.layers == len(made) and coverage.lacks.startswith(f"its passport says {method}")


NONE = [float("nan"), float("inf"), -float("inf")]


@pytest.mark.parametrize("value", NONE)
@pytest.mark.parametrize("layout", ["peft", "diffusers", "kohya"])
def test_an_alpha_that_is_no_number_is_refused_in_a_line(
    layout: str, value: float, system: System, tmp_path: Path
) -> None:
    (one,) = write_adapter(tmp_path / "a.safetensors", contents(system, "lora"), system, "kohya")
    tensors = load_file(one.path)
    key = next(k for k in tensors if k.endswith(".alpha"))
    save_file({**tensors, key: torch.tensor(value)}, one.path)
    for ask in (read_contents, lambda path, system: convert_adapter(path, system, layout, tmp_path / "no")):  # type: ignore[arg-type]
        with pytest.raises(ModelError, match=r"alpha holds values that are not finite; expected numbers") as error:
            ask(one.path, system)
        assert "\n" not in str(error.value)
    assert not (tmp_path / "no").exists()


def test_an_alpha_beyond_every_number_that_is_computed_with(system: System, tmp_path: Path) -> None:
    (one,) = write_adapter(tmp_path / "a.safetensors", contents(system, "lora"), system, "kohya")
    tensors = load_file(one.path)
    key = next(k for k in tensors if k.endswith(".alpha"))
    save_file({**tensors, key: torch.tensor(1e300, dtype=torch.float64)}, one.path)
    with pytest.raises(ModelError, match="not finite"):
        read_adapter(one.path, system)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float8_e5m2])
@pytest.mark.parametrize("value", NONE)
def test_tensors_that_hold_no_numbers_are_refused(
    value: float, dtype: torch.dtype, system: System, tmp_path: Path
) -> None:
    (one,) = write_adapter(tmp_path / "a.safetensors", contents(system, "lora"), system, "kohya")
    tensors = {k: v if k.endswith("alpha") else v.to(dtype) for k, v in load_file(one.path).items()}
    save_file(tensors, one.path)
    assert read_adapter(one.path, system).coverage.layers > 0
    key = next(k for k in tensors if k.endswith("lora_up.weight"))
    bad = tensors[key].float()
    bad.view(-1)[-1] = value
    save_file({**tensors, key: bad.to(dtype)}, one.path)
    with pytest.raises(ModelError, match=rf"{key} holds values that are not finite"):
        read_adapter(one.path, system)


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("value", NONE)
def test_rotations_of_no_numbers_are_refused(value: float, quick: bool, system: System, tmp_path: Path) -> None:
    """Before they are made: a series of one term does not look at them."""
    place = chosen(system, "denoiser")[0]
    inputs = layers_of(parts_to_adapt(system)["denoiser"])[place].get_parameter("weight")[0].numel()
    numbers = torch.zeros(inputs // 4, 6)
    said = {"use_cayley_neumann": quick, "num_cayley_neumann_terms": 1, "coft": False, "peft_type": "OFT"}
    (tmp_path / "adapter_config.json").write_text(json.dumps(said))
    path, key = tmp_path / "adapter_model.safetensors", f"base_model.model.{place}.oft_R.weight"
    save_file({key: numbers}, path)
    assert read_adapter(path, system).coverage.layers == 1
    numbers[0, 0] = value
    save_file({key: numbers}, path)
    with pytest.raises(ModelError, match=f"{key} holds values that are not finite"):
        read_adapter(path, system)


def test_some_rows_of_a_change_are_of_its_method(tmp_path: Path) -> None:
    """Of a layer of the file that is q, k and v at once, as FLUX's files have them."""
    system = describe_system(checkpoints.flux(tmp_path / "base", distilled=False))
    made = contents(system, "full", "denoiser")
    (one,) = write_adapter(tmp_path / "a.safetensors", made, system, "kohya", passport(system, "full"))
    assert set(made["denoiser"]) <= set(read_adapter(one.path, system).parts["denoiser"])


def test_every_kind_is_among_them(system: System) -> None:
    """A method that is added to ``tune`` is asked of these too."""
    kinds = set()
    for method in LEARNT:
        net = trained(network(system, "denoiser"), {chosen(system, "denoiser")[0]: Method(method, 2).begin_text}, 0)
        kinds |= {one.method for one in contents_of(learnt(net))["denoiser"].values()}
    assert kinds == set(METHODS)
