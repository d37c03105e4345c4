"""Prompts to token states, with what was understood: the frozen text encoder that ships, and its tokenizer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.conditioning.taught import Taught, numbered, pieces
from mezzotint.errors import ModelError, UsageError
from mezzotint.files import read_bytes, sha256_file
from mezzotint.places import places

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from mezzotint.conditioning.minilm import Encoder

MAX_CHARACTERS = 100_000
MAX_TOKENS = 64
MAX_JSON_BYTES = 1 << 22
ENCODER = "text_encoder"
"""Its name among the parts of a system."""

WIDTH, VOCABULARY = 384, 30_522
"""Numbers of a token's vector and states; tokens that it knows: all-MiniLM-L6-v2's."""

ENCODER_JSON, WEIGHTS, TOKENIZER = "encoder.json", "encoder.safetensors", "tokenizer.json"


@dataclass(frozen=True)
class Tokens:
    """A prompt in tokens.

    ids: with the marks of its ends.  dropped: the words at its end for which there was no room, as they were written.
    lost: how many tokens those were.
    """

    ids: tuple[int, ...]
    dropped: tuple[str, ...] = ()
    lost: int = 0


@dataclass(frozen=True, eq=False)
class TextEncoder:
    """The text encoder of a folder (``encoder.json``, ``encoder.safetensors``, ``tokenizer.json``).

    learned: words that it knows beside its own; their tokens have numbers beyond its vocabulary.
    Reading the folder costs nothing until the first prompt.   Raises ModelError for a damaged folder, at first use.
    """

    folder: Path
    learned: tuple[Taught, ...] = ()

    @cached_property
    def sha256(self) -> str:
        """Of the weights, as ``encoder.json`` records it."""
        try:
            return str(json.loads(read_bytes(self.folder / ENCODER_JSON, MAX_JSON_BYTES))["sha256"])
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{self.folder / ENCODER_JSON} is damaged; install mezzotint-models again") from error

    @cached_property
    def _reader(self) -> Any:
        from tokenizers import Tokenizer

        try:
            reader = Tokenizer.from_file(str(self.folder / TOKENIZER))
        except Exception as error:  # the library raises plain Exception
            raise ModelError(f"{self.folder / TOKENIZER} cannot be read: {error}") from error
        reader.no_padding()
        reader.no_truncation()
        return reader

    @cached_property
    def network(self) -> Encoder:
        """The encoder, float32, evaluation mode."""
        import torch

        from mezzotint.conditioning.minilm import Encoder, EncoderConfig, dequantised
        from mezzotint.tensorfile import read_tensors

        path = self.folder / WEIGHTS
        if sha256_file(path) != self.sha256:
            raise ModelError(f"{path} is not the file that {ENCODER_JSON} records; install mezzotint-models again")
        network = Encoder(EncoderConfig())
        try:
            network.load_state_dict(dequantised(read_tensors(path)), assign=True)
        except RuntimeError as error:
            raise ModelError(f"{path} is for another encoder: {str(error).partition(chr(10))[0]}") from error
        if self.learned:
            network.teach(torch.cat([one.vectors(ENCODER) for one in self.learned]))
        return network.eval().requires_grad_(False)

    def tokens(self, prompt: str, limit: int = MAX_TOKENS) -> Tokens:
        """A prompt in at most ``limit`` tokens; words beyond are dropped whole, and named.

        Raises UsageError for a prompt of more than MAX_CHARACTERS.
        """
        if len(prompt) > MAX_CHARACTERS:
            raise UsageError(f"the prompt has {len(prompt)} characters; at most {MAX_CHARACTERS} are read")
        first, last = self._reader.encode("").ids
        inner = list(self._spelled(prompt))
        if len(inner) + 2 <= limit:
            return Tokens((first, *(token for token, _ in inner), last))
        begin = inner[limit - 2][1]  # of the word that the first token without room belongs to
        kept = [token for token, at in inner if at < begin]
        return Tokens((first, *kept, last), tuple(prompt[begin:].split()), len(inner) - len(kept))

    def _spelled(self, text: str) -> Iterator[tuple[int, int]]:
        """The tokens of a text, each with where the word begins that it belongs to."""
        numbers = numbered(self.learned, ENCODER, VOCABULARY)
        for at, piece in pieces(text, self.learned):
            if not isinstance(piece, str):
                yield from ((number, at) for number in numbers[piece])
                continue
            found = self._reader.encode(piece, add_special_tokens=False)
            offsets = [begin for begin, _ in found.offsets]
            begins = dict(zip(reversed(found.word_ids), reversed(offsets), strict=True))
            yield from ((token, at + begins[word]) for token, word in zip(found.ids, found.word_ids, strict=True))

    def states(self, prompts: Sequence[str], limit: int = MAX_TOKENS, width: int | None = None) -> dict[str, Tensor]:
        """{"text" (B, L, 384) float32, "text_mask" (B, L) bool}, L the longest prompt's tokens, or ``width``."""
        import torch

        ids, mask = map(torch.from_numpy, self.padded(prompts, limit, width))
        with torch.inference_mode(), _LOCK:
            return {"text": self.network(ids, mask).clone(), "text_mask": mask}

    def padded(
        self, prompts: Sequence[str], limit: int = MAX_TOKENS, width: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """What ``network`` takes: ids (B, L), 0 where there is no token, and where there is one (B, L)."""
        import numpy as np

        rows = [self.tokens(prompt, limit).ids for prompt in prompts]
        longest = max(map(len, rows), default=0) if width is None else width
        ids, mask = np.zeros((len(rows), longest), np.int64), np.zeros((len(rows), longest), np.bool_)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = row
            mask[i, : len(row)] = True
        return ids, mask


_LOCK = threading.Lock()


def encoder(name: str) -> TextEncoder:
    """A text encoder that ships, by its name.  Raises ModelError where it is not installed."""
    for _, place in places():
        if (place / name / ENCODER_JSON).is_file():
            return TextEncoder(place / name)
    raise ModelError(f"the text encoder {name!r} is not installed; pip install mezzotint-models")
