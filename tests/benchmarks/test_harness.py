"""The harness measures what it says: pairs, medians, processes, verdicts."""

import json
import subprocess
import sys

import figures
import harness
import pytest
import reference
import run


def test_ratios_are_medians_of_pairs_and_not_ratios_of_medians():
    found = harness.compare("x", "s", [1.0, 2.0, 30.0], [2.0, 8.0, 10.0], 0.5)
    assert (found.ours, found.peer, found.ratio, found.spread) == (2.0, 8.0, 0.5, (0.25, 3.0))


@pytest.mark.parametrize(
    ("ratio", "target", "verdict"),
    [
        (0.2, 0.25, "target reached"),
        (0.5, 0.25, "we win, target missed"),
        (1.5, 0.25, "we lose"),
        (1.5, None, "we lose"),
        (0.9, None, "we win"),
    ],
)
def test_a_loss_is_called_one(ratio, target, verdict):
    assert harness.compare("x", "s", [ratio], [1.0], target).verdict == verdict


def test_both_sides_are_measured_by_turns():
    order = []

    def side(name):
        def work():
            order.append(name)
            return harness.Usage(1.0, 1.0)

        return work

    a, b = harness.alternate(side("a"), side("b"), 3)
    assert "".join(order) == "ab" + "ab" + "ba" + "ab" and len(a) == len(b) == 3


def test_a_process_is_charged_its_own_time_and_memory_and_not_its_parents():
    held = bytearray(200 << 20)
    held[:: 1 << 12] = b"x" * len(held[:: 1 << 12])
    busy = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    small = harness.child([sys.executable, "-c", busy])
    large = harness.child([sys.executable, "-c", "x = b'x' * (150 << 20)"])
    assert 0.3 <= small.cpu < 2 and small.wall >= 0.3 and small.rss < 60
    assert 150 < large.rss < 230 and len(held) == 200 << 20


def test_a_failing_process_is_an_error_with_its_last_words():
    with pytest.raises(RuntimeError, match="ended with 3: last words"):
        harness.child([sys.executable, "-c", "import sys; sys.stderr.write('last words'); sys.exit(3)"])


def test_an_outcome_is_printed_and_written(tmp_path, capsys):
    rows = [harness.compare("solver", "us", [10.0], [40.0], 1 / 3), harness.compare("net", "ms", [3.0], [2.0], None)]
    machine = harness.machine(1)
    assert harness.finish(harness.Outcome("trial", machine, {"repeats": 1}, rows, {"note": "hello"}), tmp_path) == 0
    said = capsys.readouterr().out
    assert "target reached" in said and "we lose" in said and machine["processor"] in said and "note: hello" in said
    found = json.loads((tmp_path / "trial.json").read_text())
    assert [c["verdict"] for c in found["comparisons"]] == ["target reached", "we lose"]
    assert {"processor", "cores", "threads", "torch", "diffusers", "load"} <= set(found["machine"])
    assert "solver" in run.final(tmp_path, ["trial"]) and "4.00x" in run.final(tmp_path, ["trial"])


def test_a_busy_machine_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(run.os, "getloadavg", lambda: (1.3 * harness.cores(), 0, 0))
    with pytest.raises(SystemExit) as stopped:
        run.main(["--only", "cold_start"])
    assert stopped.value.code == 2 and "--anyway" in capsys.readouterr().err
    monkeypatch.setattr(run.os, "getloadavg", lambda: (1.1 * harness.cores(), 0, 0))
    run.refuse_busy()


def test_a_group_is_run_by_its_words_and_can_be_kept(tmp_path, monkeypatch, capsys):
    ran = []
    monkeypatch.setattr(run, "run", lambda name, out, options: ran.append((name, options)) is None)
    assert run.main(["--anyway", "--group", "calls", "--out", str(tmp_path)]) == 0
    assert ran == [("few_calls", list(run.FEW))] and "--n" in run.FEW
    assert run.main(["--anyway", "--out", str(tmp_path)]) == 0
    assert tuple(name for name, _ in ran[1:]) == run.ALL
    assert {*run.ALL, *run.CALLS} <= set(reference.TITLES), "a page can be made of them"


def test_no_benchmark_imports_torch_for_its_help():
    for name in (*run.ALL, *run.CALLS, "run"):
        code = "import sys, runpy\nsys.argv = ['x', '--help']\n" + (
            f"try:\n    runpy.run_path({str(harness.ROOT / (name + '.py'))!r}, run_name='__main__')\n"
            "except SystemExit as e:\n    sys.exit(e.code or 9 * ('torch' in sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0 and "usage" in done.stdout, (name, done.stderr)


def test_a_figure_shows_what_is_won_and_lost(tmp_path):
    rows = [harness.compare("ours", "s", [1.0], [2.0], 0.4), harness.compare("theirs", "s", [3.0], [1.0])]
    where = harness.Outcome("one", harness.machine(1), {}, rows).save(tmp_path)
    empty = harness.Outcome("none", harness.machine(1), {}, []).save(tmp_path)
    assert figures.draw_all([where, empty], tmp_path) == [tmp_path / "one.png"]
    result = json.loads(where.read_text())
    image, axis = figures.figure(result), figures.axis_of(result["comparisons"])
    first, second = (figures.TOP + figures.ROW * k + figures.ROW // 2 + 4 for k in range(2))

    def at(ratio, y):
        return "#{:02x}{:02x}{:02x}".format(*image.getpixel((round(axis(ratio)), y)))

    assert [at(0.7, first), at(0.45, first), at(1.5, first)] == [figures.WIN, "#ffffff", "#ffffff"]
    assert [at(0.7, second), at(1.5, second), at(2.9, second)] == ["#ffffff", figures.LOSE, figures.LOSE]
    assert at(0.4, first) == figures.INK, "the target"
