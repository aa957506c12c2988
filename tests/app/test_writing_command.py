"""attention-atlas generate, and what a model's files say that it can do."""

import json
import os
import signal
import threading
from dataclasses import replace

import pytest
from slow_writing import slow_down

from app import cli
from app.abilities import Abilities, abilities_of
from attention_core.models.catalogue import load_catalogue
from attention_core.storage import load

TEXT = "lamp goat moon key lamp goat"


def generate(capsys, *more):
    code = cli.main(["generate", TEXT, "--model", "induction", *more])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_the_text_and_what_follows(capsys):
    assert generate(capsys, "--most", "4")[:2] == (0, f"{TEXT} moon key lamp goat\n")


def test_the_trace_is_saved_and_printed_as_the_api_replies_it(capsys, tmp_path, serve):
    code, out, err = generate(capsys, "--most", "3", "--json", "-o", str(tmp_path / "w.safetensors"))
    printed = json.loads(out)
    assert (code, err.strip()) == (0, f"{TEXT} moon key lamp")
    assert load(tmp_path / "w.safetensors").written == printed["written"] == 3
    with serve(cache=tmp_path, fetch_on_start=False) as client:
        body = {"model": "induction", "text": TEXT, "written": printed["source"]["ids"][-3:]}
        assert client.post("/api/v1/traces", json=body).json()["id"] == printed["id"]


def test_the_same_seed_draws_the_same(capsys):
    drawn = [
        generate(capsys, "--most", "12", "--sample", "--temperature", "3", "--top-k", "90", "--seed", seed)[1]
        for seed in ("1", "1", "2")
    ]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--most", "0"], "most"),
        (["--temperature", "nan"], "temperature"),
        (["--top-k", "0"], "top_k"),
        (["--seed", "-1"], "seed"),
        (["--chat"], "no chat template"),
    ],
)
def test_what_cannot_be_done_is_said(capsys, given, said):
    code, out, err = generate(capsys, *given)
    assert (code, out) == (2, "")
    assert said in err


def test_an_encoder_does_not_write(capsys):
    assert cli.main(["generate", "a", "--model", "minilm"]) == 2
    assert "does not continue a text" in capsys.readouterr().err


def test_control_c_keeps_what_was_written(capsys, tmp_path, monkeypatch):
    slow_down(monkeypatch)
    before = signal.getsignal(signal.SIGINT)
    timer = threading.Timer(2.0, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    file = tmp_path / "w.safetensors"
    code, out, _ = generate(capsys, "--most", "110", "-o", str(file))
    timer.join()
    trace = load(file)
    assert code == 0
    assert 1 <= trace.written < 100
    text, saved = out.splitlines()
    assert len(text.split()) == len(TEXT.split()) + trace.written
    assert saved == f"saved: {file}"
    assert signal.getsignal(signal.SIGINT) is before


# ---- abilities


def written_down(folder, **files):
    folder.mkdir(exist_ok=True)
    for name, said in files.items():
        (folder / f"{name}.json").write_text(said if isinstance(said, str) else json.dumps(said), encoding="utf-8")
    return folder


LLAMA = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}
CHAT = {"chat_template": "{{ messages }}"}


@pytest.mark.parametrize(
    ("files", "writes", "chat"),
    [
        ({"config": LLAMA}, True, False),
        ({"config": {**LLAMA, **CHAT}}, True, True),
        ({"config": LLAMA, "tokenizer_config": CHAT}, True, True),
        ({"config": LLAMA, "tokenizer_config": "{"}, True, False),
        ({"config": {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}}, True, False),
        ({"config": {"model_type": "llama", "architectures": ["LlamaModel"]}, "tokenizer_config": CHAT}, False, False),
        ({"config": {"model_type": "attention-atlas", "output": "none"}}, False, False),
        ({"config": "[]"}, True, False),
    ],
)
def test_a_decoder_s_files_say_what_it_can_do(tmp_path, files, writes, chat):
    entry = load_catalogue().entry("smollm2")
    folder = written_down(tmp_path / "model", **files)
    assert abilities_of(entry, folder, fetched=True) == Abilities(writes=writes, chat=chat, known=True)


def test_before_it_is_here_the_card_says_it(tmp_path):
    entries = load_catalogue().entries
    writes = {entry.card.name for entry in entries if abilities_of(entry, tmp_path, fetched=False).writes}
    assert {"smollm2", "induction"} <= writes
    assert writes.isdisjoint({"minilm", "ko-en", "shapes", "e5-multilingual"})
    entry = load_catalogue().entry("smollm2")
    both = replace(entry, card=replace(entry.card, kinds=("decoder-self", "cross")))
    assert not abilities_of(both, tmp_path, fetched=True).writes
