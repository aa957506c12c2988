"""Every piece of Python that stands beside a step, run: it prints the numbers of that step."""

import ast
import builtins
import contextlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from own_folders import save
from test_writing_jobs import events_in

from app.images import decoded
from app.making import capture_with
from app.schemas import CodeParameters, TraceRequest
from app.service import TraceCache
from app.snippets import SHOWN, code_document
from attention_core import capture as opening
from attention_core import storage
from attention_core.analysis.steps import STEPS, Steps, steps, vectors
from attention_core.capture import Example, capture, open_model
from attention_core.experiments.running import finish
from attention_core.experiments.sublayer import Sublayer, sublayer
from attention_core.lab import LabChoices, card_of, train
from attention_core.lab import finish as finish_training
from attention_core.lab import save as save_trained
from attention_core.models.catalogue import load_catalogue
from attention_core.models.loading import load_model
from attention_core.trace import AttentionTrace

pytestmark = pytest.mark.model
CAT = "The cat sat on the mat because it was tired"
Place = tuple[str, int, int, int, int]  # kind, layer, head, query, key


def printed(snippet: str) -> list:
    """What a snippet prints, a value a line, run on its own."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(snippet, "snippet", "exec"), {"__name__": "snippet", "__builtins__": builtins})
    return [ast.literal_eval(line) for line in said.getvalue().splitlines()]


def code(trace: AttentionTrace, request: TraceRequest | None, place: Place) -> dict[str, str]:
    kind, layer, head, query, key = place
    wanted = CodeParameters(kind=kind, layer=layer, head=head, query=query, key=key)
    return {one["step"]: one["snippet"] for one in code_document(trace, request, wanted)["steps"]}


def numbers(trace: AttentionTrace, found: Steps, key: int) -> dict[str, list]:
    """What the steps from the vectors to the sum are, as far as the head has them."""
    place = (str(found.kind), found.layer, found.head)
    keys, values = vectors(trace, *place, "key"), vectors(trace, *place, "value")
    there = {
        "project": [found.query_vector, keys[key]],
        "dot": [found.dots[key]],
        "scale": [found.scaled[key]],
        "mask": [found.allowed[key]],
        "softmax": [found.exponentials[key], found.weights[key]],
        "weigh": [found.weights[key] * values[key]],
        "sum": [found.output],
    }
    there |= {} if found.capped is None else {"cap": [found.capped[key]]}
    return there | ({} if found.bias is None else {"bias": [found.bias[key], found.scores[key]]})


def ends(found: Sublayer) -> dict[str, list]:
    return {
        "input": [found.query_input[:SHOWN], found.key_input[:SHOWN]],
        "join": [found.part[:SHOWN], found.joined[:SHOWN]],
    }


def same(said: list, expected: list[torch.Tensor]) -> None:
    assert len(said) == len(expected)
    for one, other in zip(said, expected, strict=True):
        torch.testing.assert_close(torch.tensor(one), other, rtol=1e-4, atol=1e-5)


def every_snippet_prints_its_numbers(request: TraceRequest, place: Place) -> None:
    model, example = open_model(request.model), Example(request.text, target=request.target)
    trace, found = capture(model, example), finish(sublayer(model, example, place[:3], *place[3:]))
    row = steps(trace, *place[:4])
    expected = numbers(trace, row, place[4]) | ends(found)
    snippets = code(trace, request, place)
    assert list(snippets) == [name for name in STEPS if name in expected]
    for step, snippet in snippets.items():
        same(printed(snippet), expected[step])


@pytest.mark.parametrize(
    ("model", "text", "place"),
    [
        ("minilm", CAT, ("encoder-self", 3, 1, 8, 2)),
        ("smollm2", "My favourite city is", ("decoder-self", 17, 4, 3, 1)),
        ("ko-en", "나는 학교에 갔다", ("cross", 1, 3, 2, 4)),
    ],
)
def test_every_snippet_prints_the_numbers_of_its_step(
    cache: Path, model: str, text: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_opened", dict(opening._opened))  # half a gigabyte must not stay for all other tests
    every_snippet_prints_its_numbers(TraceRequest(model=model, text=text), place)


def test_snippets_of_an_own_model_with_a_bias(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, "t5")
    (tmp_path / "t5").rename(tmp_path / "snippets-t5")
    monkeypatch.setenv("ATLAS_MODELS_DIR", str(tmp_path))
    request = TraceRequest(model="snippets-t5", text="w1 w2 w3 w4", target="w5 w6 w7")
    for place in (("decoder-self", 1, 0, 2, 1), ("cross", 0, 1, 1, 3)):
        every_snippet_prints_its_numbers(request, place)


def test_snippets_of_a_model_of_the_lab_run_on_its_unpacked_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name that it has on the server no other program knows."""
    trained = finish_training(train(LabChoices.of("reverse", steps=2, length=6, width=16)))
    save_trained(trained, tmp_path / "lab-reverse")
    monkeypatch.setenv("ATLAS_MODELS_DIR", str(tmp_path))
    monkeypatch.setattr(opening, "_opened", dict(opening._opened))
    name, place = "lab-0123456789abcdef", ("encoder-self", 0, 1, 2, 1)
    model = load_model(card_of(trained.choices, name, "r"), tmp_path / "lab-reverse")
    trace, request = capture(model, "a b c"), TraceRequest(model=name, text="a b c")
    found = finish(sublayer(model, Example("a b c"), place[:3], *place[3:]))
    expected = numbers(trace, steps(trace, *place[:4]), place[4]) | ends(found)
    for step, snippet in code(trace, request, place).items():
        assert f"/api/v1/models/{name}/file?as=zip" in snippet.splitlines()[0]
        same(printed(snippet), expected[step])


def test_a_masked_key_gets_nothing() -> None:
    trace = capture("induction", "owl fox owl")
    snippets = code(trace, TraceRequest(model="induction", text="owl fox owl"), ("decoder-self", 1, 0, 1, 3))
    assert printed(snippets["mask"]) == [False]
    assert printed(snippets["softmax"]) == [0.0, 0.0]
    assert printed(snippets["scale"])[0] != 0


def test_half_precision_is_told() -> None:
    trace, place = capture("induction", "owl fox owl"), ("decoder-self", 1, 0, 1, 1)
    half = replace(trace, provenance=replace(trace.provenance, dtype="bfloat16"))
    request = TraceRequest(model="induction", text="owl fox owl")
    usual = code(trace, request, place)
    for step, snippet in code(half, request, place).items():
        assert snippet == f"# The server computed in bfloat16, and this does in float32.\n{usual[step]}"
    lying = replace(trace, provenance=replace(trace.provenance, dtype="x\nimport os"))
    assert not any("import os" in snippet for snippet in code(lying, None, place).values())


# ---- whatever was asked for


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "minilm", "text": "A dog barked", "pair": "The dog ran"},
        {"model": "minilm", "text": "dog " * 600, "options": {"truncate": True}},
        {"model": "induction", "text": "owl fox owl", "options": {"off": ["decoder-self.0.3"], "off_with": "mean"}},
        {"model": "induction", "text": "owl fox owl", "options": {"what_if": ["temperature:2", "mask:none"]}},
        {"model": "induction", "text": "owl fox owl", "written": [5, 7]},
        {"model": "ko-en", "text": "나는 학교에 갔다", "target": "I went"},
        {"model": "shapes", "image": "sample"},
    ],
    ids=lambda asked: "-".join(asked),
)
def test_a_snippet_makes_the_very_trace(cache: Path, asked: dict) -> None:
    samples, image = load_catalogue().entry("shapes").samples, None
    if "image" in asked:
        asked = {**asked, "image": next(iter(samples))}
        image = decoded(samples[asked["image"]].read_bytes())
    request = TraceRequest(**asked)
    trace = capture_with(open_model(request.model), request, image)
    head, last = 3 if request.options.off else 1, trace.maps[-1].query_count - 1  # all that was read counts there
    place = (str(trace.kinds[-1]), int(not request.options.off), head, last, 1)
    row, snippets = steps(trace, *place[:4]), code(trace, request, place)
    same(printed(snippets["softmax"]), numbers(trace, row, 1)["softmax"])
    # What a head hands on is the trace's own, so that its part is what the model's projection makes of that.
    mixer: Any = open_model(request.model).outputs[place[:2]].module
    values = len(row.output)
    part = mixer.weight[:SHOWN, head * values : (head + 1) * values].detach() @ row.output
    if request.options.off:
        assert printed(snippets["join"])[0] != pytest.approx(part.tolist()), "its mean goes on in its place"
    else:
        same(printed(snippets["join"])[:1], [part])


def test_a_picture_of_somebodys_own_is_read_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = next(iter(load_catalogue().entry("shapes").samples.values()))
    image = decoded(sample.read_bytes())
    request = TraceRequest(model="shapes", image=image.id)
    trace = capture_with(open_model("shapes"), request, image)
    snippet = code(trace, request, ("encoder-self", 0, 0, 0, 3))["softmax"]
    assert snippet.startswith("from pathlib import Path\n\nimport torch\n\nfrom attention_core.capture import ")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "picture.png").write_bytes(sample.read_bytes())
    same(printed(snippet), numbers(trace, steps(trace, "encoder-self", 0, 0, 0), 3)["softmax"])


def test_a_trace_from_a_file_is_read_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "trace.safetensors"
    storage.save(capture("induction", "owl fox owl"), path)
    trace = storage.load(path)
    snippets = code(trace, None, ("decoder-self", 1, 2, 3, 1))
    monkeypatch.chdir(tmp_path)
    expected = numbers(trace, steps(trace, "decoder-self", 1, 2, 3), 1)
    for step, snippet in snippets.items():
        if step in ("input", "join"):
            assert all(line.startswith("#") for line in snippet.splitlines())
            continue
        assert 'load("trace.safetensors")' in snippet
        same(printed(snippet), expected[step])


def test_what_a_model_wrote_is_in_the_code_of_its_trace(serve, tmp_path: Path) -> None:
    with serve(cache=tmp_path, fetch_on_start=False) as client:
        wish = {"do": "generate", "model": "induction", "text": "owl fox owl", "most": 2}
        job = client.post("/api/v1/jobs", json=wish).json()
        end = events_in(client.get(f"/api/v1/jobs/{job['id']}/events").text)[-1][1]
        url = f"/api/v1/traces/{end['trace']}"
        asked = "layer=1&head=0&query=5"
        body = client.get(f"{url}/analyses/steps?{asked}").json()
        listed = {one["step"]: one["snippet"] for one in client.get(f"{url}/code?{asked}&key=2").json()["steps"]}
    assert len(end["written"]) == 2
    assert f"written={tuple(end['written'])!r}" in listed["softmax"]
    assert printed(listed["softmax"])[1] == pytest.approx(body["weights"][2], abs=1e-6)


def test_what_asked_for_a_trace_goes_with_it() -> None:
    trace, asked = capture("induction", "owl"), TraceRequest(model="induction", text="owl")
    held = TraceCache(trace.nbytes)
    held.put("first", trace, asked)
    assert held.asked("first") is asked
    held.put("second", trace)
    assert (held.get("first"), held.asked("first"), held.asked("second")) == (None, None, None)


HOSTILE = (
    "'); raise SystemExit('x') #",
    '"""\n\'\'\'\\',
    "\u202e{}{0}%s $$ \x00 </script>",
    "Example(load_catalogue() torch. import os",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_stranger_wrote_is_a_literal(cache: Path, text: str) -> None:
    trace, request = capture("minilm", text), TraceRequest(model="minilm", text=text)
    snippets = code(trace, request, ("encoder-self", 3, 1, 1, 0))
    for step, snippet in snippets.items():
        texts = [one.value for one in ast.walk(ast.parse(snippet)) if isinstance(one, ast.Constant)]
        assert text in texts, step
        calls = {ast.unparse(one.func) for one in ast.walk(ast.parse(snippet)) if isinstance(one, ast.Call)}
        assert not {"exec", "eval", "__import__", "SystemExit", "raise"} & calls
    same(printed(snippets["dot"]), [steps(trace, "encoder-self", 3, 1, 1).dots[0]])
