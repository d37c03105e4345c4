"""The text encoder: equal to transformers' BERT on the same weights, close in int8, and its prompts read honestly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from mezzotint.conditioning.minilm import Encoder, EncoderConfig, dequantised, from_bert, pooled, quantised
from mezzotint.conditioning.text import TextEncoder, encoder
from mezzotint.errors import ModelError, UsageError

SMALL = EncoderConfig(vocabulary=50, width=24, depth=2, heads=3, hidden=48, positions=16)


def bert() -> torch.nn.Module:
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=48,
        max_position_embeddings=32, layer_norm_eps=1e-12,
    )  # fmt: skip
    model = BertModel(config, add_pooling_layer=False).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.2 * torch.randn_like(p))
    return model


def ours(state: dict[str, torch.Tensor]) -> Encoder:
    made = Encoder(SMALL).eval()
    made.load_state_dict(state)
    return made


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    mask = torch.arange(9)[None] < torch.tensor([9, 4, 1])[:, None]
    return torch.randint(0, 50, (3, 9)), mask


@torch.inference_mode()
def test_equal_to_transformers() -> None:
    theirs, (ids, mask) = bert(), batch()
    want = theirs(input_ids=ids, attention_mask=mask.long()).last_hidden_state
    found = ours(from_bert(theirs.state_dict(), SMALL))(ids, mask)
    torch.testing.assert_close(found[mask], want[mask], rtol=1e-4, atol=1e-5)
    assert not found[~mask].any()


@torch.inference_mode()
def test_masked_tokens_have_no_influence() -> None:
    net, (ids, mask) = ours(from_bert(bert().state_dict(), SMALL)), batch()
    other = torch.where(mask, ids, (ids + 7) % 50)
    assert torch.equal(net(ids, mask), net(other, mask))


def test_int8_is_within_half_a_step() -> None:
    state = from_bert(bert().state_dict(), SMALL)
    back = dequantised(quantised(state))
    assert back.keys() == state.keys()
    for name, want in state.items():
        step = want.abs().amax(-1, keepdim=True) / 127 if want.ndim == 2 else torch.zeros(())
        assert ((back[name] - want).abs() <= step / 2 + 1e-6).all(), name


def test_a_matrix_without_its_scale_is_refused() -> None:
    packed = quantised(from_bert(bert().state_dict(), SMALL))
    del packed["words.weight.scale"]
    with pytest.raises(ModelError, match=r"words\.weight has no scale"):
        dequantised(packed)


def test_missing_weights_are_named() -> None:
    state = bert().state_dict()
    del state["encoder.layer.1.output.dense.bias"]
    with pytest.raises(ModelError, match=r"encoder\.layer\.1\.output\.dense\.bias"):
        from_bert(state, SMALL)


def test_pooled_is_the_mean_of_what_is_there() -> None:
    states = torch.tensor([[[3.0, 0.0], [0.0, 4.0], [9.0, 9.0]]])
    found = pooled(states * torch.tensor([1.0, 1.0, 0.0])[None, :, None], torch.tensor([[True, True, False]]))
    torch.testing.assert_close(found, torch.tensor([[0.6, 0.8]]))


@pytest.fixture(scope="module")
def shipped() -> TextEncoder:
    return encoder("minilm")


def test_a_short_prompt_is_whole(shipped: TextEncoder) -> None:
    tokens = shipped.tokens("a red armchair")
    assert len(tokens.ids) == 5 and tokens.dropped == ()
    assert shipped.tokens("A Red ARMCHAIR").ids == tokens.ids


def test_dropped_words_are_named_whole(shipped: TextEncoder) -> None:
    tokens = shipped.tokens("a red armchair on a turquoise background, seen from behind", limit=8)
    assert len(tokens.ids) <= 8 and tokens.dropped[0] == "background," and tokens.dropped[-1] == "behind"
    kept = shipped.tokens("a red armchair on")
    assert tokens.ids[: len(kept.ids) - 1] == kept.ids[:-1]


def test_a_book_is_cut_and_a_library_refused(shipped: TextEncoder) -> None:
    tokens = shipped.tokens("chair " * 10_000)
    assert len(tokens.ids) == 64 and len(tokens.dropped) == 10_000 - 62
    with pytest.raises(UsageError, match="at most 100000 are read"):
        shipped.tokens("x" * 100_001)


def test_no_words_at_all(shipped: TextEncoder) -> None:
    states = shipped.states(["", "   "])
    assert states["text"].shape == (2, 2, 384) and states["text_mask"].all()
    assert torch.equal(states["text"][0], states["text"][1])


def test_any_script_and_any_character(shipped: TextEncoder) -> None:
    states = shipped.states(["一把红色的椅子", "🪑", "\x00\u202e", "เก้าอี้"])
    assert states["text"].isfinite().all()


def test_a_row_does_not_depend_on_its_batch(shipped: TextEncoder) -> None:
    alone = shipped.states(["a red armchair"])["text"][0]
    together = shipped.states(["a red armchair", "a much longer prompt about a very small oak table"])["text"][0, :5]
    torch.testing.assert_close(alone, together, rtol=1e-4, atol=1e-5)


def test_meaning_is_there(shipped: TextEncoder) -> None:
    made = shipped.states(["a sofa", "a couch", "a bicycle"])
    near = pooled(made["text"], made["text_mask"])
    assert near[0] @ near[1] > near[0] @ near[2] + 0.2


def test_a_changed_file_is_refused(shipped: TextEncoder, tmp_path: Path) -> None:
    for path in shipped.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    data = bytearray((tmp_path / "encoder.safetensors").read_bytes())
    data[-1] ^= 1
    (tmp_path / "encoder.safetensors").write_bytes(data)
    with pytest.raises(ModelError, match=r"not the file that encoder\.json records"):
        TextEncoder(tmp_path).states(["a chair"])
    (tmp_path / "encoder.json").write_text(json.dumps({"schema": "x"}))
    with pytest.raises(ModelError, match="is damaged"):
        TextEncoder(tmp_path).states(["a chair"])


def test_size_of_what_ships(shipped: TextEncoder) -> None:
    assert sum(p.stat().st_size for p in shipped.folder.iterdir()) < 25e6


def test_an_encoder_that_is_not_there() -> None:
    with pytest.raises(ModelError, match="'t5' is not installed; pip install mezzotint-models"):
        encoder("t5")
