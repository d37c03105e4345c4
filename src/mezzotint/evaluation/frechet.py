"""The Fréchet distance between two sets of features, each taken as a Gaussian.

Heusel et al., 2017, GANs Trained by a Two Time-Scale Update Rule, eq. 6; Dowson & Landau, 1982, for Gaussians.  The
distance depends on the feature network and on how many pictures are compared (it falls with n), so a result says both,
and results with another reference, network or n do not compare.  It is never called FID: that name belongs to Inception
features.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mezzotint.errors import InputError, NonFiniteError, UsageError


@dataclass(frozen=True)
class Moments:
    """Count, mean (D,) and scatter sum (x - mean)(x - mean)^T (D, D) of features, float64."""

    n: int
    mean: Tensor
    scatter: Tensor

    @property
    def cov(self) -> Tensor:
        """The unbiased covariance (D, D); InputError below two samples."""
        if self.n < 2:
            raise InputError(f"a covariance needs at least 2 samples; got {self.n}")
        return self.scatter / (self.n - 1)

    def add(self, features: Tensor) -> Moments:
        """With more features (N, D); adding in chunks gives what adding at once gives."""
        return self.merge(moments(features))

    def merge(self, other: Moments) -> Moments:
        """The moments of both sets together.  Chan, Golub & LeVeque, 1979, Updating Formulae, eq. 2.1."""
        if self.n == 0 or other.n == 0:
            return other if self.n == 0 else self
        n, delta = self.n + other.n, other.mean - self.mean
        scatter = torch.addr(self.scatter + other.scatter, delta, delta, alpha=self.n * other.n / n)
        return Moments(n, self.mean + delta * (other.n / n), scatter)


def moments(features: Tensor) -> Moments:
    """The moments of features (N, D), in float64; NonFiniteError when a feature is not finite."""
    x = features.double()
    if not bool(x.isfinite().all()):
        raise NonFiniteError(
            "features are not finite; expected finite numbers; look for broken pictures or a diverged model"
        )
    mean = x.mean(0) if len(x) else torch.zeros(x.shape[1], dtype=torch.float64)
    centred = x - mean
    return Moments(len(x), mean, centred.T @ centred)


def root(cov: Tensor) -> Tensor:
    """The symmetric square root of a covariance (D, D), rounding residue below zero taken as zero."""
    values, vectors = torch.linalg.eigh(cov)
    result: Tensor = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    return result


def gaussian_distance(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    r"""The squared Fréchet (Wasserstein-2) distance of two Gaussians, in float64, at least 0.

    .. math:: |\mu_1-\mu_2|^2 + \mathrm{tr}\,\Sigma_1 + \mathrm{tr}\,\Sigma_2 - 2\,\mathrm{tr}(\Sigma_1\Sigma_2)^{1/2}

    The last trace is the sum of the singular values of :math:`\Sigma_1^{1/2}\Sigma_2^{1/2}`: the roots of the
    eigenvalues of the symmetric product :math:`\Sigma_1^{1/2}\Sigma_2\Sigma_1^{1/2}`, without squaring them first, so
    singular covariances stay exact.
    Dowson & Landau, 1982, The Fréchet Distance between Multivariate Normal Distributions, eq. 4.

    Args: means: (D,).  covs: (D, D).
    """
    if mean1.shape != mean2.shape:
        raise UsageError(
            f"features of {len(mean1)} and {len(mean2)} numbers do not compare; use one feature network for both"
        )
    cross = torch.linalg.svdvals(root(cov1.double()) @ root(cov2.double())).sum()
    shift = (mean1.double() - mean2.double()).square().sum()
    total = shift + cov1.trace().double() + cov2.trace().double() - 2 * cross
    return max(float(total), 0.0)


def between(a: Moments, b: Moments, minimum: int | None = None) -> float:
    """The distance between two sets of features.

    minimum: the least number of samples each must have; None means more than the features' dimension, below which a
    covariance is singular and the distance says more about n than about the pictures.  Raises UsageError below it.
    """
    least = len(a.mean) + 1 if minimum is None else minimum
    for n in (a.n, b.n):
        if n < least:
            raise UsageError(
                f"a Fréchet distance over {n} pictures means little; expected at least {least};"
                " make more, or lower the minimum on purpose"
            )
    return gaussian_distance(a.mean, a.cov, b.mean, b.cov)


REPLICATES = 16


def replicates(features: Tensor, other: Moments, seed: int = 0) -> Tensor:
    """Distances of REPLICATES resamples of features (N, D) to ``other``: their spread is that of the distance; their
    mean is not the distance, for a sample drawn with replacement has less variety."""
    random, n, known = torch.Generator().manual_seed(seed), len(features), root(other.cov)
    draws = (features[torch.randint(n, (n,), generator=random)] for _ in range(REPLICATES))
    return torch.tensor([_nearly(moments(x), other, known) for x in draws], dtype=torch.float64)


def _nearly(a: Moments, b: Moments, root_b: Tensor) -> float:
    """``gaussian_distance`` by the eigenvalues of one symmetric product: four times as fast, and half as many digits,
    which is plenty for a spread."""
    cross = torch.linalg.eigvalsh(root_b @ a.cov @ root_b).clamp(min=0).sqrt().sum()
    return float((a.mean - b.mean).square().sum() + a.cov.trace() + b.cov.trace() - 2 * cross)


@dataclass(frozen=True)
class Distance:
    """A Fréchet distance with what it depends on.

    metric: ``frechet-<feature network>-<input size>``.  n, reference_n: pictures on either side.
    reference: the sha256 of the reference set, in any order.
    """

    metric: str
    value: float
    n: int
    reference_n: int
    reference: str

    def over(self, other: Distance) -> float:
        """The ratio of two distances; UsageError unless metric, n and reference are the same."""
        for what in ("metric", "reference", "reference_n", "n"):
            a, b = getattr(self, what), getattr(other, what)
            if a != b:
                raise UsageError(
                    f"distances with different {what} do not compare: {a} and {b}; measure both the same way"
                )
        return self.value / other.value
