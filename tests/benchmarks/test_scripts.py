"""Every benchmark runs to its end on tiny settings and writes what it found.  The numbers mean nothing here."""

import json
import subprocess
from pathlib import Path

import fashion
import harness
import pytest

pytest.importorskip("diffusers", reason="the peer is not installed (extra: bench)")
HERE = Path(__file__).parent
RECIPE = str(HERE / "tiny.py")

needs_data = pytest.mark.skipif(
    not fashion.there(fashion.DEFAULT), reason="Fashion-MNIST is not installed (Debian package dataset-fashion-mnist)"
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The model folder of a few updates of the tiny recipe."""
    if not fashion.there(fashion.DEFAULT):
        pytest.skip("Fashion-MNIST is not installed (Debian package dataset-fashion-mnist)")
    out = tmp_path_factory.mktemp("trained") / "run"
    command = [harness.program(), "train", RECIPE, "--steps", "2", "--threads", "1", "--out", str(out), "--quiet"]
    subprocess.run(command, check=True, capture_output=True)
    return out / "model"


def written(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


def test_solver_overhead(tmp_path, monkeypatch):
    import solver_overhead

    monkeypatch.setattr(solver_overhead, "BIG", (2, 4, 8, 8))

    names = [p.ours for p in solver_overhead.PAIRS]
    assert solver_overhead.main(["--repeats", "1", "--rounds", "1", "--out", str(tmp_path)]) == 0, "every solver runs"
    found = {c["name"]: c for c in written(tmp_path, "solver_overhead")["comparisons"]}
    assert set(found) == {f"{n} {shape}" for n in names for shape in ("1x4x64x64", "2x4x8x8")}
    assert found["dpm++2m 1x4x64x64"]["target"] == 1 / 3
    assert all(c["ours"] > 0 and c["peer"] > 0 for c in found.values())


def test_the_networks_contest_is_equal_and_an_unequal_one_is_refused():
    import network

    for contest in network.contests(256, 8, 64)[1:]:
        assert "FLOPs" in network.check_equal(contest)
    with pytest.raises(SystemExit, match="not equal: parameters"):
        network.equal("parameters", 90, 101)


def test_flops_are_counted_by_a_known_case():
    import network
    import torch

    layer = torch.nn.Linear(8, 5, bias=False)
    q = torch.randn(1, 2, 3, 4)
    assert network.flops(lambda: layer(torch.randn(3, 8))) == 2 * 3 * 8 * 5
    attend = torch.nn.functional.scaled_dot_product_attention
    assert network.flops(lambda: attend(q, q, q)) == 2 * (2 * 2 * 3 * 3 * 4)


def test_network(tmp_path, monkeypatch):
    import network

    small = network.Contest("unet", lambda: network.our_unet(16), lambda: network.peers.unet(16), 1 / 1.5)
    monkeypatch.setattr(network, "contests", lambda *sizes: (small,))
    monkeypatch.setattr(network, "TOLERANCE", 1.0)
    monkeypatch.setattr(network, "SETTINGS", network.SETTINGS[-1:])
    options = ["--repeats", "1", "--rounds", "1", "--batches", "1", "--no-compile", "--out", str(tmp_path)]
    assert network.main(options) == 0
    found = written(tmp_path, "network")
    names = [c["name"] for c in found["comparisons"]]
    assert names == [
        f"unet {mode} batch 1 / {peer}" for mode in ("evaluation", "training") for peer in ("default", "best")
    ]
    assert found["more"]["bf16"] and "parameters" in found["more"]["unet"]


@pytest.mark.slow
def test_cold_start(tmp_path, trained):
    import cold_start

    assert cold_start.main(["--repeats", "1", "--model", str(trained), "--out", str(tmp_path)]) == 0
    found = {c["name"]: c for c in written(tmp_path, "cold_start")["comparisons"]}
    assert found["--help: CPU"]["ratio"] < 0.5 and found["--help: CPU"]["target"] == 0.1
    assert found["generate: peak memory"]["target"] == 2 / 3 and found["generate: CPU"]["target"] == 1 / 3
    assert "8 calls" in found["generate: CPU"]["notes"]


def test_pictures_are_made_once(tmp_path, trained):
    import sampling
    import torch

    request = sampling.Request(trained, 12, calls=5, batch=2)
    first, about = sampling.pictures(request, tmp_path)
    assert first.shape == (12, 1, 28, 28) and first.dtype == torch.uint8 and about["calls"] == 4
    written_at = {p: p.stat().st_mtime_ns for p in tmp_path.glob("*.npy")}
    assert torch.equal(sampling.pictures(request, tmp_path)[0], first)
    assert {p: p.stat().st_mtime_ns for p in written_at} == written_at


def test_a_peer_of_another_environment_needs_its_interpreter(capsys):
    import quality

    with pytest.raises(SystemExit) as ended:
        quality.main(["--peers", "ddpm-pytorch"])
    assert ended.value.code == 2 and "needs --ddpm-pytorch PYTHON" in capsys.readouterr().err


@pytest.mark.slow
@needs_data
def test_quality(tmp_path, trained, monkeypatch):
    import quality
    import quality_peer

    monkeypatch.setattr(quality_peer, "BEST_BATCH", 4)
    monkeypatch.setattr(quality_peer, "MEASURED_STEPS", 2)
    monkeypatch.setattr(quality_peer, "TRIED_SECONDS", 0.0)
    options = ["--minutes", "0.02", "--n", "20", "--calls", "2", "--trial", "4", "--limit", "30", "--threads", "1"]
    options += ["--recipe", RECIPE, "--out", str(tmp_path)]
    assert quality.main(options) == 0
    first = written(tmp_path, "quality")
    distances = first["more"]["distances"]
    assert set(distances) == {"floor", "ours", "default", "best"} and all(d["n"] == 20 for d in distances.values())
    assert distances["default"]["training"]["batch"] == 16 and distances["best"]["training"]["batch"] == 4
    assert distances["ours"]["sampling"]["calls"] <= 2
    assert {len(d["reference"]) for d in distances.values()} == {64}
    assert len({d["reference"] for d in distances.values()}) == 1
    assert quality.main(options) == 0, "a second run takes every phase from its files"
    assert written(tmp_path, "quality")["more"]["distances"] == distances


@needs_data
def test_the_peers_training_goes_on_where_it_was_killed(tmp_path):
    import quality_peer
    import torch

    setting = quality_peer.Setting("trial", 4, 1e-3, warmup=2)
    images, labels = fashion.images(fashion.DEFAULT, "test"), fashion.labels(fashion.DEFAULT, "test")

    def steps(run, n):
        for _ in range(n):
            run.update(*quality_peer.batch_of(images, labels, setting, run.step))

    whole = quality_peer.Run(setting, 60_000, 6)
    steps(whole, 5)
    part = quality_peer.Run(setting, 60_000, 6)
    steps(part, 3)
    quality_peer.save(part, tmp_path / "state.pt")
    torch.manual_seed(1)
    resumed = quality_peer.Run(setting, 60_000, 6)
    resumed.restore(torch.load(tmp_path / "state.pt", weights_only=True))
    steps(resumed, 2)
    assert resumed.step == 5
    for a, b in zip(whole.net.parameters(), resumed.net.parameters(), strict=True):
        assert torch.equal(a, b)
    for a, b in zip(whole.ema.shadow_params, resumed.ema.shadow_params, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", ["ddim", "ddpm", "dpm++2m"])
def test_the_peers_samplers_return_the_picture_of_a_perfect_network(name):
    """A network that knows the picture makes every sampler end there."""
    import quality_peer
    import torch

    picture = torch.linspace(-0.9, 0.9, 784).reshape(1, 1, 28, 28)
    alphas = quality_peer.sampler(name).alphas_cumprod

    class Perfect:
        def __call__(self, x, t, class_labels):
            a = alphas[int(t)]
            self.sample = (x - a.sqrt() * picture) / (1 - a).sqrt()
            return self

    made = quality_peer.sample(Perfect(), name, fashion.balanced(2), 20, 3, autocast=False)
    expected = ((picture / 2 + 0.5) * 255).round()
    assert made.shape == (2, 1, 28, 28) and (made.float() - expected).abs().max() <= 2


def test_the_peers_size_is_ours():
    import peers

    for target in (1_000_000, 3_000_000):
        assert abs(peers.parameters(peers.unet_of_size(target)) / target - 1) < 0.1


@needs_data
def test_fashion_reads_the_published_files(tmp_path):
    images, labels = fashion.images(fashion.DEFAULT, "test"), fashion.labels(fashion.DEFAULT, "test")
    assert images.shape == (10_000, 1, 28, 28) and labels.bincount().tolist() == [1000] * 10
    with pytest.raises(SystemExit, match="--data DIR"):
        fashion.images(tmp_path, "train")


def test_pieces_are_even_and_no_seed_is_used_twice():
    import sampling

    request = sampling.Request(Path("x"), 23, 50, seed=5, batch=4)
    found = list(sampling.pieces(("a", "b"), request))
    seeds = [p.seed + k for p in found for k in range(p.n)]
    assert seeds == list(range(5, 28)) and max(p.n for p in found) == 4
    assert sum(p.n for p in found if p.prompt == "a") == 12


@pytest.mark.slow
@needs_data
def test_few_calls(tmp_path, monkeypatch):
    import few_calls

    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(few_calls, "EXACT", 8)
    monkeypatch.setattr(few_calls, "TARGETS", {2: 3})
    names = ["DDIM", "Heun karras", "UniPC-2 logsnr", "DPM++ 3M karras", "DEIS-3 karras"]
    options = ["--n", "3", "--calls", "2", "--peer-calls", "3", "--rows", "16", "--updates", "1", "--limit", "20"]
    options += ["--loss", "absolute"]  # after one update that of texture is not less
    for _ in range(2):  # the second time from what was kept
        assert few_calls.main([*options, "--peers", *names, "--out", str(tmp_path)]) == 0
    found = written(tmp_path, "few_calls")
    calls = {r["name"]: r["calls"] for r in found["more"]["rows"]}
    assert calls == {"exact": 8, "learned": 2, **dict.fromkeys(names, 3)}, "counted on the network"
    assert len(found["comparisons"]) == 3 and found["more"]["rows"][0]["distance"] == 0


@pytest.mark.slow
@needs_data
def test_one_picture(tmp_path):
    import one_picture

    assert one_picture.words_of("six=solver=learned,steps=6") == ("six", {"solver": "learned", "steps": 6})
    options = ["--n", "3", "--limit", "20", "--peers", "DDIM", "--best-steps", "3", "--ours", "four=steps=4"]
    for _ in range(2):  # the second time from what was kept
        assert one_picture.main([*options, "--repeats", "1", "--out", str(tmp_path)]) == 0
    found = written(tmp_path, "one_picture")
    evaluations = {r["name"]: r["evaluations"] for r in found["more"]["rows"]}
    assert evaluations == {"four": 8, "diffusers' default": 40, "best DDIM 3": 6}, "counted on the network"
    assert len(found["comparisons"]) == 2
    kept = set(tmp_path.rglob("four-*"))
    options[-1] = "four=steps=5"
    assert one_picture.main([*options, "--limit", "19", "--repeats", "1", "--out", str(tmp_path)]) == 0
    evaluations = {r["name"]: r["evaluations"] for r in written(tmp_path, "one_picture")["more"]["rows"]}
    assert evaluations["four"] == 10, "other words under the same name"
    made = set(tmp_path.rglob("four-*"))
    assert kept < made and len(made) == 2 * len(kept) == 4, "and nothing of them is taken from what was kept"
    peers = sorted(path.suffix for path in tmp_path.rglob("best DDIM 3-*"))
    assert peers == [".json", ".json", ".npy"], "the same pictures, judged by others"


def test_a_resumed_run_has_the_time_that_is_left(tmp_path, monkeypatch):
    import quality

    asked = []

    def trained(settings, folder, *options):
        asked.append(float(options[options.index("--minutes") + 1]))
        return {"step": 1, "steps": 1, "seconds": 1.0, "model": "", "reason": "finished"}

    monkeypatch.setattr(quality, "mezzotint", trained)
    settings = quality.Settings(2.0, 1, 1, 1, "fashion", tmp_path, tmp_path, 1, "")
    (tmp_path / "ours-steps.json").write_text('{"steps": 1}')
    for seconds in (0.0, 90.0, 130.0):
        monkeypatch.setattr(quality, "spent", lambda folder, seconds=seconds: seconds)
        quality.train_ours(settings)
    assert asked == [2.0, 0.5, quality.LEAST_MINUTES]


def test_what_a_run_spent_is_in_its_last_checkpoint(tmp_path, trained):
    import quality

    assert quality.spent(tmp_path) == 0.0 < quality.spent(trained.parent)


@pytest.mark.slow
@needs_data
def test_cached(tmp_path):
    import cached

    options = ["--prompts", "Bag", "--n", "1", "--steps", "3", "--thresholds", "0.2", "--repeats", "2"]
    assert cached.main([*options, "--out", str(tmp_path)]) == 0
    (row,) = written(tmp_path, "cached")["more"]["rows"]
    assert row["ratio"] > 0 and 0 < row["blocks"] <= 1


@pytest.mark.slow
@needs_data
def test_two_calls(tmp_path):
    import two_calls

    import mezzotint as mz

    how = {"updates": 2, "batch": 16, "rows": 16, "teacher": 4, "snapshot": 1, "threads": 1}
    mz.distill("fashion", out=tmp_path / "run", **how)
    options = ["--run", str(tmp_path / "run"), "--n", "3", "--limit", "20", "--out", str(tmp_path)]
    for _ in range(2):  # the second time from what was kept
        assert two_calls.main(options) == 0
    rows = written(tmp_path, "two_calls")["more"]["rows"]
    assert [r["updates"] for r in rows] == [0, 1, 2]
    assert rows[0]["seconds"] == 0 < rows[1]["seconds"] <= rows[2]["seconds"]
    assert rows[2]["share"] == rows[2]["seconds"] / 60 / 196


def test_the_peers_schedulers_are_our_solvers_of_the_same_name():
    """On a grid both have, so that neither is fed levels that are not its own."""
    import few_calls_peers
    import torch

    from mezzotint.diffusion.grid import karras
    from mezzotint.diffusion.noise import Noise
    from mezzotint.diffusion.oracle import GaussianOracle
    from mezzotint.diffusion.sample import sample
    from mezzotint.diffusion.solver.dpm import DPMpp2M, DPMpp3M
    from mezzotint.diffusion.solver.heun import Heun
    from mezzotint.diffusion.solver.unipc import UniPC

    oracle, noise = GaussianOracle(torch.tensor([0.5, -1.0]), torch.tensor([0.3, 0.1])), torch.randn(4, 2)
    pairs = {
        "DPM++ 2M karras": DPMpp2M(), "DPM++ 3M karras": DPMpp3M(), "UniPC-2 karras": UniPC(2), "Heun karras": Heun(),
    }  # fmt: skip
    for name, solver in pairs.items():
        peer = few_calls_peers.PEERS[name]
        levels = karras(peer.steps(8), 0.002, 80.0)
        ours = sample(oracle, noise * 80.0, levels, solver, Noise((0, 1, 2, 3)), {})
        theirs = few_calls_peers.sample(oracle, peer, 8, noise, {}, 0.002, 80.0)
        torch.testing.assert_close(theirs.float(), ours, atol=2e-2, rtol=2e-2, msg=name)


def test_answering_for_a_picture_is_compared_with_a_bare_one(tmp_path):
    import answered

    words = ["--repeats", "1", "--model", "fashion", "--prompt", "sneaker", "--out", str(tmp_path)]
    assert answered.main(words) == 0
    (found,) = written(tmp_path, "answered")["comparisons"]
    assert found["target"] == 1.15 and min(found["peer"], found["ours"]) > 0
