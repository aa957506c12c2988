"""The bundled `ko-en` itself, on sentences that are generated here and that its training never saw the like of."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

import attention_core.models
from attention_core.nn import Watch, load_transformer
from attention_core.nn.generation import greedy
from attention_core.training.korean.grammar import Grammar
from attention_core.training.korean.measure import alignment, exactness
from attention_core.training.korean.recipe import held_out_sentences
from attention_core.training.korean.tokenizer import MAX_TOKENS, make_tokenizer

FOLDER = Path(str(files(attention_core.models).joinpath("bundled/ko-en")))
SEED = 4711  # not the seed of results.json
COUNT = 300


@pytest.fixture(scope="module")
def network():
    return load_transformer(FOLDER)


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.from_file(str(FOLDER / "tokenizer.json"))


@pytest.fixture(scope="module")
def unseen():
    return held_out_sentences(SEED, COUNT)


def translate(network, tokenizer, korean):
    """The ids of the source, the ids written, the words written."""
    source = torch.tensor([tokenizer.encode(korean).ids])
    written = greedy(network, source, limit=MAX_TOKENS)
    return source, written, tokenizer.decode(written[0].tolist())


def test_held_out_combinations_are_translated_exactly(network, tokenizer, unseen):
    assert exactness(network, tokenizer, unseen) >= 0.98


def test_one_head_finds_the_stems_of_content_words(network, tokenizer):
    many = held_out_sentences(SEED + 1, 1000)  # half of them choose the head
    assert alignment(network, tokenizer, many).scores["alignment"] >= 0.95


def test_the_stated_scores_meet_the_design():
    stored = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    assert stored["scale"] == 1.0
    assert stored["scores"]["exact"] >= 0.98
    assert stored["scores"]["alignment"] >= 0.95


def test_it_is_small_and_whole():
    assert (FOLDER / "model.safetensors").stat().st_size <= 4 << 20


def test_its_tokenizer_is_the_grammars(tokenizer):
    assert tokenizer.to_str() == make_tokenizer().to_str()


@pytest.mark.parametrize(
    ("korean", "english"),
    [
        ("나는 학교에 갔다", "I went to school"),
        ("나는 학교에 갔다.", "I went to school"),
        ("그 고양이는 피곤해서 매트 위에 앉았다", "the cat sat on the mat because it was tired"),
        (
            "고양이는 매트 위에 앉았다. 왜냐하면 그것은 피곤했기 때문이다.",
            "the cat sat on the mat because it was tired",
        ),
        ("할머니께서는 아침에 커피를 드셨다", "my grandmother drank coffee in the morning"),
        ("민수는 내일 버스로 도서관에 갈 것이다", "Minsu will go to the library by bus tomorrow"),
        ("날씨가 추웠기 때문에 우리는 창문을 닫았다", "we closed the window because the weather was cold"),
        ("그녀는 지금 책을 읽고 있다", "she is reading a book now"),
    ],
)
def test_sentences_for_lessons_are_translated(network, tokenizer, korean, english):
    assert translate(network, tokenizer, korean)[2] == english


def test_the_best_head_shows_went_on_gat_and_school_on_hakgyo(network, tokenizer, unseen):
    layer, head = alignment(network, tokenizer, unseen).head
    source, written, text = translate(network, tokenizer, "나는 학교에 갔다")
    assert text == "I went to school"
    watch = Watch()
    start = torch.full((1, 1), network.config.start)
    with torch.inference_mode():
        network(source, torch.cat([start, written[:, :-1]], dim=1), watch=watch)
    looked = watch.records["cross"][layer].weights()[0, head].argmax(dim=-1)
    pieces = tokenizer.encode("나는 학교에 갔다").tokens
    seen = {word: pieces[int(at)] for word, at in zip(text.split(), looked, strict=False)}
    assert seen["went"] == "갔"
    assert seen["school"] == "학교"


def test_transformers_reads_the_same_files_and_writes_the_same_words(network, tokenizer, unseen):
    from transformers import MarianMTModel

    theirs = MarianMTModel.from_pretrained(FOLDER).eval()
    for sentence in unseen[:10]:
        source, written, _ = translate(network, tokenizer, sentence.korean)
        said = theirs.generate(source, num_beams=1, do_sample=False, max_length=MAX_TOKENS)
        assert said[0, 1:].tolist() == written[0].tolist()


def test_the_demo_sentence_was_never_trained_on():
    stored = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    trained = {one.korean for one in Grammar(stored["seed"]).sentences(60_000, held_out=False)}
    assert len(trained) == 60_000
    assert "나는 학교에 갔다" not in trained
