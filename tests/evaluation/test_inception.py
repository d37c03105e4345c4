"""FID and KID with Inception weights of the user's: the number is torch-fidelity's own."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import save_file

from mezzotint.errors import InputError, ModelError, UsageError
from mezzotint.evaluation.frechet import between, moments
from mezzotint.evaluation.inception import inception
from mezzotint.evaluation.measure import check

if importlib.util.find_spec("torch_fidelity") is None:
    pytest.skip("torch-fidelity is not installed: make test installs it", allow_module_level=True)


def module(name: str, **names: object) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(names)
    return made


@pytest.fixture(scope="module")
def torch_fidelity():
    """The package.  It imports torchvision for other networks than Inception; where that is not installed (it has no
    build for every torch), empty modules stand in for it."""
    functional = module("torchvision.transforms.functional")
    transforms = module("torchvision.transforms", functional=functional)
    datasets = module("torchvision.datasets", CIFAR10=object, CIFAR100=object, STL10=object)
    stand_in = {
        "torchvision": module("torchvision", transforms=transforms, datasets=datasets, __path__=[]),
        "torchvision.transforms": transforms,
        "torchvision.transforms.functional": functional,
        "torchvision.datasets": datasets,
    }
    there = importlib.util.find_spec("torchvision") is not None
    with pytest.MonkeyPatch.context() as patch:
        for name, empty in ({} if there else stand_in).items():
            patch.setitem(sys.modules, name, empty)
        import torch_fidelity

        yield torch_fidelity


@pytest.fixture(scope="module")
def weights(torch_fidelity, tmp_path_factory) -> Path:
    """Inception-v3 as it is before training, as safetensors and, for torch-fidelity, as its own kind of file."""
    from torch_fidelity import feature_extractor_inceptionv3 as module

    folder = tmp_path_factory.mktemp("inception")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(module.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        torch.manual_seed(0)
        state = module.FeatureExtractorInceptionV3("fresh", ["2048"]).state_dict()
    state = {k: v.clone() for k, v in state.items()}
    save_file(state, folder / "weights.safetensors")
    torch.save(state, folder / "weights.pth")
    return folder / "weights.safetensors"


class Pictures(torch.utils.data.Dataset):
    """As torch-fidelity takes them, one by one."""

    def __init__(self, images: torch.Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> torch.Tensor:
        return self.images[i]


def pictures(n: int, seed: int) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return (torch.rand(n, 3, 6, 6, generator=g).mul(255).byte()).repeat_interleave(8, 2).repeat_interleave(8, 3)


@pytest.mark.slow
def test_fid_is_that_of_torch_fidelity(torch_fidelity, weights):
    made, real = pictures(12, 0), pictures(12, 1)
    theirs = torch_fidelity.calculate_metrics(
        input1=Pictures(made),
        input2=Pictures(real),
        fid=True,
        feature_extractor_weights_path=str(weights.with_suffix(".pth")),
        cuda=False,
        verbose=False,
        cache=False,
        batch_size=5,
        save_cpu_ram=True,
    )
    extract = inception(weights)
    assert extract.distances == ("FID", "KID")
    ours = between(moments(extract(made)), moments(extract(real)), minimum=2)
    assert ours == pytest.approx(theirs["frechet_inception_distance"], rel=1e-3, abs=1e-7)


def test_other_weights_have_another_name_and_other_files_are_refused(weights, tmp_path):
    with pytest.raises(UsageError, match="expected at least 2049"):
        check(("frechet",), 2048, inception(weights))
    save_file({"conv": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="does not hold Inception-v3"):
        inception(tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="mezzotint convert"):
        inception(weights.with_suffix(".pth"))
    with pytest.raises(InputError):
        inception(tmp_path / "nowhere.safetensors")
