"""What consistency takes from a data set: held-out pictures for its check, captions; damaged ones are passed over."""

from __future__ import annotations

import io
import tarfile

import pytest
import torch
from PIL import Image

from mezzotint.errors import InputError
from mezzotint.making.distilled.lesson import captions_of, opened_data, real
from mezzotint.making.distilled.write import finished

SHARDS, EACH = 4, 6


@pytest.fixture
def data(tmp_path):
    """Shards of grey pictures, a grey a shard; the first picture of each is damaged, the second missing."""
    for part in ("train", "validation"):
        (tmp_path / part).mkdir()
        for shard in range(SHARDS):
            with tarfile.open(tmp_path / part / f"{shard}.tar", "w") as tar:
                for k in range(EACH):
                    if k != 1:
                        _add(tar, f"{k}.png", b"damaged" if k == 0 else _grey(50 * shard))
                    _add(tar, f"{k}.txt", f"{'lost' if k == 1 else 'grey'} {50 * shard}".encode())
    return opened_data(tmp_path)


def _grey(value):
    out = io.BytesIO()
    Image.new("L", (8, 8), value).save(out, "PNG")
    return out.getvalue()


def _add(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def test_held_out_pictures_are_of_all_shards(data):
    found = real(data, (1, 8, 8), 12)
    assert found.shape == (12, 1, 8, 8) and found.dtype == torch.uint8
    assert set(found.unique().tolist()) == {0, 50, 100, 150}


def test_what_can_be_read_is_counted(data):
    usable = SHARDS * (EACH - 2)
    assert len(real(data, (1, 8, 8), usable)) == usable
    with pytest.raises(InputError, match=rf"{usable} pictures are held out and can be read, and the check needs 17"):
        real(data, (1, 8, 8), usable + 1)


def test_captions_are_of_all_shards_and_can_be_read(data):
    assert set(captions_of(data.train, 20)) == {f"grey {50 * shard}" for shard in range(SHARDS)}


def test_what_a_kill_left_of_an_adapter_s_folder_is_not_whole(tmp_path):
    assert not finished(tmp_path / "adapter")
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_model.safetensors").write_bytes(b"")
    assert not finished(tmp_path / "adapter")
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    assert finished(tmp_path / "adapter")
    (tmp_path / "adapter.safetensors").write_bytes(b"")
    assert finished(tmp_path / "adapter.safetensors")
