"""Which trial a model is put to: its own where it has one, else the pictures of a data folder and their words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from mezzotint.errors import UsageError
from mezzotint.evaluation.measure import METRICS
from mezzotint.evaluation.trial import TRAIN_TIMES, Trial
from mezzotint.pretrained.system import System, picture_shape
from mezzotint.training.data.decode import decode
from mezzotint.training.data.detect import open_data
from mezzotint.training.data.order import Cursor, Order
from mezzotint.training.data.source import BadItemError, Item, Source


def trial_for(system: System, data: Path | None, n: int, metrics: Sequence[str] = METRICS) -> Trial:
    """The trial of n pictures.

    Args: data: a folder of ``mezzotint render`` for models of products, else a data set that ``mezzotint train``
            reads; None is the model's own default place, where it has one.   metrics: what will be measured.
    Raises UsageError: no folder, or fewer pictures than n; InputError.
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
    held, train = _items(found.held_out, n, shape), _items(found.train, TRAIN_TIMES * n, shape)
    prompts = tuple(_prompt(item, system, found.held_out.classes) for item, _ in held)
    return Trial(data.name, prompts, _stack(held), _stack(train))


def _shape(system: System) -> tuple[int, int, int]:
    channels, height, width = picture_shape(system.members[-1].described)
    return channels, height, width


def _prompt(item: Item, system: System, classes: Sequence[str]) -> str:
    """What a model is asked for in place of a held-out picture; labels go by number where the folder has no names."""
    if system.text is not None:
        if not item.text:
            raise UsageError(f"{item.id} has no caption, and {system.name} needs a prompt; give captioned pictures")
        return item.text
    if not system.labels or item.label is None:
        return ""
    names = [label.name for label in system.labels]
    return classes[item.label] if item.label < len(classes) and classes[item.label] in names else names[item.label]


def _items(source: Source, n: int, shape: tuple[int, int, int]) -> list[tuple[Item, Tensor]]:
    """n items of a source in a keyed order, or all where there are fewer; damaged ones are passed over."""
    order = Order(source, 0, source.shards)
    group = order.group(0, 0)
    picks, _ = order.take(Cursor(), min(n, group.total))
    found = []
    for pick in picks:
        try:
            item = order.item(pick)
            found.append((item, decode(item, shape)))
        except BadItemError:
            continue
    if not found:
        raise UsageError("the data folder has no picture that can be read")
    return found


def _stack(pairs: Sequence[tuple[Item, Tensor]]) -> Tensor:
    return torch.stack([picture for _, picture in pairs])
