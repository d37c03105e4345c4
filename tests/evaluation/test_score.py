"""The distance of real pictures to real pictures: small, rising with damage; the reference is cached and hashed."""

import pytest
import torch

from mezzotint.errors import UsageError
from mezzotint.evaluation.score import distance, images_hash, moments_of, reference, reference_path, score

N = 300


def test_damage_shows_in_order(fewer, fashion):
    ref = reference(fashion[:N], fewer)
    x = fashion[N : 2 * N].float()
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    values = [
        distance((x + s * noise).clamp(0, 255).byte(), ref, fewer, minimum=N).value for s in (0.0, 8.0, 32.0, 96.0)
    ]
    assert values == sorted(values) and values[-1] > 3 * values[0]


def test_a_set_is_at_distance_zero_from_itself_in_any_order_and_chunks(fewer, fashion):
    ref = reference(fashion[:N], fewer)
    backwards = distance(fashion[:N].flip(0), ref, fewer, minimum=N)
    assert backwards.value < 1e-3 and backwards.reference == images_hash(fashion[:N].flip(0))
    chunked = moments_of(fashion[:N].split(77), fewer)
    torch.testing.assert_close(chunked.cov, ref.moments.cov, rtol=1e-4, atol=1e-4)


def test_the_reference_is_kept_and_read_back_to_the_bit(fewer, fashion):
    images = fashion[:40]
    first = reference(images, fewer)
    path = reference_path(fewer, first.hash)
    assert path.is_file()
    again = reference(images.flip(0), fewer)
    assert torch.equal(again.moments.scatter, first.moments.scatter) and again.hash == first.hash
    assert images_hash(fashion[1:41]) != first.hash


def test_the_name_tells_the_network_and_the_size_and_never_fid(extract, fashion):
    found = distance(fashion[:20], reference(fashion[20:40], extract), extract, minimum=20)
    assert found.metric == "frechet-efficientnet-lite0-64" and "fid" not in found.metric
    assert (found.n, found.reference_n) == (20, 20)
    assert score(fashion[:20], fashion[20:40], minimum=20) == pytest.approx(found.value)


def test_references_of_other_features_and_too_few_pictures_are_refused(extract, fashion):
    ref = reference(fashion[:40], extract)
    with pytest.raises(UsageError, match="means little"):
        distance(fashion[:40], ref, extract)
    other = type(ref)("efficientnet-lite0-128", ref.hash, ref.moments)
    with pytest.raises(UsageError, match="use one for both"):
        distance(fashion[:40], other, extract, minimum=20)
