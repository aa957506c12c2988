"""The address in Python is the page's: both read and write the same, whatever stands in it; and what strict refuses."""

import json
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.address import (
    FORMS,
    Address,
    create_starts,
    encoded,
    format_address,
    load_examples,
    read_address,
)
from app.problems import ProblemError

ROOT = Path(__file__).parents[2]
STARTS = create_starts(load_examples(), "minilm")
CAT = "The cat sat on the mat because it was tired"
NODE = """
import { createStarts, format, parse, PARAMETERS } from "ROOT/static/js/state.js";
const { examples, queries } = JSON.parse(await new Promise((done) => {
  let all = ""; process.stdin.setEncoding("utf8");
  process.stdin.on("data", (part) => (all += part)).on("end", () => done(all));
}));
const startOf = createStarts(examples, "minilm");
const states = queries.map((query) => parse(query, startOf));
const answers = states.map((state) => [state, format(state, startOf)]);
console.log(JSON.stringify({ names: Object.keys(PARAMETERS), answers }));
"""

GOOD = {
    "text": [CAT, "나는 학교에 갔다", "a&b=c#d?e+f %41~*", " x ", "0"], "pair": ["I went", "\u0085"],
    "target": ["I went"], "image": ["three-blue-stars-bottom-left", "5f2b" * 10], "trace": ["file-" + "0af9" * 10],
    "model": ["minilm", "ko-en", "shapes", "e5-multilingual", "smollm2", "unheard.of-1"], "rev": ["0123456789ab"],
    "kind": ["encoder-self", "cross"], "tool": ["link"], "rivals": ["0", "5,9,5"], "sort": ["entropy"],
    "mark": ["sink"], "versus": ["other"], "versus_model": ["e5"], "view": ["lines", "difference"],
    "step": ["cap", "join"],
    "measure": ["norm", "weight"], "scale": ["log"], "range": ["unit", "head"], "queries": ["0:5", "007:12"],
    "keys": ["3:1000000"], "words": ["1"],
    "special": ["hide", "show"], "segments": ["AB"],
    "off": ["cross.1.2,cross.1.2", "encoder-self.0.0,decoder-self.11.40"],
    "how": ["mean"], "truncate": ["1"], "written": ["12.0.48000"], "chat": ["1"], "scan": ["1"], "tokens": ["1", "64"],
    "method": ["sample"], "temperature": ["0.05", "0.7", "1", "1.0", "5", "02.5"], "topk": ["50", "1000"],
    "seed": ["4294967295", "0"], "theme": ["dark"], "lang": ["ko"],
}  # fmt: skip
NUMBERS = ["0", "1", "8", "007", "1000000", "1000001", "12345678", "-1", "1.5", "x", "", "１"]
BAD = [
    "", " ", "\u3000\ufeff", "null", "-1", "1e3", "5:5", "9:3", "a:b", "1:2:3", "0.3", "cross.01.2", "1..2", "1.\n",
    "1\n", "minilm\n", "../etc", "<b>", "5.01", "0", "0.001", "true", "file-0", "2," * 17 + "2", "1." * 256 + "1",
    "9999999999", ",".join(f"cross.{i}.0" for i in range(401)), "\ud800", "%", "%zz", "%EA%B0", "\x1c", "\x00",
]  # fmt: skip
names = st.sampled_from([*FORMS, "nonsense", "__proto__", "Layer"])


@st.composite
def parts(draw):
    name = draw(names)
    good = st.sampled_from(GOOD.get(name, NUMBERS))
    value = draw(st.one_of(good, good, good, st.sampled_from(BAD), st.text(max_size=8)))
    return draw(st.sampled_from([encoded([(name, value)])] * 4 + [f"{name}={value}", name, f"&{name}={value}&"]))


def generated(count: int) -> list[str]:
    """Query strings: each value of the lists by itself, and parts of all kinds together."""
    found = [encoded([("text", "a"), (name, value)]) for name in FORMS for value in [*GOOD.get(name, NUMBERS), *BAD]]

    @settings(max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.lists(parts(), min_size=2, max_size=9), st.sampled_from(["", "?", "??"]))
    def collect(some, begin):
        found.append(begin + "&".join(some))

    collect()
    return found


def test_python_and_the_page_read_and_write_the_same_address():
    queries = generated(300)
    asked = json.dumps({"examples": load_examples(), "queries": queries})
    script = NODE.replace("ROOT", ROOT.as_uri())
    node = ["node", "--input-type=module", "-e", script]
    answer = json.loads(subprocess.run(node, input=asked, capture_output=True, text=True, check=True, cwd=ROOT).stdout)
    assert answer["names"] == list(FORMS)
    for query, (state, written) in zip(queries, answer["answers"], strict=True):
        address = read_address(query, STARTS)
        assert json.loads(json.dumps(asdict(address))) == state, query
        assert format_address(address, STARTS) == written, query
        assert read_address(written, STARTS) == address, query
    # The batch would prove little if most of it fell back on the examples.
    assert len({written for _, written in answer["answers"]}) > 250


def test_without_a_text_the_models_first_example_is_meant():
    start = read_address("", STARTS)
    assert (start.model, start.text, start.layer, start.head, start.query, start.key) == ("minilm", CAT, 3, 1, 8, 2)
    assert format_address(start, STARTS) == ""
    assert read_address("?model=shapes", STARTS).image == "three-blue-stars-bottom-left"
    other = read_address("?text=hello", STARTS)
    assert (other.layer, other.head, other.query) == (0, 0, None)
    assert format_address(replace(start, layer=0, head=0, special="hide"), STARTS).startswith("?text=The+cat")


def refusal(query: str) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        read_address(query, STARTS, strict=True)
    return caught.value


def test_strictly_every_bad_value_is_named_with_what_would_be_accepted():
    problem = refusal("layer=-1&head=1&scale=cube&text=+&queries=5:5&layer=2")
    assert problem.code == "invalid-request"
    said = str(problem)
    assert "layer: '-1' is none; accepted: a whole number from 0 to 1000000" in said
    assert "scale: 'cube' is none; accepted: linear, sqrt, log" in said
    assert "text: " in said
    assert "queries: '5:5'" in said
    assert "layer: is given twice" in said
    assert "head" not in said
    unknown = refusal("layer=1&layr=2")
    assert unknown.code == "unknown-parameter"
    assert unknown.facts["accepted"] == list(FORMS)
    # What a page writes is good strictly as well.
    whole = "?text=a%26b&layer=2&off=cross.1.2&temperature=0.7&queries=0%3A5&words=1&theme=dark"
    for query in ("", "?model=ko-en", whole):
        assert read_address(query, STARTS, strict=True) == read_address(query, STARTS)


def test_every_fallback_is_a_value_that_the_address_could_say():
    for name, form in FORMS.items():
        assert form.accepted
        assert form.schema
        usual = getattr(Address(), name)
        assert usual in (None, False) or form.read(form.write(usual)) == usual, name
