"""``catalog run``: every asset made once, as ``generate`` makes it, past its gates, through failures."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from catalogs import asked, begun, manifest, pixels, receipts, rows, states, worker
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo
from sqlalchemy import update
from tiny_systems import save_ranked

import mezzotint as mz
from mezzotint.catalog.engine.make import make
from mezzotint.catalog.engine.worker import TRIES
from mezzotint.catalog.ledger import tables as t
from mezzotint.catalog.ledger.leases import LEASE_SECONDS, Lease, lease
from mezzotint.catalog.ledger.owner import owner
from mezzotint.catalog.ledger.runs import counts, steer, the_run
from mezzotint.catalog.planning import Asked, ManifestError
from mezzotint.catalog.running import changed, end
from mezzotint.errors import InputError, LedgerError, ModelError, StorageError, UsageError
from mezzotint.files import sha256
from mezzotint.making.released import Withheld
from mezzotint.replayed import TOLERANCE


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_asset_is_the_picture_that_generate_makes(tmp_path: Path, tiny: Path) -> None:
    run, where, model = begun(asked(manifest(tmp_path), tiny), tmp_path / "out")
    assert worker(run, where, model).work() == "done"
    assert states(where.db) == ["done"] * 12
    made, shown = {row["id"]: row for row in rows(where.db, t.made)}, pixels(tmp_path / "out")
    for asset in rows(where.db, t.asset):
        words = {"model": model, "steps": 2, "scale": 1.0, "threads": 1, "batch": 4}
        (alone,) = mz.generate(asset["prompt"], seed=asset["seed"], **words).images
        row = made[asset["id"]]
        assert shown[row["file"]] == alone.pixels.tobytes(), "whoever its batch-mates are"
        assert row["receipt"] == alone.receipt.made.asset_id and row["pixels_sha256"] == alone.receipt.pixels_sha256


def shaped(said: Asked, batch: int, **more) -> Asked:
    """The same in batches of other shapes, sampled as more says."""
    sampling = dataclasses.replace(said.words.sampling, **more)
    return dataclasses.replace(said, words=dataclasses.replace(said.words, batch=batch, sampling=sampling))


def test_of_several_candidates_the_one_is_made_that_generate_keeps(tmp_path: Path) -> None:
    model_folder = save_ranked(tmp_path / "ranked")
    (tmp_path / "m.csv").write_text("sku,prompt,variants\nA,a red chair,2\nB,a desk lamp,1\n")
    said = shaped(asked(tmp_path / "m.csv", model_folder), 4, candidates=3, scale=2.0)
    run, where, model = begun(said, tmp_path / "out")
    assert worker(run, where, model).work() == "done" and states(where.db) == ["done"] * 3
    made, shown = {row["id"]: row for row in rows(where.db, t.made)}, pixels(tmp_path / "out")
    for asset in rows(where.db, t.asset):
        words = {"model": model, "steps": 2, "scale": 2.0, "threads": 1, "batch": 4}
        kept, first = (
            mz.generate(asset["prompt"], seed=asset["seed"], candidates=n, **words).images[0] for n in (3, 1)
        )
        row = made[asset["id"]]
        assert shown[row["file"]] == kept.pixels.tobytes() and row["receipt"] == kept.receipt.made.asset_id
        assert kept.receipt.made.asset_id != first.receipt.made.asset_id


def never(ready, wanted, checks):
    """An engine for runs in which nothing is left to make."""
    raise AssertionError("made twice")


def test_ids_go_by_all_that_is_asked_and_not_by_the_shape(tmp_path: Path, tiny: Path) -> None:
    pairs = list[tuple[str, str]]()
    for k, (batch, steps) in enumerate(((4, 2), (4, 3), (8, 2))):
        said = shaped(asked(manifest(tmp_path), tiny), batch, steps=steps)
        run, where, model = begun(said, tmp_path / f"out-{k}")
        worker(run, where, model).work()
        pairs += [(row["id"], row["receipt"]) for row in rows(where.db, t.made)]
    assert len(pairs) == len({receipt for _, receipt in pairs}) == 36, "a receipt says the shape"
    assert len({name for name, _ in pairs}) == 24


def test_any_batch_makes_the_same_pictures_within_rounding(tmp_path: Path, tiny: Path) -> None:
    """Ids, variants, seeds and buckets are equal; in the same shape the bits and the receipts are too."""
    shown, said_of = [], []
    for batch in (1, 4, 16, 16):
        out = tmp_path / f"out-{batch}-{len(shown)}"
        run, where, model = begun(shaped(asked(manifest(tmp_path), tiny), batch), out)
        assert worker(run, where, model).work() == "done"
        names = ("id", "sku", "variant", "seed", "bucket", "prompt")
        files = {row["id"]: row["file"] for row in rows(where.db, t.made)}
        shown.append({tuple(a[n] for n in names): pixels(out)[files[a["id"]]] for a in rows(where.db, t.asset)})
        said_of.append(receipts(out))
    assert len(shown[0]) == 12 and shown[0].keys() == shown[1].keys() == shown[2].keys()
    for one in shown[1:]:
        apart = [
            np.abs(np.frombuffer(one[k], np.uint8) - np.frombuffer(shown[0][k], np.uint8).astype(int)) for k in one
        ]
        assert max(int(a.max()) for a in apart) <= TOLERANCE["float32"]
    assert shown[2] == shown[3] and said_of[2] == said_of[3] and not said_of[0].keys() & said_of[1].keys()


def test_another_batch_finds_what_is_made_and_makes_the_rest(tmp_path: Path, tiny: Path) -> None:
    said, out = asked(manifest(tmp_path), tiny), tmp_path / "out"
    run, where, model = begun(said, out)

    def told(batch: int, steps: int) -> None:
        if batch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker(run, where, model, told=told).work()
    assert len(pixels(out)) == 4
    other, _, _ = begun(shaped(said, 1), out)
    assert other.id != run.id and counts(where.db, other.id)["waiting"] == 8
    assert worker(other, where, model).work() == "done"
    again, _, _ = begun(said, out)
    assert again.id == run.id and worker(again, where, model, make=never).work() == "done"
    made = rows(where.db, t.made)
    assert [len(row["receipt"]) for row in made] == [32] * 12 and len(receipts(out)) == 12
    shown = pixels(out)
    assert {row["file"]: row["pixels_sha256"] for row in made} == {n: sha256(p) for n, p in shown.items()}
    assert begun(shaped(said, 16), out)[0].id not in (run.id, other.id) and states(where.db) == ["done"] * 36


def test_runs_in_two_shapes_never_make_an_asset_at_once(tmp_path: Path, tiny: Path) -> None:
    said, out = asked(manifest(tmp_path), tiny), tmp_path / "out"
    run, where, _ = begun(said, out)
    other, _, _ = begun(shaped(said, 2), out)
    first = lease(where.db, run.id, owner(), 0.0)
    assert isinstance(first, Lease) and len(first.wishes) == 4
    assert [lease(where.db, other.id, owner(), 0.0) for _ in range(2)] == ["busy", "busy"]
    beside = lease(where.db, other.id, owner(), 0.0)
    assert isinstance(beside, Lease) and not {w.id for w in first.wishes} & {w.id for w in beside.wishes}
    where.db.write(lambda c: c.execute(update(t.batch).where(t.batch.c.owner == first.owner).values(owner="a|1|2|b")))
    late = lease(where.db, other.id, owner(), LEASE_SECONDS + 1)
    assert isinstance(late, Lease) and {w.id for w in late.wishes} < {w.id for w in first.wishes}, "its holder is gone"


def test_the_same_words_go_on_and_an_edited_row_is_made_alone(tmp_path: Path, tiny: Path) -> None:
    path = manifest(tmp_path)
    run, where, model = begun(asked(path, tiny), tmp_path / "out")
    worker(run, where, model).work()
    again, _, _ = begun(asked(path, tiny), tmp_path / "out")
    assert again.id == run.id and worker(again, where, model).work() == "done"
    before = {row["id"] for row in rows(where.db, t.made)}
    path.write_text(path.read_text().replace("S-1,ankle boot", "S-1,t-shirt"))
    edited, _, _ = begun(asked(path, tiny), tmp_path / "out")
    assert edited.id != run.id and counts(where.db, edited.id)["waiting"] == 3
    worker(edited, where, model).work()
    new = {row["id"]: row for row in rows(where.db, t.made) if row["id"] not in before}
    assert len(new) == 3 and all(row["file"].startswith("assets/S-1/") for row in new.values())


def test_one_row_more_or_edited_is_made_alone_though_the_shape_is_another(tmp_path: Path, tiny: Path) -> None:
    """Four assets are computed in fours, five in eights; what was made in fours stays."""
    path = manifest(tmp_path, rows=4, variants=1)
    run, where, model = begun(shaped(asked(path, tiny), 16), tmp_path / "out")
    worker(run, where, model).work()
    before = receipts(tmp_path / "out")
    path.write_text(path.read_text().replace("S-1,ankle boot", "S-1,t-shirt") + "S-4,sneaker,1\n")
    edited, _, _ = begun(shaped(asked(path, tiny), 16), tmp_path / "out")
    assert counts(where.db, edited.id) | {"done": 3, "waiting": 2} == counts(where.db, edited.id)
    worker(edited, where, model).work()
    after = receipts(tmp_path / "out")
    assert {name: after[name] for name in before} == before
    new = [said["made"] for name, said in after.items() if name not in before]
    assert sorted(made["prompt"] for made in new) == ["sneaker", "t-shirt"]
    assert {made["stages"][0]["batch"][0] for made in new} == {8}


def test_a_manifest_with_problems_is_not_run(tmp_path: Path, tiny: Path) -> None:
    (tmp_path / "m.csv").write_text("sku,prompt\na,snaeker\nb,{x}\n")
    with pytest.raises(ManifestError, match=r"m\.csv: row 2, prompt: .*nearest: Sneaker \(and 1 more\); `mezzotint"):
        begun(asked(tmp_path / "m.csv", tiny), tmp_path / "out")
    assert not (tmp_path / "out" / "runs").exists()


def test_equal_pictures_of_two_products_are_made_once(tmp_path: Path, tiny: Path) -> None:
    (tmp_path / "m.csv").write_text("sku,prompt,seed\na,sneaker,7\nb,sneaker,7\nc,sneaker,8\n")
    run, where, model = begun(asked(tmp_path / "m.csv", tiny), tmp_path / "out")
    worker(run, where, model).work()
    assert states(where.db) == ["done"] * 3 and len(rows(where.db, t.made)) == 2


def test_an_asset_of_which_only_the_note_is_missing_is_not_made_again(tmp_path: Path, tiny: Path) -> None:
    out = tmp_path / "out"
    run, where, model = begun(asked(manifest(tmp_path), tiny), out)
    worker(run, where, model).work()
    times = {p: p.read_bytes() for p in (out / "receipts").glob("*.json")}
    fresh, elsewhere, _ = begun(asked(manifest(tmp_path), tiny), out, ledger=str(tmp_path / "new.sqlite"))
    calls: list[int] = []

    def counted(ready, wanted, checks):
        calls.append(len(wanted))
        return make(ready, wanted, checks)

    first, second = sorted((out / "assets").rglob("*.png"))[:2]
    first.write_bytes(first.read_bytes()[:-40])
    with Pillow.open(second) as image:
        info = PngInfo()
        info.add_text("mezzotint:asset_id", image.info["mezzotint:asset_id"])
        Pillow.new("L", image.size).save(second, pnginfo=info)
    assert worker(fresh, elsewhere, model, make=counted).work() == "done"
    assert sum(calls) == 2, "the damaged one, and the one that is another picture"
    assert sum(p.read_bytes() != data for p, data in times.items()) <= 2


def names_list(folder: Path, name: str) -> None:
    """A policy that blocks one word."""
    digest = hashlib.sha256(f"{'0' * 32}\n{name}".encode()).hexdigest()
    said = {"schema": "mezzotint/names/1", "category": "third-party-mark", "salt": "0" * 32, "hashes": [digest]}
    (folder / "names.json").write_text(json.dumps(said))
    (folder / "mezzotint.toml").write_text('[safety]\nnames = ["names.json"]\n')


def test_the_prompt_gate_blocks_rows_and_the_run_goes_on(tmp_path: Path, tiny: Path) -> None:
    names_list(tmp_path, "sneaker")
    run, where, model = begun(asked(manifest(tmp_path, rows=3, variants=1), tiny), tmp_path / "out")
    assert worker(run, where, model).work() == "done"
    assert states(where.db) == ["blocked", "done", "done"]
    (kept,) = (tmp_path / "out" / "quarantine").iterdir()
    said = json.loads(kept.read_text())
    assert said["sku"] == "S-0" and said["verdict"]["findings"][0]["code"] == "MZ-P-third-party-mark-name"
    assert not (tmp_path / "out" / "assets" / "S-0").exists()
    assert all(one["prompt_check"]["decision"] == "allow" for one in receipts(tmp_path / "out").values())


@pytest.mark.parametrize("word", ["blocked", "unchecked", "sealed"])
def test_a_gate_of_pictures_keeps_them_out(tmp_path: Path, tiny: Path, word: str) -> None:
    def dark(image: mz.Image) -> mz.Image | Withheld:
        if image.prompt != "sneaker":
            return image
        if word == "unchecked":
            raise ValueError("the network is damaged")
        said = {"decision": "block", "findings": [{"code": "MZ-O-sexual-nsfw", "decision": "block"}]}
        box = b"a box" if word == "sealed" else None
        return Withheld(image.prompt, image.seed, dataclasses.replace(image.receipt, output_check=said), box)

    run, where, model = begun(asked(manifest(tmp_path, rows=3, variants=1), tiny), tmp_path / "out")
    worker(run, where, model, look=dark).work()
    state, kept = ("blocked", [".json", ".sealed"]) if word == "sealed" else (word, [".json"])
    assert states(where.db) == [state, "done", "done"] and not (tmp_path / "out/assets/S-0").exists()
    assert sorted(p.suffix for p in (tmp_path / "out/quarantine").iterdir()) == kept, "its pixels are nowhere in clear"
    assert len(receipts(tmp_path / "out")) == 2 and "S-0" not in {r["file"][7:10] for r in rows(where.db, t.made)}


def failing(when, error):
    """The engine's function, that raises where a batch is one of those."""

    def one(ready, wanted, checks) -> Iterator:
        if when(wanted):
            raise error
        yield from make(ready, wanted, checks)

    return one


def test_a_row_that_cannot_be_made_is_parked_alone(tmp_path: Path, tiny: Path) -> None:
    run, where, model = begun(asked(manifest(tmp_path), tiny), tmp_path / "out")
    poison = rows(where.db, t.asset)[5]["seed"]
    bad = failing(lambda wanted: poison in [w.seed for w in wanted], InputError("it cannot be read"))
    assert worker(run, where, model, make=bad).work() == "done"
    assert states(where.db) == ["done"] * 5 + ["parked"] + ["done"] * 6
    assert json.loads(rows(where.db, t.asset)[5]["detail"])["error"] == "it cannot be read"
    again, _, _ = begun(asked(manifest(tmp_path), tiny), tmp_path / "out")
    assert worker(again, where, model).work() == "done" and states(where.db) == ["done"] * 12, (
        "the same command tries anew"
    )


def test_passing_troubles_are_tried_again_later_and_later(tmp_path: Path, tiny: Path) -> None:
    run, where, model = begun(asked(manifest(tmp_path, rows=1), tiny), tmp_path / "out")
    now, left, waited = [0.0], [3], list[float]()

    def troubled(wanted) -> bool:
        left[0] -= 1
        return left[0] >= 0

    def pause(seconds: float) -> None:
        now[0] += seconds
        waited.append(seconds)

    bad = failing(troubled, ConnectionError("reset"))
    assert worker(run, where, model, make=bad, wall=lambda: now[0], pause=pause).work() == "done"
    assert states(where.db) == ["done"] * 3 and rows(where.db, t.batch)[0]["tries"] == 3
    assert sum(waited) >= 0.5 + 1 + 2


def test_troubles_that_never_pass_park_the_batch(tmp_path: Path, tiny: Path) -> None:
    run, where, model = begun(asked(manifest(tmp_path, rows=2, variants=2), tiny), tmp_path / "out")
    now = [0.0]
    bad = failing(lambda wanted: wanted[0].prompt == "sneaker", RuntimeError("out of memory"))

    def pause(seconds: float) -> None:
        now[0] += seconds

    assert worker(run, where, model, make=bad, wall=lambda: now[0], pause=pause).work() == "done"
    assert states(where.db) == ["parked", "parked", "done", "done"]


def test_outputs_that_cannot_be_written_end_the_run_and_lose_nothing(tmp_path: Path, tiny: Path, monkeypatch) -> None:
    run, where, model = begun(asked(manifest(tmp_path), tiny), tmp_path / "out")
    now = [0.0]

    def pause(seconds: float) -> None:
        now[0] += seconds

    def full(name: str, data: bytes) -> None:
        raise StorageError(f"cannot write {name}: no space left on the disk")

    class Full:
        address, get = where.store.address, where.store.get
        put = staticmethod(full)

    broken = worker(run, where, model, wall=lambda: now[0], pause=pause)
    broken.store = Full()
    with pytest.raises(StorageError, match="no space left"):
        broken.work()
    assert states(where.db) == ["waiting"] * 12 and rows(where.db, t.batch)[0]["tries"] == TRIES
    assert worker(run, where, model).work() == "done" and states(where.db) == ["done"] * 12


def test_pause_resume_and_cancel_from_elsewhere(tmp_path: Path, tiny: Path) -> None:
    run, where, model = begun(asked(manifest(tmp_path), tiny), tmp_path / "out")
    seen: list[str] = []

    def told(batch: int, steps: int) -> None:
        if batch == 0 and steps == 1:
            steer(where.db, run.id, "pause")
        if batch == 1 and steps == 1:
            steer(where.db, run.id, "cancel")

    def pause(seconds: float) -> None:
        seen.append(the_run(where.db, run.id).state)
        if len(seen) == 3:
            steer(where.db, run.id, "resume")

    assert worker(run, where, model, told=told, pause=pause).work() == "cancelled"
    assert seen == ["paused"] * 3 and states(where.db).count("done") == 8
    with pytest.raises(
        UsageError, match=f"run {run.id} is cancelled; only one that is paused can .* takes it up again"
    ):
        steer(where.db, run.id, "resume")
    again, _, _ = begun(asked(manifest(tmp_path), tiny), tmp_path / "out")
    assert worker(again, where, model).work() == "done" and states(where.db) == ["done"] * 12


def test_a_manifest_changed_during_a_run_is_noticed(tmp_path: Path, tiny: Path) -> None:
    path = manifest(tmp_path)
    before = path.read_bytes()
    run, where, model = begun(asked(path, tiny), tmp_path / "out")
    assert not changed(run)
    path.write_text("sku,prompt\nother,sneaker\n")
    assert worker(run, where, model).work() == "done" and states(where.db) == ["done"] * 12
    assert end(run, where, "done").changed
    assert (tmp_path / "out" / "runs" / run.id / "manifest.csv").read_bytes() == before


def test_a_plan_of_another_machine_is_not_made(tmp_path: Path, tiny: Path) -> None:
    run, where, model = begun(asked(manifest(tmp_path), tiny), tmp_path / "out")
    mine = worker(run, where, model)
    mine.recipes.said[0] = ("0" * 32, *mine.recipes.said[0][1:])
    with pytest.raises(ModelError, match="would give other pictures"):
        mine.recipes[0]


def test_a_clock_that_is_set_back_loses_nothing(tmp_path: Path, tiny: Path) -> None:
    run, where, model = begun(asked(manifest(tmp_path), tiny), tmp_path / "out")
    now = iter([1e9 - 3600.0 * k for k in range(10_000)])
    assert worker(run, where, model, wall=lambda: next(now)).work() == "done"
    assert states(where.db) == ["done"] * 12 and len(rows(where.db, t.made)) == 12


def test_a_ledger_of_another_version_is_named_and_its_pictures_are_found_without_it(tmp_path: Path, tiny: Path) -> None:
    """As one was before the book counted what is spent."""
    run, where, model = begun(asked(manifest(tmp_path), tiny), tmp_path / "out")
    worker(run, where, model).work()
    for change in ("DROP COLUMN book", "ADD COLUMN spent BIGINT NOT NULL DEFAULT 0"):
        where.db.write(lambda c, change=change: c.exec_driver_sql(f"ALTER TABLE run {change}"))
    where.db.engine.dispose()
    with pytest.raises(LedgerError, match=r"another version of mezzotint \(table run: book, spent\); move it away"):
        begun(asked(manifest(tmp_path), tiny), tmp_path / "out")
    for file in (tmp_path / "out").glob("catalog.sqlite*"):
        file.rename(tmp_path / file.name)

    run, where, _ = begun(asked(manifest(tmp_path), tiny), tmp_path / "out")
    assert worker(run, where, model, make=never).work() == "done" and states(where.db) == ["done"] * 12


def test_outputs_at_an_address(tmp_path: Path, tiny: Path) -> None:
    import fsspec

    run, where, model = begun(asked(manifest(tmp_path), tiny), "memory://shop/out", ledger=str(tmp_path / "l.sqlite"))
    assert worker(run, where, model).work() == "done"
    here, here_model = begun(asked(manifest(tmp_path), tiny), tmp_path / "out"), model
    worker(here[0], here[1], here_model).work()
    files = fsspec.filesystem("memory")
    assert all(
        files.cat_file(f"/shop/out/{p}") == (tmp_path / "out" / p).read_bytes() for p in pixels(tmp_path / "out")
    )
