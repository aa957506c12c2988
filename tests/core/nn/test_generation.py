"""Greedy writing: token for token transformers' own, and the same with and without the cache."""

import pytest
import torch

from attention_core.errors import InputError, NotAvailableError
from attention_core.nn import Cache, HeadsOff, Transformer, TransformerConfig, Watch, greedy

SEEDS = range(3)


def slowly(network, source, limit, mask=None):
    """Greedy writing without a cache: everything is read again for each token. One row at a time."""
    config = network.config
    both = config.encoder_layers > 0
    read = torch.tensor([[config.start]]) if both else source
    written = []
    for _ in range(limit):
        hidden = network(source, read, mask=mask).hidden if both else network(read).hidden
        scores = network.logits(hidden)[0, -1]
        if config.pad is not None:
            scores[config.pad] = -torch.inf
        written.append(int(scores.argmax()))
        if written[-1] == config.end:
            break
        read = torch.cat([read, torch.tensor([[written[-1]]])], dim=1)
    return written


@pytest.mark.parametrize("seed", SEEDS)
@torch.inference_mode()
def test_gpt2_writes_what_transformers_writes(small, ours_of, inputs_of, seed):
    theirs = small("gpt2", seed)
    ours = ours_of(theirs)
    ids = inputs_of(theirs, count=1 + 3 * seed)["input_ids"]
    expected = theirs.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        num_beams=1,
        max_new_tokens=20,
        pad_token_id=2,
    )
    written = greedy(ours, ids, limit=20)
    assert written.tolist() == expected[:, ids.shape[1] :].tolist()
    assert written[0].tolist() == slowly(ours, ids, 20)


@pytest.mark.parametrize("seed", SEEDS)
@torch.inference_mode()
def test_marian_writes_what_transformers_writes(small, ours_of, inputs_of, seed):
    theirs = small("marian", seed)
    theirs.final_logits_bias[0, 2] = 3.2  # so that some rows end before others
    ours = ours_of(theirs)
    ids = inputs_of(theirs, batch=3, count=9)["input_ids"]
    mask = (torch.arange(9) < torch.tensor([[9], [6], [2]])).long()
    ids = ids.masked_fill(mask == 0, 59)
    expected = theirs.generate(
        ids, attention_mask=mask, do_sample=False, num_beams=1, max_new_tokens=25, bad_words_ids=[[59]]
    )
    written = greedy(ours, ids, limit=25, mask=mask)
    assert written.tolist() == expected[:, 1:].tolist()
    for row, (one, real) in enumerate(zip(ids, mask, strict=True)):
        alone = slowly(ours, one[None], 25, real[None])
        assert written[row, : len(alone)].tolist() == alone
        assert (written[row, len(alone) :] == 59).all()


@torch.inference_mode()
def test_padding_is_never_written_but_after_the_end(small, ours_of, inputs_of):
    theirs = small("marian", 0)
    theirs.final_logits_bias[0, 59] = 1e4
    theirs.final_logits_bias[0, 2] = 3.2  # the end comes early, at another place in each row
    ours = ours_of(theirs)
    written = greedy(ours, inputs_of(theirs, batch=8, count=9)["input_ids"], limit=30)
    for row in written.tolist():
        ended = row.index(2) if 2 in row else len(row)
        assert 59 not in row[:ended]
        assert set(row[ended + 1 :]) <= {59}
    lengths = {row.index(2) for row in written.tolist() if 2 in row}
    assert len(lengths) > 1


@pytest.mark.parametrize("family", ["gpt2", "marian"])
@torch.inference_mode()
def test_in_parts_with_a_cache_is_at_once_without(small, ours_of, inputs_of, family):
    theirs = small(family, 6)
    ours = ours_of(theirs)
    inputs = inputs_of(theirs, batch=2, count=14)
    both = family == "marian"
    source, read = inputs["input_ids"], inputs.get("decoder_input_ids", inputs["input_ids"])
    watch = Watch()
    whole = ours(source, read if both else None, watch=watch).hidden
    cache, parts, rows = Cache(), [], {kind: [] for kind in ("decoder-self", "cross")}
    for part in read.split([1, 4, 1, read.shape[1] - 6], dim=1):
        step = Watch()
        parts.append(
            ours(source, part, cache=cache, watch=step).hidden if both else ours(part, cache=cache, watch=step).hidden
        )
        assert cache.read == sum(one.shape[1] for one in parts)
        for kind, kept in rows.items():
            kept.append(step.records[kind][1].weights() if both or kind == "decoder-self" else None)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-4, rtol=1e-4)
    for kind in ours.config.kinds[-2:] if both else ("decoder-self",):
        start = 0
        full = watch.records[kind][1].weights()
        for step in rows[kind]:
            seen = full[:, :, start : start + step.shape[2], : step.shape[3]]
            torch.testing.assert_close(step, seen, atol=1e-4, rtol=0)
            start += step.shape[2]


@torch.inference_mode()
def test_a_cache_knows_padding_and_rotary_positions():
    torch.manual_seed(0)
    config = TransformerConfig(
        embed_dim=16, heads=2, inner_dim=0, max_tokens=12, vocabulary=30, decoder_layers=2, positions="rotary"
    )
    model = Transformer(config)
    ids = torch.randint(0, 30, (2, 9))
    mask = torch.ones(2, 9)
    mask[1, :4] = 0
    whole = model(ids, mask=mask).hidden
    cache = Cache()
    parts = [
        model(part, mask=mask[:, : cache.read + part.shape[1]], cache=cache).hidden for part in ids.split(4, dim=1)
    ]
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_heads_are_off_at_every_step(small, ours_of, inputs_of):
    theirs = small("marian", 3)
    ours = ours_of(theirs)
    ids = inputs_of(theirs, count=9)["input_ids"]
    off = HeadsOff([[("cross", layer, head) for layer in (0, 1) for head in (0, 1, 2)]])
    written = greedy(ours, ids, limit=12, changes=off)[0]
    read = torch.cat([torch.tensor([59]), written[:-1]])[None]
    scores = ours.logits(ours(ids, read, watch=Watch(off)).hidden)[0]
    scores[:, 59] = -torch.inf
    assert scores.argmax(dim=-1).tolist() == written.tolist()
    assert written.tolist() != greedy(ours, ids, limit=12)[0].tolist()
    other = greedy(ours, inputs_of(theirs, count=9)["input_ids"], limit=12, changes=off)[0]
    assert other.tolist() == written.tolist(), "without cross attention the source cannot matter"


@torch.inference_mode()
def test_it_writes_no_more_than_the_model_takes(small, ours_of, inputs_of):
    theirs = small("gpt2", 0, eos_token_id=None)
    ids = inputs_of(theirs, count=38)["input_ids"]
    assert greedy(ours_of(theirs), ids, limit=99).shape == (1, 2)
    theirs = small("marian", 0, eos_token_id=None)
    assert greedy(ours_of(theirs), ids, limit=99).shape == (1, 40)
    assert greedy(ours_of(theirs), ids, limit=0).shape == (1, 0)


def test_who_cannot_write_says_so(bert, ours_of):
    ids = torch.ones(1, 3, dtype=torch.long)
    with pytest.raises(NotAvailableError, match="does not write tokens"):
        greedy(ours_of(bert()), ids, limit=3)
    sizes = {"embed_dim": 8, "heads": 2, "inner_dim": 8, "max_tokens": 9, "vocabulary": 9, "output": "tokens"}
    alone = Transformer(TransformerConfig(**sizes, decoder_layers=1))
    with pytest.raises(NotAvailableError, match="without padding"):
        greedy(alone, ids, limit=3, mask=ids)
    both = Transformer(TransformerConfig(**sizes, decoder_layers=1, encoder_layers=1))
    with pytest.raises(InputError, match="names no start token"):
        greedy(both, ids, limit=3)
