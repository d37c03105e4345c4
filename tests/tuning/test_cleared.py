"""What no gate has looked at goes, however a run ends; what cannot be removed is said, and stops nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from test_tune_kill import same
from tuning_case import Whole, ran, words

from mezzotint.errors import StorageError
from mezzotint.making.tuned import cleared as clearing
from mezzotint.making.tuned import tune as tuning
from mezzotint.making.tuned.cleared import cleared
from mezzotint.making.tuned.product import Layers

PIECE, WORD, WORD_AT = f"{'0a' * 12}.npz", "learned_embeds.safetensors", "word-0123456789ab-4"


def left(folder: Path) -> Path:
    """A run's folder with all that one leaves, half written files among it."""
    work = folder / "work"
    for place in ("prior", WORD_AT):
        (work / place).mkdir(parents=True)
    half = f".{PIECE}.{'5f' * 6}.part"
    for name in (
        PIECE,
        half,
        f"prior/{PIECE}",
        f"prior/{half}",
        f"{WORD_AT}/{WORD}",
        f"{WORD_AT}/.{WORD}.{'5f' * 6}.part",
    ):
        (work / name).write_bytes(b"x")
    return folder


def test_all_of_it_goes_and_nothing_else(tmp_path: Path) -> None:
    assert cleared(left(tmp_path / "a")) == () and not list((tmp_path / "a").iterdir())
    mine = left(tmp_path / "b") / "work/prior/mine.npz"
    mine.write_bytes(b"of the user")
    assert cleared(tmp_path / "b") == ()
    assert [p for p in (tmp_path / "b").rglob("*") if p.is_file()] == [mine]
    assert cleared(tmp_path / "none") == ()


def test_what_cannot_be_removed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(place: Path, _: object) -> None:
        raise StorageError(f"{place.name} stays")

    monkeypatch.setattr(clearing, "forget", refused)
    assert cleared(left(tmp_path)) == (f"{WORD_AT} stays", "prior stays", "work stays")


def test_a_folder_with_what_was_learnt_is_cleared_of_it(
    whole: Whole, cascade: Path, shoot: Path, tmp_path: Path
) -> None:
    out = shutil.copytree(whole.out, tmp_path / "o")
    left(out)
    code, _, err = ran(words(shoot, cascade, out, "--quiet", "--resume"), tmp_path)
    assert code == 2 and "holds an adapter already" in err and not (out / "work").exists()


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.slow
def test_a_run_that_is_ended_at_its_end_goes_on(
    cascade: Path, shoot: Path, whole: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before its pictures are removed, and then before what was learnt is written.  Its own steps are gone on with."""
    out = tmp_path / "o"
    said = words(shoot, cascade, out, "--quiet", "--json")
    with monkeypatch.context() as patch:
        patch.setattr(tuning, "cleared", interrupted)
        assert ran(said, tmp_path)[0] == 130 and list(out.glob("work/*.npz"))
    at = said.index("--steps")
    said = [*said[:at], *said[at + 2 :], "--resume"]
    with monkeypatch.context() as patch:
        patch.setattr(Layers, "write", interrupted)
        assert ran(said, tmp_path)[0] == 130 and not (out / "work").exists() and (out / "tune.json").is_file()
    code, printed, err = ran(said, tmp_path)
    assert code == 0 and json.loads(printed)["about"]["steps"] == 8, err
    assert same(out / "adapter.safetensors", whole.out / "adapter.safetensors") and not (out / "work").exists()
