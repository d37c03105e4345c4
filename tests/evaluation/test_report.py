"""A report holds what was measured, as JSON and as text."""

import json

import pytest
import torch

from mezzotint.errors import UsageError
from mezzotint.evaluation import report as module
from mezzotint.evaluation.frechet import Distance
from mezzotint.evaluation.memorisation import Memorisation
from mezzotint.evaluation.precision_recall import Fidelity
from mezzotint.evaluation.score import reference


def made(value):
    return Distance("frechet-efficientnet-lite0-64", value, 2048, 10_000, "abc")


def test_json_holds_every_number_and_its_circumstances():
    fidelity = Fidelity(5, 0.9, 0.8, 1.1, 0.7)
    report = module.Report(
        made(150.0), made(100.0), fidelity, Memorisation(9, 0.0, 0.5, 0.1, ((1, 2, 0.3),)), {"seed": 7}
    )
    found = json.loads(report.json())
    assert found["schema"] == "mezzotint.evaluation/1"
    assert found["distance"] == {
        "metric": "frechet-efficientnet-lite0-64",
        "value": 150.0,
        "n": 2048,
        "reference_n": 10_000,
        "reference": "abc",
    }
    assert found["floor"]["value"] == 100.0 and found["about"] == {"seed": 7} and found["fidelity"]["density"] == 1.1
    assert found["memorisation"]["nearest"] == [[1, 2, 0.3]]
    assert "over the floor" in report.text() and "1.50" in report.text()


def test_real_pictures_evaluate_near_the_floor_and_noise_far_from_it(fewer, fashion):
    ref = reference(fashion[:100], fewer)
    train, unseen = fashion[100:300], fashion[:100]
    report = module.evaluate(fashion[300:400], train, unseen, ref, fewer, {}, minimum=100)
    assert 0.5 < report.distance.over(report.floor) < 2
    assert report.memorisation.copies < 0.1 and report.fidelity.precision > 0.5
    noise = torch.randint(0, 256, (100, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    bad = module.evaluate(noise, train, unseen, ref, fewer, {}, minimum=100)
    assert bad.distance.over(report.distance) > 3 and bad.fidelity.recall == 0 and bad.fidelity.coverage < 0.2


def test_too_few_training_pictures_are_refused(fewer, fashion):
    ref = reference(fashion[:100], fewer)
    with pytest.raises(UsageError, match="cannot give a floor"):
        module.evaluate(fashion[300:400], fashion[100:150], fashion[:100], ref, fewer, {}, minimum=100)
