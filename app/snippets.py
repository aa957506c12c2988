"""The code of each step of attention: the lines of ours that compute it, and Python that prints its very numbers."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from app.calls import capture_call, example_call, is_of_lab, is_own
from app.documents import Document
from app.schemas import CodeParameters, TraceRequest

if TYPE_CHECKING:
    from attention_core.analysis.steps import Steps
    from attention_core.trace import AttentionTrace

FILE = "trace.safetensors"  # stands for the file of a trace that was opened
SHOWN = 8  # numbers that are printed of a vector as long as the model is wide
NOWHERE = (
    "# A trace file holds queries, keys and values: what they come from and what becomes of them, the model knows."
)
UNPACK = (
    "# This model was trained in the lab. Unpack /api/v1/models/{model}/file?as=zip of its server into a folder\n"
    "# that ATLAS_MODELS_DIR names: {name} it is called there."
)
Printed = tuple[str, list[str], list[str]]  # a step, the lines that compute it from what is there, what is printed


def code_document(trace: "AttentionTrace", request: TraceRequest | None, wanted: CodeParameters) -> Document:
    """What GET /traces/{id}/code replies; without a request the trace came from a file."""
    from attention_core.analysis.steps import factored, steps
    from attention_core.nn.lines import lines_of

    kind = str(trace.kinds[0]) if wanted.kind is None else wanted.kind
    found = steps(trace, kind, wanted.layer, wanted.head, wanted.query)
    factored(trace, kind, wanted.layer).allowed(wanted.query, wanted.key)  # raises for a key that is not there
    printed = snippets(trace, request, found, wanted.key)
    listed = []
    for step in found.names:
        read = lines_of(step, cross=found.kind == "cross", sink=found.sink is not None)
        place = {"step": step, "file": read.file, "function": read.function, "first": read.first}
        listed.append({**place, "lines": list(read.lines), "snippet": printed[step]})
    return {"steps": listed}


def snippets(trace: "AttentionTrace", request: TraceRequest | None, found: "Steps", key: int) -> Mapping[str, str]:
    """Python for each step, whole by itself, that prints the numbers of this query and key."""
    said = {"input": NOWHERE, "join": NOWHERE}
    of_lab = is_of_lab(trace.model.name)
    name = trace.model.title if of_lab else trace.model.name  # as its folder is called
    request = None if request is None else request.model_copy(update={"model": name})
    # Of a file nothing but numbers may stand in code: its words are somebody's.
    half = request is not None and trace.provenance.dtype != "float32"
    note = [f"# The server computed in {trace.provenance.dtype}, and this does in float32."] if half else []
    if request is not None and of_lab:
        note.append(UNPACK.format(model=trace.model.name, name=name))
    chain = [f'one = trace.map("{found.kind}", {found.layer})']
    for step, lines, shown in _computed(found, key):
        chain += lines
        begun = _trace_lines(request, torch=any("torch." in line for line in chain))
        said[step] = "\n".join([*note, *begun, *chain, *(f"print({one})" for one in shown)])
    if request is not None:
        begun = _sublayer_lines(_as_read(trace, request), found, key)
        for step, names in (("input", ("query_input", "key_input")), ("join", ("part", "joined"))):
            said[step] = "\n".join([*note, *begun, *(f"print(found.{name}[:{SHOWN}].tolist())" for name in names)])
    return said


def _computed(found: "Steps", key: int) -> Iterator[Printed]:
    """The steps from the vectors to the sum, each computed from what the one before it left."""
    head, query, group = found.head, found.query, found.group
    yield (
        "project",
        [
            f"query = one.query_vectors[{head}, {query}].float()  # (dim)",
            f"keys = one.key_vectors[{group}].float()  # (key, dim)",
        ],
        ["query.tolist()", f"keys[{key}].tolist()"],
    )
    yield "dot", [], [f"(query * keys[{key}]).sum().item()"]
    yield "scale", ["scores = keys @ query * one.scale  # (key)"], [f"scores[{key}].item()"]
    if found.cap is not None:
        capped = "scores = one.soft_cap * torch.tanh(scores / one.soft_cap)  # (key)"
        yield "cap", [capped], [f"scores[{key}].item()"]
    if found.bias is not None:
        added = [f"bias = one.biases({head}, {query})[0, 0]  # (key)", "scores = scores + bias  # (key)"]
        yield "bias", added, [f"bias[{key}].item()", f"scores[{key}].item()"]
    allowed = [
        f"allowed = one.allowed({query})[0]  # (key)",
        "scores = scores.masked_fill(~allowed, -torch.inf)  # (key)",
    ]
    yield "mask", allowed, [f"allowed[{key}].item()"]
    yield "softmax", _softmax_lines(found), [f"exponentials[{key}].item()", f"weights[{key}].item()"]
    values = f"values = one.value_vectors[{group}].float()  # (key, value_dim)"
    yield "weigh", [values], [f"(weights[{key}] * values[{key}]).tolist()"]
    yield "sum", ["output = weights @ values  # (value_dim)"], ["output.tolist()"]


def _softmax_lines(found: "Steps") -> list[str]:
    if found.peak is None:
        nothing = "exponentials = weights = torch.zeros_like(scores)  # (key); this query may look at nothing"
        return [nothing]
    if found.sink is None:
        total = "weights = exponentials / exponentials.sum()  # (key)"
        return ["exponentials = torch.exp(scores - scores.max())  # (key)", total]
    return [
        f"sink = one.sink[{found.head}].float()",
        "peak = torch.maximum(scores.max(), sink)",
        "exponentials = torch.exp(scores - peak)  # (key)",
        "weights = exponentials / (exponentials.sum() + torch.exp(sink - peak))  # (key)",
    ]


def _trace_lines(request: TraceRequest | None, *, torch: bool) -> list[str]:
    """Python whose `trace` is the trace: made again, or read from its file."""
    others = ["import torch", ""] if torch else []
    if request is None:
        read = f'trace = load("{FILE}")  # the file that this trace was opened from'
        return [*others, "from attention_core.storage import load", "", read]
    call = capture_call(request)
    return [*_imports(request, call, "capture", others), "", f"trace = {call}"]


def _sublayer_lines(request: TraceRequest, found: "Steps", key: int) -> list[str]:
    """Python whose `found` is what goes into the attention and comes out of it."""
    example = example_call(request, bare=False)
    place = (str(found.kind), found.layer, found.head)
    return [
        *_imports(request, example, "open_model", []),
        "from attention_core.experiments.running import finish",
        "from attention_core.experiments.sublayer import sublayer",
        "",
        f"model = open_model({request.model!r})",
        f"example = {example}",
        f"found = finish(sublayer(model, example, {place!r}, {found.query}, {key}))",
    ]


def _imports(request: TraceRequest, call: str, name: str, others: list[str]) -> list[str]:
    """The imports of a call, `others` in their place among them."""
    own = bool(request.image) and is_own(str(request.image))
    lines = ["from pathlib import Path", "", *others] if own else others
    names = f"Example, {name}" if "Example(" in call else name
    lines = [*lines, f"from attention_core.capture import {names}"]
    if request.image and not own:
        lines.append("from attention_core.models.catalogue import load_catalogue")
    return [*lines, "from attention_core.pictures import read_picture"] if request.image else lines


def _as_read(trace: "AttentionTrace", request: TraceRequest) -> TraceRequest:
    """The request with its texts as far as the model read them."""
    read = {"text": trace.source, "target": trace.target}
    cut = {name: one.text[: one.cut] for name, one in read.items() if one is not None and one.cut is not None}
    return request.model_copy(update=cut)
