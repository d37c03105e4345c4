"""First-block caching around a stage's denoiser: each trajectory has a memory of its own."""

from __future__ import annotations

from mezzotint.diffusion.begun import Remembering
from mezzotint.diffusion.denoiser import Denoiser, Preconditioned
from mezzotint.errors import UsageError
from mezzotint.nets.recalled import Recalled, Splitting
from mezzotint.pretrained.model import AnyStage
from mezzotint.pretrained.stage_model import StageModel


def check_cache(stage: AnyStage) -> None:
    """Raises UsageError for a network that is not evaluated in parts, or whose adapters change between its levels."""
    from mezzotint.pretrained.adapters import fall

    if not isinstance(stage, StageModel) or not isinstance(stage.network, Splitting):
        raise UsageError(f"--cache is for this package's own networks, and {stage.name} has another; leave it out")
    if fall(stage.adapters):
        raise UsageError("--cache does not go with an adapter whose rank falls with noise; leave one out")


def recalling(denoiser: Denoiser, threshold: float | None) -> Denoiser:
    """The denoiser with first-block caching; as it is where there is no threshold.  See ``nets.recalled``."""
    if threshold is None or not isinstance(denoiser, Preconditioned):
        return denoiser
    net: object = denoiser.network
    parametrisation, least = denoiser.parametrisation, threshold
    assert isinstance(net, Splitting)

    def fresh() -> Denoiser:
        return Preconditioned(Recalled(net, least), parametrisation)

    return Remembering(fresh)
