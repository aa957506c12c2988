"""SmolLM2 and multilingual-e5-small, fetched as packages of the Python index and converted once."""

import json
import unicodedata
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from test_memory import measured
from torch import Tensor, nn

from attention_core.analysis.comparing import compare
from attention_core.analysis.difference import likeness
from attention_core.capture import Example, capture, ready
from attention_core.capture.run import LAST_ROWS
from attention_core.errors import FetchError
from attention_core.figures import heatmap
from attention_core.looking import look
from attention_core.maps import Kind
from attention_core.models.catalogue import load_catalogue
from attention_core.models.loading import LoadedModel, load_model, load_reference
from attention_core.models.memory import pass_bytes, shape_of
from attention_core.models.sources import fetch, model_folder

pytestmark = pytest.mark.model
CAT, SCHOOL = "The cat sat on the mat because it was tired", "나는 학교에 갔다"
SENTENCES = {
    "smollm2": (CAT, "In 2024, 17 owls flew to Paris.", "def add(a, b):\n    return a + b"),
    "e5-multilingual": (CAT, SCHOOL, "query: 비가 그치자 아이들이 정원으로 뛰어나갔다"),
}
Pair = tuple[LoadedModel, nn.Module]


def opened(name: str, cache: Path) -> Pair:
    """The model, proved, and transformers' own with its eager attention."""
    entry = load_catalogue().entry(name)
    try:
        folder = fetch(entry, cache)
    except FetchError as error:
        pytest.fail(f"{name} could not be fetched: {error}", pytrace=False)
    reference = load_reference(folder, dtype=torch.float32, device=torch.device("cpu"))
    return ready(load_model(entry.card, folder)), reference


@pytest.fixture(scope="module")
def smollm2(cache: Path) -> Pair:
    return opened("smollm2", cache)


@pytest.fixture(scope="module")
def e5(cache: Path) -> Pair:
    return opened("e5-multilingual", cache)


def eager(reference: nn.Module, ids: tuple[int, ...]) -> tuple[Tensor, ...]:
    """The weights of every layer (head, query, key) as transformers' readable attention returns them."""
    with torch.inference_mode():
        return tuple(layer[0] for layer in reference(torch.tensor([ids]), output_attentions=True).attentions)


@pytest.mark.parametrize("sentence", range(3))
@pytest.mark.parametrize("name", SENTENCES)
def test_every_weight_is_that_of_transformers_eager_attention(
    name: str, sentence: int, request: pytest.FixtureRequest
) -> None:
    model, reference = request.getfixturevalue("e5" if name.startswith("e5") else name)
    trace = capture(model, SENTENCES[name][sentence])
    weights = eager(reference, trace.source.ids)
    assert len(weights) == len(trace.maps) == model.card.layers
    for mine, own in zip(trace.maps, weights, strict=True):
        limit = 1e-5 + 1e-6 * float(mine.scores().abs().max())
        assert float((mine.weights() - own).abs().max()) <= limit
    assert trace.provenance.self_check_error <= trace.provenance.self_check_tolerance


def test_lengths_of_grouped_heads_are_the_product_with_the_checkpoints_weights(smollm2: Pair, cache: Path) -> None:
    model, reference = smollm2
    parameters = load_file(model_folder(load_catalogue().entry("smollm2"), cache) / "model.safetensors")
    trace = capture(model, CAT)
    with torch.inference_mode():
        hidden = reference(torch.tensor([trace.source.ids]), output_hidden_states=True).hidden_states
    for layer in (0, 17, 29):
        stem = f"model.layers.{layer}"
        x = hidden[layer][0].double()
        x = x / (x.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt() * parameters[f"{stem}.input_layernorm.weight"].double()
        values = x @ parameters[f"{stem}.self_attn.v_proj.weight"].double().T  # (position, 3 key heads * 64)
        weight = parameters[f"{stem}.self_attn.o_proj.weight"].double()  # (576, 9 heads * 64)
        for head in range(9):
            own, output = values[:, head // 3 * 64 :][:, :64], weight[:, head * 64 :][:, :64]
            found = trace.maps[layer].value_norms[head].double()
            torch.testing.assert_close(found, (own @ output.T).norm(dim=-1), rtol=1e-3, atol=1e-4)
        rows = look(trace, measure="norm").maps[layer].weights()
        torch.testing.assert_close(rows.sum(-1), torch.ones(9, len(trace.source)))
        assert not rows.triu(1).any()


def test_smollm2_is_a_decoder_that_says_what_comes_next(smollm2: Pair) -> None:
    model, _ = smollm2
    trace = capture(model, "The capital of France is")
    assert (model.back_end, model.refusal, model.card.precision) == ("interface", None, "quantised")
    assert {one.kind for one in trace.maps} == {Kind.DECODER_SELF}
    assert (trace.maps[0].head_count, trace.maps[0].key_vectors.shape[0]) == (9, 3)
    assert not trace.maps[29].weights().triu(1).any()
    assert trace.predictions is not None
    assert trace.predictions.at[-1].candidates[0].text == "Paris"
    assert trace.source.texts == ("The", "capital", "of", "France", "is")


def test_a_figure_of_a_quantised_model_says_so(smollm2: Pair) -> None:
    figure = heatmap(capture(smollm2[0], "The capital of France is"), layer=16, head=0)
    assert figure.title == "SmolLM2 · L16 H0 · quantised"
    assert "quantised: not quite the published model" in " ".join(figure.caption)


def test_a_pass_of_smollm2_takes_no_more_than_estimated(smollm2: Pair) -> None:
    model, _ = smollm2
    taken, source, _ = measured(model, "word " * 300)
    estimate = pass_bytes(shape_of(model.network.config), source, said_rows=LAST_ROWS)
    assert taken <= estimate <= 3 * taken


def test_smollm2_looks_back_at_what_followed_a_word(smollm2: Pair) -> None:
    text = "river stone apple window green table music paper"
    trace = capture(smollm2[0], f" {text} {text}")
    half = len(trace.source) // 2
    weights = trace.map("decoder-self", 18).weights(6)[0]
    found = [float(weights[at, at - half + 1]) for at in range(half, 2 * half - 1)]
    assert sum(found) / len(found) > 0.6


def test_korean_words_show_as_words_in_e5(e5: Pair) -> None:
    model, _ = e5
    trace = capture(model, SCHOOL)
    assert (model.back_end, model.refusal, trace.notices) == ("in-house", None, ())
    assert trace.source.texts == ("<s>", "나는", "학교", "에", "␣", "갔다", "</s>")
    words = look(trace, words=True)
    assert words.source.texts == ("<s>", "나는", "학교에", "갔다", "</s>")
    assert words.source.spans == (None, (0, 2), (3, 6), (7, 9), None)


def test_decomposed_korean_is_read_as_composed(e5: Pair) -> None:
    trace = capture(e5[0], unicodedata.normalize("NFD", SCHOOL))
    assert look(trace, words=True).source.texts[1:-1] == ("나는", "학교에", "갔다")


def test_e5_finds_a_korean_sentences_translation(e5: Pair) -> None:
    """The model's own use, by its card: the mean of the last hidden states of "query: ..."."""
    model, reference = e5
    korean = (SCHOOL, "고양이가 피곤해서 매트에 앉았다", "오늘 주식 시장이 급락했다")
    english = ("I went to school.", CAT, "The stock market fell sharply today.")

    def embedding(text: str) -> Tensor:
        ids = torch.tensor([model.reader.read(f"query: {text}").ids])
        with torch.inference_mode():
            return nn.functional.normalize(reference(ids).last_hidden_state[0].mean(0), dim=0)

    similar = torch.stack([embedding(text) for text in korean]) @ torch.stack([embedding(text) for text in english]).T
    assert similar.argmax(1).tolist() == [0, 1, 2]
    assert similar.diagonal().min() > 0.85


def test_two_texts_in_e5_have_no_segments_to_add(e5: Pair) -> None:
    trace = capture(e5[0], Example(SCHOOL, pair="I went to school."))
    assert "".join(trace.source.segment) == "A" * 8 + "B" * 6  # <s> ... </s> </s> | ... </s>
    own = eager(e5[1], trace.source.ids)[0]
    assert float((trace.maps[0].weights() - own).abs().max()) <= 1e-5


@pytest.mark.parametrize("name", SENTENCES)
def test_only_the_models_files_are_kept_and_noted(name: str, request: pytest.FixtureRequest, cache: Path) -> None:
    request.getfixturevalue("e5" if name.startswith("e5") else name)
    folder, entry = cache / "models" / name, load_catalogue().entry(name)
    assert sorted(path.name for path in folder.iterdir()) == sorted([*entry.files, "origin.json"])
    note = json.loads((folder / "origin.json").read_text(encoding="utf-8"))
    assert note["source_sha256"] == entry.sources[0].sha256
    assert entry.card.revision == entry.sha256["model.safetensors"][:12]
    assert entry.size_bytes == (folder / "model.safetensors").stat().st_size


def test_two_models_are_compared_word_by_word(e5: Pair) -> None:
    """MiniLM cuts "immunologist" and "tired." into pieces where e5 has others."""
    text = "The immunologist slept because she was tired."
    pieces = capture("minilm", text), capture(e5[0], text)
    one, other = (look(trace, words=True) for trace in pieces)
    both = compare(one, other)
    assert ["".join(one.source.texts[at] for at in pair.first).casefold() for pair in both.queries] == [
        "[cls]", "the", "immunologist", "slept", "because", "she", "was", "tired.", "[sep]",
    ]  # fmt: skip
    assert [pair.same for pair in both.keys] == [False, *[True] * 7, False]
    assert all(pair.both for pair in compare(*pieces).keys)
    torch.testing.assert_close(both.matrices((0, 0), (11, 3)).sum(-1), torch.ones(2, 9))
    found = likeness(one, 3, 1, other)
    assert len(found.heads) == 144
    nearest = found.heads[0]
    moved = both.matrices((3, 1), (nearest.layer, nearest.head)).diff(dim=0).abs().sum(-1) / 2
    assert nearest.change == pytest.approx(float(moved.mean()), abs=1e-6)
    assert max(head.change for head in found.heads) > nearest.change
