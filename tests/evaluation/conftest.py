"""What the tests of evaluation share: the feature network, and Fashion-MNIST where it is installed."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from mezzotint.evaluation.features import Extractor, extractor

FASHION = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Several tests share the cores: threads that wait for each other would take longer than one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A home of the tests' own, so that nothing is left behind and nothing old is read."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("MEZZOTINT_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def extract(home) -> Extractor:
    return extractor(64)


@dataclass(frozen=True)
class Fewer:
    """An extractor's first features: decompositions of 1280 x 1280 take seconds, and these tests need many."""

    whole: Extractor
    dim: int = 96

    @property
    def name(self) -> str:
        return f"{self.whole.name}-first-{self.dim}"

    @property
    def distances(self) -> tuple[str, str]:
        return f"frechet-{self.name}", f"kernel-{self.name}"

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        return self.whole(images)[:, : self.dim]


@pytest.fixture(scope="session")
def fewer(extract) -> Fewer:
    return Fewer(extract)


@pytest.fixture(scope="session")
def fashion() -> torch.Tensor:
    """The 10,000 test pictures, uint8 (N, 1, 28, 28)."""
    path = FASHION / "t10k-images-idx3-ubyte.gz"
    if not path.is_file():
        pytest.skip("Fashion-MNIST is not installed (Debian package dataset-fashion-mnist)")
    data = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16)
    return torch.from_numpy(data.reshape(-1, 1, 28, 28).copy())
