"""Which trial a model is put to: its own where it has one, else the pictures of a data folder and their words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from mezzotint.errors import UsageError
from mezzotint.evaluation.measure import METRICS
from mezzotint.evaluation.trial import TRAIN_TIMES, Trial
from mezzotint.making.classes import class_numbers
from mezzotint.pretrained.system import System, picture_shape
from mezzotint.training.data.detect import open_data
from mezzotint.training.data.order import Order
from mezzotint.training.data.readable import decodable
from mezzotint.training.data.source import Item, Source


def trial_for(system: System, data: Path | None, n: int, metrics: Sequence[str] = METRICS) -> Trial:
    """The trial of n pictures.

    Args: data: a folder of ``mezzotint render`` for models of products, else a data set that ``mezzotint train``
            reads; None is the model's own default place, where it has one.   metrics: what will be measured.
    Raises UsageError: no folder, fewer pictures than n, or a class that the model has not; InputError.
    """
    if system.text is not None and system.text.phrases == "products":
        from mezzotint.products.training import photographs
        from mezzotint.products.trial import trial

        return trial(photographs(data), n, system.size[0], judged="adherence" in metrics)
    if data is None:
        raise UsageError(f"{system.name} has no trial of its own; give real pictures to measure against with --data")
    found = open_data(data)
    if found.held_out is None:
        raise UsageError(f"{data} has no held-out pictures")
    shape = _shape(system)
    held = _items(found.held_out, n, shape)
    if len(held) < n:
        raise UsageError(f"{data} has {len(held)} held-out pictures that can be read; expected at most so many with -n")
    train = _items(found.train, TRAIN_TIMES * n, shape)
    numbers = class_numbers(system, found.held_out.classes) if system.labels else ()
    prompts = tuple(_prompt(item, system, numbers) for item, _ in held)
    return Trial(data.name, prompts, _stack(held), _stack(train))


def _shape(system: System) -> tuple[int, int, int]:
    channels, height, width = picture_shape(system.members[-1].described)
    return channels, height, width


def _prompt(item: Item, system: System, numbers: Sequence[int]) -> str:
    """What a model is asked for in place of a held-out picture.

    numbers: the model's of the data's classes; () where those have no names, and are the model's own numbers.
    """
    if system.text is not None:
        if not item.text:
            raise UsageError(f"{item.id} has no caption, and {system.name} needs a prompt; give captioned pictures")
        return item.text
    if not system.labels or item.label is None:
        return ""
    number = numbers[item.label] if numbers else item.label
    if not 0 <= number < len(system.labels):
        raise UsageError(
            f"{item.id} is of class number {number}, and {system.name} has 0 to {len(system.labels) - 1};"
            " sort the pictures into class folders that it knows"
        )
    return system.labels[number].name


def _items(source: Source, n: int, shape: tuple[int, int, int]) -> list[tuple[Item, Tensor]]:
    """n items of a source in a keyed order, or all that can be read where there are fewer."""
    found = list(islice(decodable(Order(source, 0, source.shards), shape), n))
    if not found:
        raise UsageError("the data folder has no picture that can be read")
    return found


def _stack(pairs: Sequence[tuple[Item, Tensor]]) -> Tensor:
    return torch.stack([picture for _, picture in pairs])
