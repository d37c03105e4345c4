"""Measures with their intervals, reports as JSON, tables and pages, and what may not be set side by side."""

import dataclasses
import json

import jsonschema
import pytest
import torch

from mezzotint.errors import InputError, UsageError
from mezzotint.evaluation.estimate import Estimate, mean_of, share_of, spread
from mezzotint.evaluation.measure import COPIES, METRICS, Measure, Measured, check, measure
from mezzotint.evaluation.page import page
from mezzotint.evaluation.report import COPIES_AMONG, Cost, Report, cells, document, report_of, text
from mezzotint.evaluation.trial import Trial
from mezzotint.schemas import schema

COST = Cost(3_000_000, 32, 0.25, "cpu", "90 minutes of two cores")


def estimate(value):
    return Estimate(value, value - 1, value + 1, 20)


def report(model="ours", **fields):
    measures = (Measure("precision", "higher", estimate(0.5), estimate(0.9)), Measure("near", "half", estimate(0.5)))
    made = Report(model, "trial", "a" * 64, "net-64", 20, COST, Measured(measures, ((1, 2, 0.3),)), {"seed": 7})
    return dataclasses.replace(made, **fields)


def trial(fashion, judged=None):
    words = tuple(f"picture {k}" for k in range(100))
    given = {} if judged is None else {"judged": judged}
    return Trial("fashion", words, fashion[:100], fashion[100:300], **given)


def test_an_interval_holds_the_mean_and_shrinks_with_more():
    g = torch.Generator().manual_seed(0)
    few, many = (torch.rand(n, generator=g) < 0.3 for n in (50, 5000))
    a, b = mean_of(few), mean_of(many)
    assert a.low <= a.value <= a.high and b.low < 0.3 < b.high
    assert (b.high - b.low) == pytest.approx(2 * 1.96 * (0.21 / 5000) ** 0.5, rel=0.15)
    assert (a.high - a.low) > 5 * (b.high - b.low)
    assert mean_of(torch.ones(9)) == Estimate(1.0, 1.0, 1.0, 9)
    assert spread(3.0, torch.tensor([1.0, 1.0]), 2) == Estimate(3.0, 3.0, 3.0, 2)
    with pytest.raises(UsageError, match="no pictures"):
        mean_of(torch.zeros(0))


@pytest.mark.parametrize(
    ("k", "n", "low", "high"), [(10, 10, 0.7225, 1), (0, 10, 0, 0.2775), (2, 2, 0.3424, 1), (50, 100, 0.4038, 0.5962)]
)
def test_a_share_is_never_certain(k, n, low, high):
    """Wilson's bounds, as Brown, Cai and DasGupta, 2001, have them."""
    found = share_of(torch.arange(n) < k)
    assert (found.value, found.n) == (k / n, n)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_a_share_of_nothing_is_refused():
    with pytest.raises(UsageError, match="no pictures"):
        share_of(torch.zeros(0, dtype=torch.bool))


def test_real_pictures_measure_like_real_ones_and_noise_does_not(fewer, fashion):
    real = {m.name: m for m in measure(fashion[300:400], trial(fashion), fewer, METRICS[:1] + METRICS[2:]).measures}
    distance = real[f"frechet-{fewer.name}"]
    assert 0.5 < distance.made.value / distance.real.value < 2 and distance.made.low < distance.made.value
    assert real["copies of training pictures"].made.value < 0.1 and real["precision"].made.value > 0.5
    noise = torch.randint(0, 256, (100, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    bad = {m.name: m.made.value for m in measure(noise, trial(fashion), fewer, ("frechet", "fidelity")).measures}
    assert bad[distance.name] > 3 * distance.made.high and bad["recall"] == 0 and bad["coverage"] < 0.2


def test_only_the_metrics_that_were_asked_for(fewer, fashion):
    judged = lambda images: {"kind": mean_of(torch.ones(len(images)))}  # noqa: E731
    found = measure(fashion[300:400], trial(fashion, judged), fewer, ("adherence", "fidelity"))
    assert [m.name for m in found.measures] == ["precision", "recall", "density", "coverage", "kind right"]
    assert found.nearest == () and found.measures[-1].real.value == 1


def test_too_few_pictures_for_a_metric_are_refused_with_the_number(extract, fewer, fashion):
    with pytest.raises(UsageError, match="expected at least 1281"):
        measure(fashion[300:400], trial(fashion), extract, ("frechet",))
    with pytest.raises(
        UsageError, match=r"too few for kernel: expected at least 200; make more with -n, or .* --metrics copies"
    ):
        measure(fashion[300:400], trial(fashion), fewer, ("kernel", "copies"))
    with pytest.raises(UsageError, match="0 pictures are too few for copies: expected at least 1"):
        check(("copies",), 0, fewer)
    with pytest.raises(
        UsageError, match=r"29 pictures are too few for adherence: expected at least 30; .*--metrics copies"
    ):
        check(("copies", "adherence"), 29, fewer)
    check(("adherence",), 30, fewer)
    check(("adherence",), 5, fewer, minimum=5)
    with pytest.raises(UsageError, match=r"frechett.*frechet"):
        measure(fashion[300:400], trial(fashion), fewer, ("frechett",))
    with pytest.raises(UsageError, match="no fewer training pictures"):
        Trial("t", ("a", "b"), fashion[:2], fashion[:1])


def test_a_trial_is_its_pictures_and_its_prompts(fashion):
    one = trial(fashion)
    assert one.sha256 == trial(fashion).sha256
    assert one.sha256 != dataclasses.replace(one, prompts=("other", *one.prompts[1:])).sha256
    assert one.sha256 != dataclasses.replace(one, reference=one.reference.flip(3)).sha256


def test_json_holds_every_number_and_comes_back_whole():
    found = json.loads(report().json())
    jsonschema.validate(found, schema(found["schema"]))
    assert found["metrics"] == {"precision": 0.5, "near": 0.5} and found["nearest"] == [[1, 2, 0.3]]
    assert report_of(found) == report() and document(report_of(found)) == document(report())
    for broken in ({**found, "schema": "mezzotint/evaluation/1"}, {"schema": found["schema"]}, {**found, "cost": 3}):
        with pytest.raises(InputError, match="evaluate the model again"):
            report_of(broken)


@pytest.mark.parametrize("other", [{"reference_sha256": "b" * 64}, {"features": "net-128"}, {"n": 21}])
def test_different_references_do_not_compare(other):
    with pytest.raises(UsageError, match=f"different {next(iter(other))} do not compare"):
        text([report(), report("theirs", **other)])


def test_measures_stand_in_the_row_of_their_name():
    one, other = Measure("precision", "higher", estimate(0.25)), Measure("copies", "lower", estimate(0.125))
    near = Measure("near", "half", estimate(0.75))
    both = [report(), report("theirs", measured=Measured((other, near)))]
    head, rows = cells(both)
    assert head[2:4] == ["ours", "theirs"] and [row[0] for row in rows[3:]] == ["precision", "near", "copies"]
    values = [[cell.partition(" ")[0] for cell in row[2:]] for row in rows[3:]]
    assert values == [["0.5", "", "0.9"], ["0.5", "0.75", ""], ["", "0.125", ""]]
    assert cells([report(measured=Measured((one,))), report("theirs")])[1][3][-1].startswith("0.9")
    shown = page(both, ["a chair"], {"ours": [b"x"], "theirs": [b"y"]}, [b"z"])
    assert "<td>0.125" in shown and shown.count("<td></td>") >= 4


@dataclasses.dataclass(frozen=True)
class Grey:
    """Features that are a picture's grey."""

    dim: int = 1
    name: str = "grey"
    distances: tuple[str, str] = ("frechet-grey", "kernel-grey")

    def __call__(self, images):
        return images.float().mean((1, 2, 3))[:, None]


@dataclasses.dataclass(frozen=True)
class All:
    """Pictures that were learnt from, as features."""

    images: torch.Tensor

    def __len__(self):
        return len(self.images)

    @property
    def among(self):
        return {"photographs": len(self), "scenes_of_each": 1}

    def features(self, extract, told):
        told(len(self), len(self))
        return extract(self.images)


def test_copies_are_looked_for_among_all_that_was_learnt(fewer, fashion):
    """Of 100 pictures 20 are copies of training pictures, of which none is among the trial's own few."""
    images = torch.cat([fashion[300:380], fashion[500:520]])
    whole, told = trial(fashion), []
    among = dataclasses.replace(whole, learnt=All(fashion[100:300].clone()))
    every = dataclasses.replace(whole, learnt=All(torch.cat([fashion[100:300], fashion[500:900]])))
    found = {
        one: measure(images, one, fewer, ("copies",), told=lambda *n: told.append(n)) for one in (whole, among, every)
    }
    shares = {one: each.named[COPIES] for one, each in found.items()}
    assert shares[whole] == shares[among] and shares[whole].made.value < 0.05
    assert 0.2 <= shares[every].made.value < 0.25 and shares[every].real.value < 0.05
    near = "nearer to training than to held out"
    assert found[every].named[near] == found[whole].named[near], "of as many as are held out"
    assert told == [(200, 200), (600, 600)]
    assert (whole.copies_among, every.copies_among) == ({"pictures": 200}, {"photographs": 600, "scenes_of_each": 1})


def test_what_copies_were_looked_for_among_is_said_and_must_be_the_same():
    measured = Measured((Measure(COPIES, "lower", estimate(0)),))
    few = report(measured=measured, about={COPIES_AMONG: {"pictures": 60}})
    every = report("theirs", measured=measured, n=100, about={COPIES_AMONG: {"photographs": 6000, "scenes_of_each": 1}})
    assert "copies looked for among 60 training pictures; 20 pictures say little of copies, from 100 they do\n" in text(
        [few]
    )
    assert "copies looked for among 6,000 training photographs, one scene of each\n" in text([every])
    assert "Copies looked for among 6,000 training photographs, one scene of each" in page(
        [every], [], {"theirs": []}, []
    )
    assert "copies" not in text([report()])
    without = report("without", n=100)
    assert "looked for among 6,000 training photographs" in text([without, every]), "not of the first alone"
    for other in (few, report(measured=measured)):
        with pytest.raises(UsageError, match="copies among others do not compare; evaluate them again"):
            text([dataclasses.replace(every, n=20), other])


def test_real_pictures_are_of_the_whole_training_set():
    """Sorted from dark to bright, the first third of them would cover a third of what is held out."""
    greys = torch.arange(240, dtype=torch.uint8).reshape(-1, 1, 1, 1).expand(-1, 1, 2, 2)
    about = Trial("greys", ("grey",) * 80, greys[1::3], greys)
    found = {m.name: m for m in measure(greys[::3], about, Grey(), ("fidelity",)).measures}
    assert found["coverage"].real.value > 0.95 and found["recall"].real.value > 0.95


def test_tables_and_pages_say_both_sides():
    both = [report(), report("<theirs>")]
    said = text(both)
    assert "ours" in said and "<theirs>" in said and "0.9 (-0.1 … 1.9)" in said and "32" in said
    shown = page(both, ["a <b> chair"], {"ours": [b"x"], "<theirs>": [b"y"]}, [b"z"])
    assert "<theirs>" not in shown and "&lt;theirs&gt;" in shown and "a &lt;b&gt; chair" in shown
    assert shown.count("data:image/png;base64,") == 3 and "http" not in shown
