"""No search for garbage while much is made that stays."""

from __future__ import annotations

import gc
from contextlib import suppress

import pytest

from mezzotint.keeping import keeping


@pytest.mark.parametrize("was", [True, False])
def test_it_is_off_within_and_as_it_was_after(was: bool) -> None:
    (gc.enable if was else gc.disable)()
    try:
        with keeping(), keeping():
            assert not gc.isenabled()
        with suppress(ValueError), keeping():
            raise ValueError
        assert gc.isenabled() is was
    finally:
        gc.enable()
