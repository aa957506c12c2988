"""Trace files from anybody: what was saved comes back, and every way of lying is refused before it can be shown."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from safetensors.torch import load as read_tensors

from attention_core import storage
from attention_core.errors import TraceError
from attention_core.maps import FactoredMap, Kind, RelativeBias
from attention_core.masks import CausalMask, SlidingWindowMask
from attention_core.models.card import ModelCard
from attention_core.predictions import Candidate, Prediction, Predictions
from attention_core.tokens import Tokens
from attention_core.trace import AttentionTrace, Notice, Provenance

CARD = ModelCard("toy", "Toy", "Toy model", "toy", ("decoder-self",), ("en",), 2, 2, 64, "exact", "MIT", "0")
COUNT = 4


def a_trace() -> AttentionTrace:
    torch.manual_seed(5)
    tokens = Tokens(
        text="x고 c", ids=(0, 5, 6, 7), pieces=("<s>", "x", "고", "c"), texts=("<s>", "x", "고", "c"),
        spans=(None, (0, 1), (1, 2), (3, 4)), special=(True, False, False, False), words=(None, 0, 0, 1),
        segment=("A",) * COUNT,
    )  # fmt: skip
    maps = tuple(
        FactoredMap(
            kind=Kind.DECODER_SELF, layer=layer, mask=CausalMask() & SlidingWindowMask(3), scale=0.5, soft_cap=20.0,
            **{f"{name}_vectors": torch.randn(2, COUNT, 3) for name in ("query", "key", "value")},
            value_norms=torch.rand(2, COUNT), sink=torch.randn(2),
            bias=RelativeBias(by_distance=torch.randn(2, 2 * COUNT - 1), query_count=COUNT),
        )
        for layer in range(2)
    )  # fmt: skip
    said = Prediction((Candidate("a", 0.75),), position=0, actual=Candidate("b", 0.25))
    return AttentionTrace(
        CARD, tokens, None, maps, Provenance("in-house", "float32", "cpu", 0.1, 1e-7, 1e-5, {"torch": "2"}),
        notices=(Notice("truncated", {"kept": 3}),), predictions=Predictions("next-token", (said,)),
        predictions_note="", off=("decoder-self.0.1",), written=1,
    )  # fmt: skip


GOOD = storage.to_bytes(a_trace())


def header_of(data: bytes) -> dict[str, Any]:
    return json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])


def tensors_of(data: bytes) -> bytes:
    return data[8 + int.from_bytes(data[:8], "little") :]


def spelled(header: str | bytes, tensors: bytes) -> bytes:
    raw = header.encode("utf-8", "surrogatepass") if isinstance(header, str) else header
    return len(raw).to_bytes(8, "little") + raw + tensors


def with_header(change: Callable[[dict[str, Any]], Any], tensors: bytes | None = None) -> bytes:
    header = header_of(GOOD)
    change(header)
    return spelled(json.dumps(header), tensors_of(GOOD) if tensors is None else tensors)


def with_document(change: Callable[[dict[str, Any]], Any]) -> bytes:
    document = json.loads(header_of(GOOD)["__metadata__"]["trace"])
    change(document)
    return with_text(json.dumps(document))


def with_text(text: str) -> bytes:
    return with_header(lambda header: header["__metadata__"].update(trace=text))


def with_tensor(part: str, change: Callable[[torch.Tensor], torch.Tensor]) -> bytes:
    """The file with another tensor in the place of a part of the first map."""
    from safetensors.torch import save

    document = json.loads(header_of(GOOD)["__metadata__"]["trace"])
    one = document["maps"][0]
    name = one["bias"]["by_distance"] if part == "bias" else one[part]
    stored = read_tensors(GOOD)
    return save({**stored, name: change(stored[name]).contiguous()}, metadata={"trace": json.dumps(document)})


def filled(value: float) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda tensor: torch.full_like(tensor, value)


def test_a_file_comes_back_as_it_was_but_for_the_trust() -> None:
    trace, again = a_trace(), storage.from_bytes(GOOD)
    assert trace.provenance.checked
    assert not again.provenance.checked
    assert again.source == trace.source
    for one, other in zip(trace.maps, again.maps, strict=True):
        torch.testing.assert_close(other.weights(), one.weights())
    assert storage.to_bytes(again) == GOOD


def test_a_file_that_says_it_was_checked_is_not_believed() -> None:
    said = with_document(lambda document: document["provenance"].update(checked=True))
    assert not storage.from_bytes(said).provenance.checked


def test_characters_that_control_the_line_are_named_in_labels() -> None:
    turned = with_document(lambda document: document["source"]["texts"].__setitem__(1, "a\u202eb\n"))
    assert storage.from_bytes(turned).source.texts[1] == "a<U+202E>b⏎"


def tensor_name(part: str) -> str:
    return json.loads(header_of(GOOD)["__metadata__"]["trace"])["maps"][0][part]


def lie(part: str, **changes: Any) -> bytes:
    return with_header(lambda header: header[tensor_name(part)].update(changes))


def with_more(form: str, shape: list[int], data: bytes) -> bytes:
    tensors = tensors_of(GOOD)
    place = [len(tensors), len(tensors) + len(data)]
    return with_header(lambda h: h.update(z={"dtype": form, "shape": shape, "data_offsets": place}), tensors + data)


def twice(header: dict[str, Any]) -> str:
    text = json.dumps(header)
    return '{"__metadata__":{},' + text[1:]


HEADERS = {
    "nothing": (b"", "cut short"),
    "a header longer than the file": ((1 << 40).to_bytes(8, "little") + GOOD[8:], "cut short"),
    "a header of the largest number": (b"\xff" * 8 + GOOD[8:], "cut short"),
    "a header too long to be read": (spelled(b" " * (storage.HEADER_BYTES + 1), b""), "accepted: at most"),
    "no JSON": (spelled("{", b""), "Expecting|damaged"),
    "bytes that are no text": (spelled(b'{"\xff": 1}', b""), "damaged"),
    "a list": (spelled("[]", b""), "no object"),
    "a nest": (spelled("[" * 200_000, b""), "damaged"),
    "a name twice": (spelled(twice(header_of(GOOD)), tensors_of(GOOD)), "stands there twice"),
    "metadata that are no texts": (with_header(lambda header: header.update(__metadata__={"trace": 1})), "no texts"),
    "no trace": (with_header(lambda header: header.update(__metadata__={})), "holds no trace"),
    "tensors cut short": (GOOD[:-1], "cut short"),
    "something behind the tensors": (GOOD + b"x", "cut short"),
    "a shape larger than its bytes": (lie("query", shape=[2, COUNT, 1000]), "does not fit together"),
    "a giant shape": (lie("query", shape=[1 << 61, 1 << 61]), "does not fit together"),
    "a negative shape": (lie("query", shape=[-2, -COUNT, 3]), "does not fit together"),
    "a shape of halves": (lie("query", shape=[2.5, COUNT, 3]), "does not fit together"),
    "a tensor of many axes": (lie("query", shape=[1] * 400_000), "does not fit together"),
    "another format": (lie("query", dtype="I32"), "of the format I32; accepted: F64"),
    "no format": (lie("query", dtype="pickle"), "does not fit together"),
    "overlapping tensors": (
        lie("query", data_offsets=header_of(GOOD)[tensor_name("key")]["data_offsets"]), "does not begin where",
    ),
    "a tensor outside the file": (lie("query", data_offsets=[1 << 50, (1 << 50) + 96]), "does not begin where"),
    "a tensor of nothing": (with_more("F32", [0, 9], b""), "is empty"),
    "a tensor for nothing": (with_more("U8", [4], b"1234"), "belongs to nothing"),
}  # fmt: skip


@pytest.mark.parametrize("attack", HEADERS)
def test_a_header_that_lies_is_refused(attack: str) -> None:
    data, sentence = HEADERS[attack]
    with pytest.raises(TraceError, match=sentence):
        storage.from_bytes(data)


TENSORS = {
    "not a number": ("query", filled(torch.nan), "not finite"),
    "infinite": ("value", filled(torch.inf), "not finite"),
    "finite, and its products are not": ("key", filled(1e30), "not be finite"),
    "numbers that only 64 bits hold": ("query", lambda t: torch.full(t.shape, 1e300, dtype=torch.float64), "finite"),
    "no vectors": ("query", lambda t: t.flatten(), "needs .head, position, dim. vectors"),
    "another length": ("key", lambda t: t[:, :-1], "do not fit one another"),
    "bytes": ("key", lambda t: torch.ones(t.shape, dtype=torch.uint8), "no numbers of attention"),
    "a bias without end": ("bias", filled(torch.inf), "not be finite"),
    "a bias of another length": ("bias", lambda t: t[:, 1:], "bias by distance"),
    "a sink that is no number": ("sink", filled(torch.nan), "not be finite"),
    "a sink for another head": ("sink", lambda t: torch.zeros(3), "one score a head"),
    "negative norms": ("value_norms", filled(-1.0), "negative or not finite"),
}


@pytest.mark.parametrize("attack", TENSORS)
def test_tensors_that_would_show_no_numbers_are_refused(attack: str) -> None:
    part, change, sentence = TENSORS[attack]
    with pytest.raises(TraceError, match=sentence):
        storage.from_bytes(with_tensor(part, change))


def setting(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = to

    return change


FULL = {"mask": "full"}
NESTED = {"mask": "all-of", "parts": [{"mask": "all-of", "parts": []}] * 2}
FIELDS = {
    "a format of tomorrow": (setting("format", to="attention-atlas-trace-99"), "not of the format"),
    "a text that is none": (setting("source", "text", to=7), r"source.text is int; accepted: a text"),
    "half a surrogate pair": (setting("source", "texts", 1, to="\ud800"), "half of a surrogate pair"),
    "half a surrogate pair as a title": (setting("model", "full_title", to="\udfff"), "half of a surrogate pair"),
    "an id that is no number": (setting("source", "ids", 1, to="5"), "a whole number"),
    "an id that is a truth": (setting("source", "ids", 1, to=True), "a whole number"),
    "an id beyond 2^53": (setting("source", "ids", 1, to=2**60), "a whole number up to"),
    "a negative id": (setting("source", "ids", 1, to=-1), "negative"),
    "a token too few": (setting("source", "pieces", to=["x"]), "one entry a token"),
    "a span outside the text": (setting("source", "spans", 3, to=[3, 5]), "a text of 4 characters"),
    "a span backwards": (setting("source", "spans", 3, to=[3, 2]), "a range of the text"),
    "a span of three": (setting("source", "spans", 3, to=[3, 4, 5]), "a list of 2"),
    "a third segment": (setting("source", "segment", 0, to="C"), "A or B"),
    "a token as long as a book": (setting("source", "pieces", 1, to="x" * 10_001), "more than 10000 characters"),
    "words merged": (setting("source", "positions", to=[[0], [1], [2], [3]]), "merged already"),
    "a scale without end": (setting("maps", 0, "scale", to=float("inf")), "finite"),
    "a scale that is no number": (setting("maps", 0, "scale", to=float("nan")), "finite"),
    "a scale that overflows": (setting("maps", 0, "scale", to=1e35), "not be finite"),
    "a cap of nothing": (setting("maps", 0, "soft_cap", to=0.0), "not be finite"),
    "a layer twice": (setting("maps", 1, "layer", to=0), "not 0 to 1 in order"),
    "a kind that is none": (setting("maps", 0, "kind", to="eval"), "eval"),
    "no maps": (setting("maps", to=[]), "without attention"),
    "maps of the same tensors": (lambda d: d["maps"].__setitem__(1, {**d["maps"][0], "layer": 1}), "the same tensor"),
    "a tensor that is not there": (setting("maps", 0, "key", to="tensor.99"), "has no tensor"),
    "a tensor's name that is a list": (setting("maps", 0, "key", to=["tensor.0"]), "has no tensor"),
    "a mask beyond all positions": (setting("maps", 0, "mask", to={"mask": "causal", "offset": 2**70}), "mask"),
    "a mask of a fraction": (setting("maps", 0, "mask", to={"mask": "causal", "offset": 1e400}), "mask"),
    "a mask of no parts": (setting("maps", 0, "mask", to={"mask": "all-of", "parts": []}), "2 to 8 plain parts"),
    "a mask of very many": (setting("maps", 0, "mask", to={"mask": "all-of", "parts": [FULL] * 9}), "8 plain"),
    "masks in masks": (setting("maps", 0, "mask", to=NESTED), "plain parts"),
    "a mask of another size": (
        lambda d: d["maps"][0].update(mask={"mask": "padding"}, mask_tensors={"real": d["maps"][0]["sink"]}),
        "boolean vector",
    ),
    "a bias counted wrongly": (setting("maps", 0, "bias", "query_count", to=5), "bias by distance"),
    "a probability of two": (setting("predictions", "at", 0, "candidates", 0, "probability", to=2), "outside 0 to 1"),
    "a probability that is none": (
        setting("predictions", "at", 0, "candidates", 0, "probability", to=float("nan")), "finite",
    ),
    "a prediction nowhere": (setting("predictions", "at", 0, "position", to=9), "not one of the 4"),
    "a task of its own": (setting("predictions", "task", to="<b>"), "next-token"),
    "a head that is none": (setting("off", to=["decoder-self.0.1", "<script>"]), "names no head"),
    "a head that it does not have": (setting("off", to=["decoder-self.0.999"]), "names no head of this trace"),
    "a head off twice": (setting("off", to=["decoder-self.0.1"] * 9), "off twice"),
    "a title as long as a book": (setting("model", "title", to="x" * 201), "more than 200 characters"),
    "a fact that hides the code": (setting("notices", 0, "facts", to={"code": "x"}), "names no fact"),
    "a language that is none": (setting("notices", 0, "facts", to={"language": "<b>"}), "names no fact"),
    "a count that is a text": (setting("notices", 0, "facts", to={"kept": "many"}), "names no fact"),
    "a fact that is a list": (setting("notices", 0, "facts", to={"kept": [1]}), "notices.facts"),
    "more written than there is": (setting("written", to=4), "wrote no 4"),
    "seconds without end": (setting("provenance", "seconds", to=float("inf")), "finite"),
    "a version that is no text": (setting("provenance", "versions", to={"torch": 2}), "a text"),
    "a field that nobody knows": (setting("provenance", "__class__", to="x"), "no field '__class__'"),
    "a field too few": (lambda document: document["model"].pop("revision"), "revision"),
    "a precision of its own": (setting("model", "precision", to="perfect"), "exact or quantised"),
    "an empty document": (lambda document: document.clear(), "not of the format"),
    "half a document": (lambda document: document.pop("maps"), "damaged.*maps"),
}  # fmt: skip


@pytest.mark.parametrize("attack", FIELDS)
def test_a_field_that_lies_is_refused(attack: str) -> None:
    change, sentence = FIELDS[attack]
    with pytest.raises(TraceError, match=sentence):
        storage.from_bytes(with_document(change))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"format": "x", "format": "attention-atlas-trace-2"}', "1" * 5000])
def test_json_in_json_is_read_as_carefully(text: str) -> None:
    with pytest.raises(TraceError, match=r"damaged|not of the format"):
        storage.from_bytes(with_text(text))


def test_no_cut_and_no_single_byte_makes_anything_but_a_trace_or_a_refusal() -> None:
    """Of a file with one byte changed, what still opens answers with numbers that are finite."""
    chosen = torch.Generator().manual_seed(11)
    places = torch.randint(0, len(GOOD), (150,), generator=chosen).tolist()
    values = torch.randint(0, 256, (150,), generator=chosen).tolist()
    opened = 0
    for place, value in zip(places, values, strict=True):
        try:
            trace = storage.from_bytes(GOOD[:place] + bytes([value]) + GOOD[place + 1 :])
        except TraceError:
            continue
        opened += 1
        assert all(torch.isfinite(one.weights()).all() for one in trace.maps)
    assert opened < 150


def test_a_refusal_quotes_little_of_the_file() -> None:
    data = with_document(setting("source", "segment", 0, to="C" * 100_000))
    with pytest.raises(TraceError) as caught:
        storage.from_bytes(data)
    assert len(str(caught.value)) < 400
    assert re.search(r"accepted: A or B", str(caught.value))
