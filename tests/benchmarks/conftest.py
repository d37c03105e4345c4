"""What the tests of the benchmarks share: their folder on the path, a tiny model, a home of their own."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))


def pytest_collection_modifyitems(items):
    """Warnings are errors, but for what diffusers itself does to numpy."""
    for item in items:
        if ROOT / "tests" / "benchmarks" in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"))
            item.add_marker(pytest.mark.filterwarnings("ignore:__array_wrap__ must accept context"))


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory):
    """A home of the tests' own, and one thread: several tests share the cores."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEZZOTINT_HOME", str(tmp_path_factory.mktemp("home")))
        yield
    torch.set_num_threads(threads)
