"""The classes of a data set, as a model of classes numbers them."""

from __future__ import annotations

from collections.abc import Sequence

from mezzotint.conditioning.labels import Labels
from mezzotint.errors import UsageError
from mezzotint.pretrained.spec import labels_of
from mezzotint.pretrained.system import System


def class_numbers(system: System, classes: Sequence[str]) -> tuple[int, ...]:
    """The model's number of each class, found by its name as a prompt is: a data set numbers its own otherwise.

    Raises UsageError for one that the model has not, and for a model of none.
    """
    labels = labels_of(system.labels)
    if labels is None:
        raise UsageError(f"{system.name} knows no classes, and the data are in class folders")
    return tuple(_number(labels, name) for name in classes)


def _number(labels: Labels, name: str) -> int:
    try:
        number = labels.index(name)
    except UsageError as error:
        raise UsageError(f"class folder {name!r}: {error}") from error
    if number == labels.null:  # to a prompt without a word the model is asked for anything, which no folder means
        raise UsageError(f"class folder {name!r} names no class; the model knows {', '.join(labels.names)}")
    return number
