"""Texts side by side give the weights that each gives alone; scores and words are made of them by stated rules."""

import numpy as np
import pytest
import torch
from planted_model import WORDS, planted

from attention_core.capture import capture, wrap
from attention_core.errors import NotAvailableError, SelfCheckError
from attention_core.experiments.evaluate import passes, syntax
from attention_core.experiments.evaluate.antecedent import place, right, score
from attention_core.experiments.evaluate.packing import packed
from attention_core.experiments.evaluate.passes import Asked, Passes, batches
from attention_core.experiments.evaluate.places import moved, owned, touched
from attention_core.experiments.evaluate.reading import Row
from attention_core.models.card import ModelCard
from attention_core.models.examples import Example
from attention_core.models.loading import LoadedModel
from attention_core.nn import Transformer, TransformerConfig
from attention_core.tokens import Tokens

TEXTS = ["cat", "the cat saw it", "it saw the cat and the dog", "and it ran", "dog mat"]


def random_model(**sizes) -> LoadedModel:
    torch.manual_seed(4)
    config = TransformerConfig(embed_dim=32, heads=4, inner_dim=48, max_tokens=16, vocabulary=len(WORDS), **sizes)
    network = Transformer(config).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1.5)  # sharp attention, so that a mistake shows
    made = planted()
    card = made.card.__class__(**{**vars(made.card), "kinds": config.kinds, "layers": 2, "heads": 4})
    return LoadedModel(card, made.tokenizer, network, "in-house")


@pytest.mark.parametrize(
    "sizes",
    [
        {"encoder_layers": 2, "embedding_norm": True, "segments": 2},
        {"decoder_layers": 2, "norm": "pre", "positions": "rotary"},
        {"encoder_layers": 2, "decoder_layers": 2, "start": 0, "end": 2, "pad": 0, "output": "tokens"},
    ],
    ids=["encoder", "decoder", "encoder of two stacks"],
)
@pytest.mark.parametrize("asked_rows", [None, (1,), (0, 2)], ids=["all", "one", "two"])
def test_a_batch_gives_each_text_the_weights_that_it_has_alone(sizes, asked_rows):
    model = random_model(**sizes)
    encoded = [model.encode(Example(text)).source for text in TEXTS]
    encoded = [tokens for tokens in encoded if asked_rows is None or len(tokens) > max(asked_rows)]
    found = Passes(model).weights([Asked(tokens, asked_rows) for tokens in encoded])
    for tokens, weights in zip(encoded, found, strict=True):
        example = Example(tokens.text, target="cat" if model.encoder_decoder else None)
        trace = capture(model, example)
        maps = trace.maps_of(trace.kinds[0])
        rows = list(range(len(tokens)) if asked_rows is None else asked_rows)
        alone = torch.stack([one.weights()[:, rows] for one in maps])
        assert weights.shape == alone.shape
        assert float((weights - alone).abs().max()) < 2e-5


def test_packed_maps_compute_what_the_network_computes():
    network = random_model(encoder_layers=2).network
    twin = packed(network)
    if twin is None:
        pytest.skip("this build of torch has no oneDNN")
    ids = torch.arange(10)[None]
    with torch.inference_mode():
        assert float((twin(ids).hidden - network(ids).hidden).abs().max()) < 1e-4
    assert twin.embedding.tokens.weight is network.embedding.tokens.weight, "nothing but the packed maps is copied"


def test_a_faster_network_that_computes_something_else_is_not_used(monkeypatch):
    model, other = random_model(encoder_layers=2), random_model(encoder_layers=2, activation="relu")
    with torch.no_grad():
        other.network.encoder[0].attention.query.weight.mul_(1.01)
    monkeypatch.setattr(passes, "packed", lambda _: other.network)
    tokens = model.encode(Example("the cat saw it")).source
    (found,) = Passes(model).weights([Asked(tokens)])
    alone = torch.stack([one.weights() for one in capture(model, "the cat saw it").maps])
    assert float((found - alone).abs().max()) < 2e-5


def test_weights_that_do_not_give_the_kernel_s_output_are_refused(monkeypatch):
    model = random_model(encoder_layers=2)
    ready_passes = Passes(model)
    monkeypatch.setattr(passes, "masked_softmax", lambda scores, _: torch.softmax(scores * 1.01, -1))
    with pytest.raises(SelfCheckError, match="recomputed rows differ"):
        ready_passes.weights([Asked(model.encode(Example("the cat saw it")).source)])


def test_batches_hold_every_text_once_by_length_and_within_their_limits():
    def tokens(count: int) -> Asked:
        made = Tokens.of_ids([4] * count, ["it"] * count, [False] * count)
        return Asked(made, (0,))

    asked = [tokens(count) for count in (3, 500, 4, 3, 1100, *[5] * 150)]
    found = batches(asked, together=True)
    assert sorted(number for batch in found for number in batch) == list(range(len(asked)))
    for batch in found:
        sizes = [len(asked[number].tokens) for number in batch]
        assert len(batch) == 1 or max(sizes) * len(batch) <= passes.BATCH_TOKENS
        assert len(batch) <= passes.BATCH_TEXTS
    assert [len(batch) for batch in batches(asked[:3], together=False)] == [1, 1, 1]


def test_pictures_have_no_words():
    card = ModelCard("p", "Pictures", "P", "vit", ("encoder-self",), (), 1, 1, None, "exact", "", "", "picture")
    with pytest.raises(NotAvailableError, match="looks at pictures"):
        passes.kind_of(LoadedModel(card, None, torch.nn.Linear(1, 1), "in-house"))


# ---- scores by hand


def test_the_score_is_the_mean_of_the_pronoun_s_rows_and_the_largest_of_a_candidate_s_columns():
    text = "the big cat saw it"
    row = Row(1, "a", text, (16, 18), ((4, 11), (12, 15)), "a")
    tokens = _characters(text, [(0, 3), (4, 7), (8, 11), (12, 15), (16, 17), (17, 18)])
    at = place(row, tokens)
    assert (at.pronoun, at.candidates) == ((4, 5), ((1, 2), (3,)))
    weights = torch.zeros(1, 2, 2, 6)  # (layer, head, the pronoun's rows, key)
    weights[0, 0] = torch.tensor([[0, 0.1, 0.5, 0.2, 0, 0], [0, 0.3, 0.1, 0.4, 0, 0]])
    weights[0, 1] = torch.tensor([[0, 0.2, 0.2, 0.2, 0, 0], [0, 0.2, 0.2, 0.2, 0, 0]])
    scores = score(weights, at)
    assert scores[0] == pytest.approx(np.array([[0.3, 0.3], [0.2, 0.2]]))
    assert not right(scores).any(), "a tie is not right"
    weights[0, 0, 0, 2] = 0.6
    assert right(score(weights, at)).tolist() == [[True, False]]


def _characters(text, spans) -> Tokens:
    pieces = tuple(text[slice(*span)] for span in spans)
    count = len(spans)
    words, none = tuple(range(count)), (False,) * count
    return Tokens(text, (1,) * count, pieces, pieces, tuple(spans), none, words, ("A",) * count)


def test_a_particle_glued_to_a_name_is_part_of_its_token():
    tokens = _characters("철수는 영희를", [(0, 3), (4, 7)])
    assert touched(tokens, (0, 2)) == (0,)
    assert touched(tokens, (5, 6)) == (1,)
    assert touched(tokens, (3, 4)) == ()


def test_spans_follow_a_text_that_the_tokenizer_composes():
    import unicodedata

    given = unicodedata.normalize("NFD", "각하 철수")
    read = unicodedata.normalize("NFC", given)
    start = given.index(unicodedata.normalize("NFD", "철"))
    assert read[slice(*moved((start, len(given)), given, read))] == "철수"


def test_each_token_belongs_to_one_word():
    text = "I cannot, don't"
    tokens = _characters(text, [(0, 1), (2, 8), (8, 9), (10, 13), (13, 14), (14, 15)])
    words = [(0, 1), (2, 5), (5, 8), (8, 9), (10, 12), (12, 15)]
    assert owned(tokens, words) == ((0,), (1,), (), (2,), (3,), (4, 5))


def test_words_sum_their_columns_average_their_rows_and_leave_special_tokens_out():
    """Clark et al. 2019, by hand: tokens [CLS] a b1 b2 c; the largest token is not in the largest word."""
    weights = torch.tensor([
        [1.0, 0, 0, 0, 0],
        [0.4, 0.0, 0.18, 0.18, 0.24],  # a looks most at [CLS], then c, but b1 + b2 are more
        [0.0, 0.8, 0.0, 0.0, 0.2],  # b1 at a
        [0.0, 0.1, 0.0, 0.0, 0.9],  # b2 at c: their mean, 0.45 and 0.55, is at c
        [0.2, 0.5, 0.1, 0.1, 0.1],
    ])[None, None]  # fmt: skip
    assert syntax.targets(weights, [(1,), (2, 3), (4,)]).tolist() == [[[1, 2, 0]]]
    assert syntax.targets(weights, [(1,), (), (4,)]).tolist() == [[[2, -1, 0]]], "a word without tokens has no part"


@pytest.mark.parametrize("back_end", ["interface", "eager"])
def test_models_of_transformers_give_their_rows_one_text_after_the_other(back_end):
    import transformers

    torch.manual_seed(5)
    sizes = {"vocab_size": len(WORDS), "hidden_size": 32, "num_hidden_layers": 2, "initializer_range": 0.4}
    if back_end == "interface":
        config = transformers.LlamaConfig(
            **sizes, intermediate_size=48, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=16
        )
        network = transformers.LlamaForCausalLM(config)
    else:
        config = transformers.GPTNeoConfig(
            **{**sizes, "num_layers": 2}, num_heads=4, attention_types=[[["global", "local"], 1]], window_size=4,
            max_position_embeddings=16,
        )  # fmt: skip
        network = transformers.GPTNeoForCausalLM(config)
    model = wrap(network.eval(), planted(decoder=True).tokenizer)
    encoded = [model.encode(Example(text)).source for text in ("the cat saw it", "it saw the cat and the dog")]
    ready_passes = Passes(model)
    assert (model.back_end, ready_passes.together, ready_passes.kind) == (back_end, False, "decoder-self")
    for tokens, weights in zip(encoded, ready_passes.weights([Asked(one, (1, 3)) for one in encoded]), strict=True):
        alone = torch.stack([one.weights()[:, [1, 3]] for one in capture(model, tokens.text).maps])
        assert float((weights - alone).abs().max()) < 1e-6
