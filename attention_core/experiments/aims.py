"""What an experiment is about: the one thing that the model says, watched while something in it is changed.

    aim = aim_of(model, encoded)
    said = variants_for(model, encoded, aim).say(2, changes=HeadsOff([[], [("decoder-self", 0, 3)]]))
    before, *after = outcome(aim, said)
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from attention_core.capture.predict import CANDIDATES, MASKS, class_names, questions_of
from attention_core.capture.variants import Said, Variants
from attention_core.errors import InputError
from attention_core.maps import Kind
from attention_core.models.examples import Encoded
from attention_core.models.loading import LoadedModel
from attention_core.predictions import Candidate

Task = Literal["next-token", "masked-token", "translation", "classes", "embedding"]
TASKS: tuple[str, ...] = get_args(Task)


@dataclass(frozen=True)
class Aim:
    """What is watched: a prediction, or the vector of the text where the model predicts nothing.

    `row` is the position, counted in the tokens that the predicting stack reads, whose prediction or vector it is. None
    for a translation as a whole, for the classes of a picture, and for the vector of the whole text: the mean of the
    last hidden states of all tokens, special ones too (Reimers & Gurevych 2019, "Sentence-BERT", section 3).
    `questions` are the classes of a picture that belong together, each a range of alternatives.
    """

    task: Task
    row: int | None = None
    questions: tuple[tuple[int, ...], ...] = ()

    @property
    def predicts(self) -> bool:
        """Whether it is about probabilities."""
        return self.task != "embedding"


def aim_of(model: LoadedModel, encoded: Encoded, row: int | None = None) -> Aim:
    """What an experiment with this example is about.

    Of a decoder the next token after `row`, by default the last; of an encoder-decoder, whose example has a target, the
    target's token `row`, or the whole target; of a masked language model the masked token at `row`, by default the
    first; of a picture its classes. Without any of these, or for another row of them, the vector of that row, or of the
    whole. An InputError for a row that is not there, a NotAvailableError as `Variants` raises it.
    """
    count = Variants(model, encoded).positions
    if row is not None and not 0 <= row < count:
        raise InputError(f"row {row} is not there; accepted: 0 to {count - 1}")
    alternatives = _alternatives(model, encoded)
    if not alternatives or (encoded.picture is not None and row is not None):
        return Aim("embedding", row)
    if encoded.picture is not None:
        questions = questions_of(class_names(model.labels, alternatives))
        return Aim("classes", questions=tuple(tuple(members) for members in questions.values()))
    if encoded.decoder_input is not None:
        return Aim("translation", row)
    if Kind.DECODER_SELF in model.there:
        return Aim("next-token", count - 1 if row is None else row)
    masked = [at for at, piece in enumerate(encoded.source.pieces) if piece in MASKS]
    if masked and (row is None or row in masked):
        return Aim("masked-token", masked[0] if row is None else row)
    return Aim("embedding", row)


def variants_for(model: LoadedModel, encoded: Encoded, aim: Aim) -> Variants:
    """The example, ready to be run changed, of whose scores only those are made that this aim is about."""
    return Variants(model, encoded, slice(aim.row, aim.row + 1) if aim.predicts and aim.row is not None else None)


def outcome(aim: Aim, said: Said, without: Tensor | None = None) -> Tensor:
    """What the model says in each variant, float32.

    Probabilities (variant, token), of a whole translation (variant, row, token), of classes (variant, class), each
    question's summing to 1; or vectors (variant, embed_dim). without: booleans (variant, position), True for tokens
    that have no part in the mean that is the vector of a whole text.
    """
    if not aim.predicts:
        if aim.row is not None:
            return said.hidden[:, aim.row].float()
        if without is None:
            return said.hidden.float().mean(dim=1)
        kept = (~without.to(said.hidden.device)).float()[:, :, None]  # (variant, position, 1)
        return (said.hidden.float() * kept).sum(dim=1) / kept.sum(dim=1)
    assert said.logits is not None
    if aim.task == "classes":
        scores, answers = said.logits(slice(0, 1)).float(), []
        for members in aim.questions:
            answers.append(torch.softmax(scores[:, list(members)], dim=-1))
        order = torch.tensor([number for members in aim.questions for number in members], device=scores.device)
        return torch.cat(answers, dim=-1)[:, order.argsort()]  # (variant, class)
    rows = slice(0, said.hidden.shape[1]) if aim.row is None else slice(aim.row, aim.row + 1)
    probabilities: Tensor = torch.softmax(said.logits(rows).float(), dim=-1)  # (variant, row, token)
    return probabilities if aim.row is None else probabilities[:, 0]


def distance(aim: Aim, before: Tensor, after: Tensor) -> Tensor:
    """How far each of some outcomes (variant, ...) lies from one before (...): (variant), float64, on the CPU.

    Of predictions the total variation distance, half the sum of |p - q|, from 0, the same, to 1, nothing in common; of
    several rows their mean, of several questions about a picture the largest. Of vectors 1 - cosine, from 0 to 2.
    """
    if not aim.predicts:
        one, other = before.double(), after.double()
        lengths = one.norm() * other.norm(dim=-1)
        apart: Tensor = 1 - (other @ one) / lengths.clamp_min(1e-300)
        return apart.clamp(0, 2).cpu()
    gaps = (after - before).abs()
    if aim.task == "classes":
        each = [gaps[:, list(members)].double().sum(dim=-1) / 2 for members in aim.questions]
        return torch.stack(each).amax(dim=0).clamp(0, 1).cpu()
    own = gaps.sum(dim=-1).double() / 2  # (variant[, row])
    return (own if own.ndim == 1 else own.mean(dim=-1)).clamp(0, 1).cpu()


def candidates(model: LoadedModel, aim: Aim, said: Tensor) -> tuple[Candidate, ...]:
    """What is most probable in one outcome (...), the best first; () for a vector.

    Five tokens or classes; of a whole translation the best token of every row, in order, and of several questions about
    a picture the best answer to each, called "question/answer".
    """
    if not aim.predicts:
        return ()
    if aim.task == "classes":
        names = class_names(model.labels, said.shape[-1])
        if len(aim.questions) > 1:
            best = [max(members, key=lambda number: float(said[number])) for members in aim.questions]
        else:
            best = said.argsort(descending=True)[:CANDIDATES].tolist()
        return tuple(Candidate(names[number], float(said[number])) for number in best)
    if aim.row is None:
        most = said.max(dim=-1)
        found = zip(most.indices.tolist(), most.values.tolist(), strict=True)
    else:
        best_tokens = said.topk(min(CANDIDATES, said.shape[-1]))
        found = zip(best_tokens.indices.tolist(), best_tokens.values.tolist(), strict=True)
    return tuple(Candidate(model.reader.shown(number), probability) for number, probability in found)


def kept_probability(aim: Aim, before: Tensor, after: Tensor) -> float | None:
    """How probable is afterwards (...) what was most probable before (...): of several rows their mean, of several
    questions that of the one whose answer lost most; None for vectors."""
    if not aim.predicts:
        return None
    if aim.task == "classes":
        best = [max(members, key=lambda number: float(before[number])) for members in aim.questions]
        lost = max(best, key=lambda number: float(before[number] - after[number]))
        return float(after[lost])
    at = before.argmax(dim=-1, keepdim=True)
    return float(after.gather(-1, at).mean())


def _alternatives(model: LoadedModel, encoded: Encoded) -> int:
    """How many tokens or classes the model chooses from, 0 for one that predicts nothing; of a model of transformers
    one pass tells."""
    if model.back_end == "in-house":
        config: Any = model.network.config
        return {"none": 0, "classes": int(config.classes)}.get(config.output, int(config.vocabulary))
    with torch.inference_mode():
        said = Variants(model, encoded, slice(0, 1)).say(1)
        return 0 if said.logits is None else int(said.logits(slice(0, 1)).shape[-1])
