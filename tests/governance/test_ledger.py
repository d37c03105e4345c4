"""The ledger: what was changed, removed or moved is found and named; kills and other writers leave it whole."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzotint.cli import run
from mezzotint.errors import InputError, LedgerError, StorageError
from mezzotint.governance.provenance.chain import FIRST, Entry, Head, Record, after, fault_of
from mezzotint.governance.provenance.ledger import check, find, writing
from mezzotint.schemas import schema

WRITER = """
import sys
from pathlib import Path
from mezzotint.governance.provenance.chain import Record
from mezzotint.governance.provenance.ledger import writing
with writing(Path(sys.argv[1])) as ledger:
    for k in range(int(sys.argv[3])):
        entry = ledger.append(Record("now", f"{sys.argv[2]}-{k}", "r", "p", f"{sys.argv[2]}-{k}"))
        print(entry.number, flush=True)
"""


def record(k: int) -> Record:
    return Record("2026-11-27T00:00:00Z", f"{k:032x}", f"{k:064x}", f"{k + 1:064x}", f"{k + 2:064x}")


def chain(n: int) -> list[Entry]:
    made: list[Entry] = []
    for k in range(n):
        made.append(after(made[-1].head if made else Head(0, FIRST), record(k)))
    return made


def filled(path: Path, n: int = 6) -> Head:
    with writing(path) as ledger:
        return [ledger.append(record(k)).head for k in range(n)][-1]


def tampered(path: Path, *statements: str) -> None:
    """By somebody who can write the file, and takes the guards away first."""
    with sqlite3.connect(path) as connection:
        for trigger in ("entry_stays", "entry_remains"):
            connection.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


@given(st.integers(1, 12), st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_is_done_to_a_chain_is_found(n: int, data: st.DataObject) -> None:
    """Changed fields, removals, swaps and repetitions, with or without new numbers; an intact one has no fault."""
    entries = chain(n)
    head = entries[-1].head
    assert fault_of(entries, head) is None and fault_of(entries, head, entries[n // 2].head) is None
    k, kind = data.draw(st.integers(0, n - 1)), data.draw(st.sampled_from(["change", "remove", "swap", "repeat"]))
    bad = list(entries)
    if kind == "change":
        bad[k] = replace(bad[k], record=replace(bad[k].record, asset_id="other"))
    if kind == "remove":
        del bad[k]
    if kind == "swap":
        j = data.draw(st.integers(0, n - 1).filter(lambda j: j != k)) if n > 1 else None
        if j is None:
            return
        bad[k], bad[j] = bad[j], bad[k]
    if kind == "repeat":
        bad.insert(k, bad[k])
    if kind == "swap" or data.draw(st.booleans()):
        bad = [replace(entry, number=i + 1) for i, entry in enumerate(bad)]
    assert fault_of(sorted(bad, key=lambda entry: entry.number), head) is not None


@pytest.mark.parametrize(
    ("statements", "entry", "code"),
    [
        (["UPDATE entry SET pixels_sha256 = 'x' WHERE number = 3"], 3, "changed"),
        (["UPDATE entry SET hash = 'x' WHERE number = 3"], 3, "changed"),
        (["DELETE FROM entry WHERE number = 4"], 4, "missing"),
        (["DELETE FROM entry WHERE number IN (3, 4)"], 3, "missing"),
        (["DELETE FROM entry WHERE number = 1"], 1, "missing"),
        (["DELETE FROM entry WHERE number = 3", "UPDATE entry SET number = number - 1 WHERE number > 3"],
         3, "replaced"),
        (["DELETE FROM entry WHERE number > 4"], 5, "cut"),
        (["UPDATE entry SET number = -2 WHERE number = 2", "UPDATE entry SET number = 2 WHERE number = 5",
          "UPDATE entry SET number = 5 WHERE number = -2"], 2, "moved"),
        (["UPDATE head SET hash = 'x'"], 6, "rewritten"),
    ],
)  # fmt: skip
def test_tampering_is_named(tmp_path: Path, statements: list[str], entry: int, code: str) -> None:
    path = tmp_path / "ledger.sqlite"
    filled(path)
    tampered(path, *statements)
    fault = check(path).fault
    assert fault is not None and (fault.number, fault.code) == (entry, code) and str(entry) in fault.text


def test_a_ledger_that_is_written_anew_is_found_by_a_head_kept_elsewhere(tmp_path: Path) -> None:
    noted = filled(tmp_path / "a.sqlite", 4)
    with writing(tmp_path / "b.sqlite") as ledger:
        for k in range(9):
            ledger.append(record(k + 100))
    assert check(tmp_path / "b.sqlite").fault is None
    fault = check(tmp_path / "b.sqlite", noted).fault
    assert fault is not None and (fault.number, fault.code) == (4, "rewritten")
    filled(tmp_path / "a.sqlite", 9)
    assert check(tmp_path / "a.sqlite", noted).fault is None


def test_the_database_itself_refuses(tmp_path: Path) -> None:
    filled(tmp_path / "l")
    connection = sqlite3.connect(tmp_path / "l")
    for statement in ("UPDATE entry SET at = 'x'", "DELETE FROM entry"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


def test_nothing_is_added_to_a_chain_that_was_changed_at_its_end(tmp_path: Path) -> None:
    filled(tmp_path / "l")
    tampered(tmp_path / "l", "DELETE FROM entry WHERE number = 6")
    with writing(tmp_path / "l") as ledger, pytest.raises(LedgerError, match="ledger check"):
        ledger.append(record(7))
    assert check(tmp_path / "l").head.number == 6


def test_the_same_is_entered_once(tmp_path: Path) -> None:
    with writing(tmp_path / "l") as ledger:
        first = ledger.append(record(1))
        assert ledger.append(replace(record(1), at="later")) == first
        assert ledger.append(replace(record(1), file_sha256="other")).number == 2
    found = find(tmp_path / "l", record(1).file_sha256, "-")
    assert found == first and find(tmp_path / "l", "-", "-") is None
    pixels = find(tmp_path / "l", "-", record(1).pixels_sha256)
    assert pixels is not None and pixels.number == 2


def child(path: Path, name: str, n: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), name, str(n)], stdout=subprocess.PIPE, text=True)


def test_writers_at_once_make_one_chain(tmp_path: Path) -> None:
    """Of processes that begin together, with a file that is not there yet."""
    path, writers, each = tmp_path / "deep" / "ledger", 4, 25
    children = [child(path, f"w{k}", each) for k in range(writers)]
    numbers = [int(line) for one in children for line in one.communicate()[0].split()]
    assert [one.returncode for one in children] == [0] * writers
    assert sorted(numbers) == list(range(1, writers * each + 1))
    found = check(path)
    assert found.fault is None and found.head.number == writers * each


def test_a_writer_waits_for_the_one_before_it(tmp_path: Path) -> None:
    """From before it reads the end of the chain: else both would go behind the same entry."""
    path = tmp_path / "ledger"
    with writing(path) as ledger, ThreadPoolExecutor(1) as other:
        with ledger._alone():
            waiting = other.submit(filled, path, 1)
            with pytest.raises(TimeoutError):
                waiting.result(0.5)
        assert waiting.result(60).number == 1


def test_a_kill_inside_a_write_leaves_it_whole(tmp_path: Path) -> None:
    """Killed at moments all over a writer's life; what it said was entered is there, and others go on."""
    path, said = tmp_path / "ledger", 0
    for k in range(12):
        one = child(path, f"k{k}", 100_000)
        assert one.stdout is not None and one.stdout.readline()
        time.sleep(0.003 * k)
        os.kill(one.pid, signal.SIGKILL)
        lines = one.communicate()[0].split("\n")
        said = max(said, *(int(line) for line in lines[:-1] if line), 0)
        found = check(path)
        assert found.fault is None and found.head.number >= said
    assert filled(path, 1).number == found.head.number + 1


def test_what_is_no_ledger_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "text").write_text(
        "a plain text file that is long enough to be looked at as a database, is it not? " * 20
    )
    with pytest.raises(LedgerError, match="not a sound ledger"), writing(tmp_path / "text"):
        pass
    with sqlite3.connect(tmp_path / "other") as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    connection.close()
    for path in (tmp_path / "other", tmp_path / "text"):
        with pytest.raises(LedgerError):
            check(path)
    with pytest.raises(LedgerError, match="not a ledger"), writing(tmp_path / "other"):
        pass
    with pytest.raises(InputError, match="no ledger"):
        check(tmp_path / "none")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match="ledger = off"), writing(tmp_path / "folder"):
        pass


@pytest.mark.parametrize("table", ["head", "entry"])
def test_a_number_that_is_none_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], table: str
) -> None:
    path = tmp_path / "l"
    filled(path)
    kept = (
        "hash"
        if table == "head"
        else "at, asset_id, receipt_sha256, pixels_sha256, file_sha256, signer_sha256, before, hash"
    )
    tampered(path, f"CREATE TABLE other AS SELECT 'six' AS number, {kept} FROM {table}", f"DROP TABLE {table}",
             f"ALTER TABLE other RENAME TO {table}")  # fmt: skip
    monkeypatch.setenv("MEZZOTINT_LEDGER", str(path))
    assert run(["ledger", "check"]) == LedgerError.exit_code
    error = capsys.readouterr().err
    assert "'six'" in error and error.count("\n") == 1 and "bug" not in error
    with pytest.raises(LedgerError, match="six"), writing(path) as ledger:
        ledger.append(record(9))


def test_bits_that_flip_in_the_file_are_found_or_harmless(tmp_path: Path) -> None:
    """Wherever a byte changes, the check finds it, or the chain reads as it was."""
    path = tmp_path / "ledger"
    head = filled(path, 40)
    whole = path.read_bytes()
    found = 0
    for place in range(100, len(whole), max(1, len(whole) // 150)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            result = check(path)
            found += result.fault is not None
            assert result.fault is not None or result.head == head
        except LedgerError:
            found += 1
    assert found > 50


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "l"
    head = filled(path)
    monkeypatch.setenv("MEZZOTINT_LEDGER", str(path))
    assert run(["ledger", "check"]) == 0 and f"6 entries\nhead {head}" in capsys.readouterr().out
    assert run(["ledger", "check", "--head", str(head), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema("mezzotint/ledger/1"))
    tampered(path, "DELETE FROM entry WHERE number = 2")
    assert run(["ledger", "check", "--json"]) == 4
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema("mezzotint/ledger/1"))
    assert document["fault"]["entry"] == 2
    assert run(["ledger", "check"]) == 4 and "entry 2 is missing" in capsys.readouterr().out
    assert run(["ledger", "check", "--head", "7"]) == 2
    monkeypatch.setenv("MEZZOTINT_LEDGER", "off")
    assert run(["ledger", "check"]) == 2 and "off" in capsys.readouterr().err
