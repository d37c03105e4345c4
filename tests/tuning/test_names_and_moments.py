"""A name that a model would not read is refused; the last moment is the run's end, however the steps divide."""

from __future__ import annotations

from pathlib import Path

import pytest

import mezzotint as mz
from mezzotint.errors import UsageError


def test_a_name_that_is_read_as_something_else_is_refused(cascade: Path, mugs: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="reads 'a acme stuhl' as 'a chair', so the name would be lost"):
        mz.tune(mugs, name="acme stuhl", model=cascade, out=tmp_path / "out")
    assert not (tmp_path / "out" / "work").exists()


@pytest.mark.slow
def test_the_last_moment_is_the_end(cascade: Path, mugs: Path, tmp_path: Path) -> None:
    made = mz.tune(
        mugs, name="acme mug", model=cascade, steps=5, moments=2, batch=2, rank=2, n=2, prior_pictures=2,
        dtype="float32", out=tmp_path / "out",
    )  # fmt: skip
    assert made.found is not None and set(made.found.evidence) == {0, 3, 5}
