"""The page that works offline: what it answers is what the library computes, its size, its limit, hostile texts."""

import base64
import json
import re
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch

from attention_core.capture import capture
from attention_core.errors import NotAvailableError, PageTooLongError
from attention_core.figures.page import MOST_TOKENS, Opening, estimated_bytes, offline_page
from attention_core.looking import look
from attention_core.models.examples import Example

ROOT = Path(__file__).parents[2]
LONG = " ".join(["The cat sat on the mat because it was tired of the rain and the wind"] * 4)
NODE = """
import { readFileSync } from "node:fs";
import { createOffline } from "ROOT/static/js/lib/offline.js";
import { readNpy } from "ROOT/static/js/lib/npy.js";
import { carriedBytes, carriedJson } from "ROOT/static/js/lib/carried.js";
const page = readFileSync(process.argv[1], "utf8");
const getElementById = (id) => ({ textContent: page.match(new RegExp(`id="${id}">([^<]*)<`))[1] });
const { documents } = await carriedJson({ getElementById }, "data");
const read = (what) => async (kind) => readNpy(await carriedBytes({ getElementById }, `${what}-${kind}`));
const problemOf = (found) => new Error(found.type);
const api = createOffline({ documents, weights: read("weights"), norms: read("norms"), problemOf });
const asked = JSON.parse(readFileSync(0, "utf8"));
const answers = [];
for (const [name, query] of asked) {
  const { shape, data } = readNpy(await api[name]("offline", query));
  answers.push([shape, Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64")]);
}
console.log(JSON.stringify(answers));
"""


def answers(page: bytes, folder: Path, asked):
    """What the page's own modules answer, as arrays."""
    path = folder / "page.html"
    path.write_bytes(page)
    node = ["node", "--input-type=module", "-e", NODE.replace("ROOT", str(ROOT)), str(path)]
    done = subprocess.run(node, input=json.dumps(asked), capture_output=True, text=True, check=True)
    types = [np.uint8 if name == "thumbnails" else np.float32 for name, _ in asked]
    return [
        np.frombuffer(base64.b64decode(data), dtype).reshape(shape)
        for (shape, data), dtype in zip(json.loads(done.stdout), types, strict=True)
    ]


def stacked(rows):
    return torch.stack(list(rows)).numpy()


@pytest.fixture(scope="module")
def sentence(minilm_folder):
    return capture("minilm", "The cat sat on the mat because it was tired")


@pytest.fixture(scope="module")
def pair(minilm_folder):
    return capture("minilm", Example("The unbelievable cat sat", pair="It was tired of mewing"))


@pytest.fixture(scope="module")
def translation():
    return capture("ko-en", "나는 학교에 갔다")


@pytest.mark.parametrize("which", ["pair", "translation"])
def test_every_look_is_computed_as_the_library_does(which, request, tmp_path):
    trace = request.getfixturevalue(which)
    segments = ("all", "AA", "AB", "BA", "BB") if which == "pair" else ("all",)
    looks = [
        {"words": words, "special": special, "segments": part, "measure": measure}
        for words in (False, True)
        for special in ("show", "hide", "renormalise")
        for part in segments
        for measure in ("weight", "norm")
        if measure == "weight" or (words and special == "renormalise")
    ]
    asked, expected = [], []
    for choice in looks:
        shown = look(trace, **choice)
        for kind in shown.kinds:
            maps = shown.maps_of(kind)
            query = {"kind": str(kind), **{name: int(v) if v in (True, False) else v for name, v in choice.items()}}
            asked += [["weights", {**query, "layer": len(maps) - 1}], ["weights", {**query, "layer": 0, "head": 1}]]
            expected += [maps[-1].weights().numpy(), maps[0].weights(1)[0].numpy()]
            asked.append(["thumbnails", {**query, "size": 4}])
            small = stacked(one.overview(None, 4) for one in maps)
            expected.append(np.round(255 * np.sqrt(np.clip(small, 0, 1))))
            if choice["special"] != "show":
                asked.append(["removed", {**query, "layer": 1}])
                expected.append(maps[1].removed().numpy())
    found = answers(offline_page(trace), tmp_path, asked)
    for (name, query), got, wanted in zip(asked, found, expected, strict=True):
        assert got.shape == wanted.shape, (name, query)
        # A byte may fall on the other side of a half.
        tolerance = 1 if name == "thumbnails" else 2e-6
        assert np.abs(got.astype(float) - wanted).max() <= tolerance, (name, query)


def test_windows_and_lengths_are_the_traces_own(sentence, tmp_path):
    [one] = sentence.kinds
    window = {"kind": str(one), "layer": 3, "head": 1, "queries": "9:10", "keys": "2:5"}
    row, norms = answers(offline_page(sentence), tmp_path, [["weights", window], ["valueNorms", {"kind": str(one)}]])
    assert np.abs(row - sentence.map(one, 3).weights(1, slice(9, 10), slice(2, 5))[0].numpy()).max() < 1e-7
    assert np.array_equal(norms, stacked(m.value_norms for m in sentence.maps))


def test_sixty_four_tokens_of_minilm_fit_into_six_megabytes(minilm_folder):
    trace = capture("minilm", " ".join(LONG.split()[:62]))
    assert len(trace.source) == 64
    page = offline_page(trace)
    assert len(page) < 6_000_000
    assert abs(estimated_bytes(trace) / len(page) - 1) < 0.1


def test_a_long_text_is_refused_with_the_size_it_would_have(minilm_folder):
    trace = capture("minilm", " ".join([LONG] * 4))
    with pytest.raises(PageTooLongError) as refused:
        offline_page(trace)
    facts = refused.value.facts
    assert (facts["count"], facts["limit"]) == (len(trace.source), MOST_TOKENS)
    weights = 6 * 12 * len(trace.source) ** 2 * 4  # bytes; packed, a third more and a tenth less
    assert weights < facts["megabytes"] * 1e6 < 1.5 * weights + 4e6
    assert f"{facts['megabytes']} MB" in str(refused.value)


def test_a_trace_that_is_looked_at_is_refused(sentence):
    with pytest.raises(NotAvailableError, match="the original"):
        offline_page(look(sentence, words=True))


class Tags(HTMLParser):
    """What a browser would see: the elements with their attributes, and the text outside of scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, [name for name, _ in attrs]))


def elements(page: bytes):
    tags = Tags()
    tags.feed(page.decode())
    return tags.elements


HOSTILE = "</script><script>alert(1)</script> <!-- <b>x</b> \u2028 ]]> ' \" &lt; {{ 7 * 7 }}"


def test_a_hostile_text_changes_nothing_but_the_title(sentence, minilm_folder):
    opening = Opening(search="?view=</script><b>", language="ko", theme="dark")
    hostile = offline_page(capture("minilm", HOSTILE), opening)
    harmless = offline_page(sentence, Opening(language="ko", theme="dark"))
    assert elements(hostile) == elements(harmless)
    assert re.findall("<title>(.*)</title>", hostile.decode())[0].startswith("&lt;/script&gt;&lt;script&gt;alert(1)")


def test_its_policy_lets_it_reach_nothing(sentence):
    page = offline_page(sentence).decode()
    [content] = re.findall('Policy" content="([^"]*)"', page)
    policy = dict(part.strip().split(" ", 1) for part in unescape(content).split(";"))
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in policy["script-src"]
    allowed = {source for sources in policy.values() for source in sources.split()}
    assert {source for source in allowed if not source.startswith("'")} == {"data:", "blob:"}
    # Nothing to be loaded from anywhere: every address in the markup is inside the page.
    assert not re.findall(r'(?:src|href)="(?!data:)', page.replace("svg:", ""))


def test_the_same_trace_is_the_same_file(sentence):
    assert offline_page(sentence) == offline_page(sentence)
