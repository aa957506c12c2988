"""What a model said about an example, read from the scores of its last pass."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from attention_core.capture.run import LAST_ROWS, Logits, Run
from attention_core.models.examples import Encoded, TextReader
from attention_core.models.loading import LoadedModel
from attention_core.predictions import Candidate, Prediction, Predictions, Task
from attention_core.tokens import Tokens

CANDIDATES = 5
_BLOCK = 64  # rows whose scores over the whole vocabulary are in memory at once
MASKS = ("[MASK]", "<mask>")


def predict(model: LoadedModel, encoded: Encoded, run: Run) -> tuple[Predictions | None, str]:
    """The predictions, or None with a code that says why there are none: "no-head", "no-mask"."""
    if run.logits is None:
        return None, "no-head"
    if encoded.picture is not None:
        return Predictions("classes", _classes(run.logits(slice(0, 1)), model.labels)), ""
    if encoded.target is not None and encoded.decoder_input is not None:
        return _words("translation", model.reader, run.logits, encoded.target, range(len(encoded.target))), ""
    source = encoded.source
    if "decoder-self" in {one.kind for one in run.maps}:
        return _words("next-token", model.reader, run.logits, _following(source), _last_rows(source)), ""
    if model.back_end == "in-house" and getattr(model.network.config, "output", None) == "tokens":
        return _words("answer", model.reader, run.logits, None, range(len(source))), ""  # one token for each place
    masked = [at for at, piece in enumerate(source.pieces) if piece in MASKS]
    if not masked:
        return None, "no-mask"
    return _words("masked-token", model.reader, run.logits, None, masked), ""


def _following(source: Tokens) -> list[int]:
    """What stands after each row; nothing after the last."""
    return list(source.ids[1:])


def _last_rows(source: Tokens) -> range:
    return range(max(0, len(source) - LAST_ROWS), len(source))


def _words(
    task: Task, reader: TextReader, logits: Logits, actual: Tokens | list[int] | None, rows: range | list[int]
) -> Predictions:
    """The best candidates of some rows, each beside the token that stands there."""
    ids = () if actual is None else actual.ids if isinstance(actual, Tokens) else actual
    at = []
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        scores = torch.cat([logits(slice(row, row + 1)) for row in block]) if isinstance(block, list) else None
        scores = logits(slice(block[0], block[-1] + 1)) if scores is None else scores
        probabilities = torch.softmax(scores.float(), dim=-1)  # (row, token)
        best = probabilities.topk(min(CANDIDATES, probabilities.shape[-1]), dim=-1)
        for place, row in enumerate(block):
            said = tuple(
                Candidate(reader.shown(number), probability)
                for number, probability in zip(best.indices[place].tolist(), best.values[place].tolist(), strict=True)
            )
            there = None
            if row < len(ids):
                there = Candidate(reader.shown(ids[row]), float(probabilities[place, ids[row]]))
            at.append(Prediction(said, position=row, actual=there))
    return Predictions(task, tuple(at))


def _classes(scores: Tensor, labels: Mapping[int, str]) -> tuple[Prediction, ...]:
    """The answers about a picture, question by question."""
    names = class_names(labels, len(scores))
    found = []
    for question, members in questions_of(names).items():
        probabilities = torch.softmax(scores[members].float(), dim=-1)  # (class of this question)
        order = probabilities.argsort(descending=True).tolist()
        said = tuple(
            Candidate(names[members[place]].rpartition("/")[2], float(probabilities[place])) for place in order
        )
        found.append(Prediction(said[: max(CANDIDATES, 10)], label=question or "class"))
    return tuple(found)


def class_names(labels: Mapping[int, str], count: int) -> list[str]:
    """The name of each class by number."""
    return [labels.get(number, f"class {number}") for number in range(count)]


def questions_of(names: Sequence[str]) -> dict[str, list[int]]:
    """The classes by question: names "colour/red" are one question a beginning, others one question in all."""
    questions: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        questions.setdefault(name.rpartition("/")[0], []).append(number)
    return questions
