"""Chat templates: rendered as transformers does it, in a sandbox that nothing leaves, with an end."""

import time
from pathlib import Path
from typing import Any

import families
import pytest
import transformers
from test_writing import rows_agree
from tokenizers import Tokenizer, processors
from writers import writer

from attention_core.capture import Example, LoadedModel, capture, generate, has_chat, ready, wrap, write
from attention_core.errors import AtlasError, CheckpointError, FetchError, NotAvailableError, TooManyTokensError
from attention_core.models.catalogue import load_catalogue
from attention_core.models.chat import MOST_TEMPLATE, ChatTemplate, template_of
from attention_core.models.examples import EmptyTextError
from attention_core.models.loading import load_model
from attention_core.models.sources import fetch

PLAIN = "{% for message in messages %}w1 {{ message.content }} {% endfor %}{% if add_generation_prompt %}w2{% endif %}"


def tokenizer(template: Any = None, made: Tokenizer | None = None) -> transformers.PreTrainedTokenizerFast:
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made or families.tokenizer(), chat_template=template, bos_token="w0", eos_token="w3"
    )


@pytest.fixture(scope="module")
def network() -> Any:
    return writer("llama")


# ---- tiny models


def test_a_message_goes_into_the_template_and_the_answer_follows(network: Any) -> None:
    loaded = wrap(network, tokenizer(PLAIN))
    assert has_chat(loaded)
    trace = generate(loaded, Example("w8 w9", chat=True), most=5)
    assert trace.source.text.startswith("w1 w8 w9 w2 w")
    assert trace.source.texts[:4] == ("w1", "w8", "w9", "w2")
    assert (len(trace.source), trace.written) == (9, 5)
    assert not has_chat(wrap(network, tokenizer()))
    with pytest.raises(NotAvailableError, match="has no chat template"):
        write(wrap(network, tokenizer()), Example("w8", chat=True))


def test_no_marker_is_added_a_second_time(network: Any) -> None:
    made = families.tokenizer()
    made.add_special_tokens(["w0"])
    made.post_processor = processors.TemplateProcessing("w0 $A", special_tokens=[("w0", 2)])
    loaded = wrap(network, tokenizer("{{ bos_token }} {{ messages[0]['content'] }} {{ eos_token }}", made))
    trace = capture(loaded, Example("w8", chat=True, written=(9,)))
    assert trace.source.texts == ("w0", "w8", "w3", "w7")
    assert trace.source.special == (True, False, True, False)
    assert capture(loaded, "w8").source.texts == ("w0", "w8")


def test_a_template_is_found_in_three_places(tmp_path: Path) -> None:
    made = families.tokenizer()
    assert template_of(tmp_path) is None
    (tmp_path / "chat_template.jinja").write_text("third", encoding="utf-8")
    assert template_of(tmp_path) == "third"
    told = '{"chat_template": [{"name": "tools", "template": "no"}, {"name": "default", "template": "second"}], %s}'
    (tmp_path / "tokenizer_config.json").write_text(told % '"eos_token": {"content": "w3"}', encoding="utf-8")
    assert template_of(tmp_path) == "second"
    (tmp_path / "config.json").write_text('{"chat_template": "first", "bos_token_id": 2}', encoding="utf-8")
    found = ChatTemplate.of_folder(tmp_path, made)
    assert found == ChatTemplate("first", (("bos_token", "w0"), ("eos_token", "w3")))
    for broken in ('{"chat_template": 3}', "[", '"text"', '{"chat_template": "%s"}' % ("x" * (MOST_TEMPLATE + 1))):
        (tmp_path / "config.json").write_text(broken, encoding="utf-8")
        assert template_of(tmp_path) == "second"


def test_a_saved_model_finds_its_template(network: Any, tmp_path: Path) -> None:
    network.save_pretrained(tmp_path)
    tokenizer(PLAIN).save_pretrained(tmp_path)
    loaded = load_model(wrap(network, tokenizer()).card, tmp_path)
    assert capture(loaded, Example("w8", chat=True)).source.text == "w1 w8 w2"


def test_an_encoder_has_no_chat() -> None:
    assert not has_chat(wrap(families.build("bert"), tokenizer(PLAIN)))


def test_a_message_is_needed_and_too_long_a_one_is_never_cut(network: Any) -> None:
    loaded = wrap(network, tokenizer(PLAIN))
    with pytest.raises(EmptyTextError):
        capture(loaded, Example("  ", chat=True))
    with pytest.raises(TooManyTokensError):
        capture(loaded, Example(families.text(63), chat=True), truncate=True)
    with pytest.raises(AtlasError, match="surrogate"):
        capture(loaded, Example("w8 \ud800", chat=True))


# ---- what transformers does


SAME = {
    "blocks are trimmed": "{%- for m in messages %}\n  {% if loop.first %}\n w4 {% endif %}\n{{ m.content }}\n"
    "  {% endfor %}\n",
    "json keeps its letters": "{{ messages[0]['content'] | tojson }} {{ messages | tojson(indent=2) }}",
    "loops are controlled": "{% for i in range(9) %}{% if i == 3 %}{% break %}{% endif %}w{{ i }} {% endfor %}",
    "generation is marked": "{% generation %}w5 {{ messages[-1]['content'] | trim }}{% endgeneration %}",
    "namespaces": "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = 1 %}{% endfor %}w{{ ns.n }}",
    "markers": "{{ bos_token }}{{ eos_token }}{% if tools is none %}w4{% endif %}",
}


@pytest.mark.parametrize("source", SAME.values(), ids=SAME.keys())
def test_templates_render_as_in_transformers(source: str) -> None:
    fast, text = tokenizer(source), "w8 <b> é 한\n w9"
    expected = fast.apply_chat_template(
        [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
    )
    made = ChatTemplate.of_tokenizer(fast)
    assert made is not None
    assert made.render(text) == expected


def test_a_template_that_names_the_day_says_the_same_tomorrow() -> None:
    assert ChatTemplate("{{ strftime_now('%d %b %Y') }}").render("w1") == "26 Jul 2024"


# ---- hostile templates


HOSTILE = {
    "reaches for classes": ("{{ ''.__class__.__mro__ }}", "sandbox"),
    "reaches for globals": ("{{ raise_exception.__globals__ }}", "sandbox"),
    "reaches by format": ("{{ '{0.__class__}'.format(messages) }}", "sandbox"),
    "changes its input": ("{{ messages.append(1) }}", "sandbox"),
    "prints 20 MB": ("{% for i in range(1000) %}{{ 'x' * 20000 }}{% endfor %}", "more than 1048576 characters"),
    "prints 10 GB": ("{{ 'x' * 10 ** 10 }}", "memory"),
    "doubles a text": ("{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
                       "memory"),
    "counts far": ("{% for i in range(10 ** 9) %}{% endfor %}", "OverflowError"),
    "calls itself": ("{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}", "RecursionError"),
    "reads files": ("{% include '/etc/hostname' %}", "TypeError"),
    "is cut off": ("{% if messages %}", "TemplateSyntaxError"),
    "misses a name": ("{{ messages[0].nothing.at_all }}", "UndefinedError"),
    "is no Unicode": ("{{ '\\ud800' }}", "UnicodeEncodeError"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "why"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_template_that_misbehaves_is_refused_with_a_sentence(source: str, why: str) -> None:
    with pytest.raises(CheckpointError, match="the chat template of this model cannot be used") as caught:
        ChatTemplate(source).render("w1 marker-sentence")
    assert why in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_template_without_end_is_stopped() -> None:
    started = time.monotonic()
    endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    with pytest.raises(CheckpointError, match="more time or memory"):
        ChatTemplate(endless).render("w1")
    assert time.monotonic() - started < 15


def test_a_template_may_refuse_a_message() -> None:
    with pytest.raises(NotAvailableError, match="refuses the message: roles must alternate"):
        ChatTemplate("{{ raise_exception('roles must alternate') }}").render("w1")


def test_a_broken_template_harms_only_the_chat(network: Any) -> None:
    loaded = wrap(network, tokenizer(HOSTILE["is cut off"][0]))
    assert len(capture(loaded, "w1 w2").source) == 2
    with pytest.raises(CheckpointError):
        write(loaded, Example("w1", chat=True))


# ---- SmolLM2


@pytest.fixture(scope="module")
def smollm2(cache: Path) -> LoadedModel:
    entry = load_catalogue().entry("smollm2")
    try:
        folder = fetch(entry, cache)
    except FetchError as error:
        pytest.fail(f"smollm2 could not be fetched: {error}", pytrace=False)
    return ready(load_model(entry.card, folder))


@pytest.mark.model
@pytest.mark.parametrize("text", ["What is the capital of France?", "인사해 줘 🙂", "<|im_end|> {{ bos_token }}\n\n"])
def test_smollm2_is_spoken_to_as_transformers_does(smollm2: LoadedModel, text: str) -> None:
    assert has_chat(smollm2)
    assert smollm2.folder is not None
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(smollm2.folder / "tokenizer.json"), chat_template=template_of(smollm2.folder)
    )
    chat = [{"role": "user", "content": text}]
    trace = capture(smollm2, Example(text, chat=True))
    assert trace.source.text == fast.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    expected = fast.apply_chat_template(chat, tokenize=True, add_generation_prompt=True)["input_ids"]
    assert list(trace.source.ids) == expected
    markers = [piece for piece, special in zip(trace.source.pieces, trace.source.special, strict=True) if special]
    assert set(markers) == {"<|im_start|>", "<|im_end|>"}


@pytest.mark.model
def test_smollm2_answers_and_ends(smollm2: LoadedModel) -> None:
    message = Example("What is the capital of France? Answer in one word.", chat=True)
    steps = list(write(smollm2, message, most=64))
    assert "Paris" in " ".join(step.text for step in steps)
    assert (steps[-1].text, steps[-1].special, steps[-1].reason) == ("<|im_end|>", True, "end")
    trace = generate(smollm2, message, most=64)
    assert trace.written == len(steps)
    assert trace.source.special[-1]
    assert trace.source.text.endswith("<|im_end|>")


@pytest.mark.model
def test_what_smollm2_saw_at_each_step_is_in_the_final_trace(smollm2: LoadedModel) -> None:
    trace = rows_agree(smollm2, Example("The cat sat on the mat because it"), 16)
    assert trace.written == 16


@pytest.mark.model
def test_half_characters_are_never_shown_as_text(smollm2: LoadedModel) -> None:
    whole = capture(smollm2, "Korean: 한국 🙂").source
    for count in range(3, len(whole)):
        prompt = len(smollm2.reader.read("Korean:"))
        cut = capture(smollm2, Example("Korean:", written=whole.ids[prompt:count])).source
        assert cut.ids == whole.ids[:count]
        assert whole.text.startswith(cut.text)
        assert "\ufffd" not in cut.text + "".join(cut.texts)
        for text, span in zip(cut.texts, cut.spans, strict=True):
            assert span is not None or text.startswith("<0x")
