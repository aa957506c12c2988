"""The task `syntax`, from a treebank to its result."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from attention_core.capture import ready
from attention_core.errors import InputError, TooManyTokensError
from attention_core.experiments.evaluate import syntax
from attention_core.experiments.evaluate.conllu import Sentence, read_sentences
from attention_core.experiments.evaluate.keeping import KeptRows
from attention_core.experiments.evaluate.measuring import Array, Item, Options, measure
from attention_core.experiments.evaluate.passes import Asked, kind_of
from attention_core.experiments.evaluate.places import Positions, moved, owned
from attention_core.experiments.evaluate.reading import Fault
from attention_core.experiments.evaluate.reporting import chosen_of, demand_halves, dtype_of, origin_of, table
from attention_core.experiments.evaluate.resampling import Resamples, reported
from attention_core.experiments.evaluate.results import SYNTAX, Origin, Relation, SyntaxResult
from attention_core.maps import Kind
from attention_core.models.examples import Example
from attention_core.models.loading import LoadedModel
from attention_core.tokens import Tokens

LEAST_PAIRS = 20  # of a relation in each half; fewer say nothing


def relations(model: LoadedModel, path: Path, options: Options) -> SyntaxResult:
    """The result on a treebank."""
    file = read_sentences(path)
    ready(model)
    taken = file.sentences[: options.limit]
    placed, counts, faults = _placed(model, taken, options)
    if not placed:
        raise InputError(f"no sentence of {file.name} has two words that this model can read")
    kept = KeptRows.of(model.card, options.cache, digest=file.digest, task=SYNTAX, dtype=dtype_of(model))
    found = measure(model, [_item(model, tokens, words, one.line) for one, tokens, words in placed], kept, options)
    sentences = [sentence for sentence, _, _ in placed]
    warnings = {}
    if kind_of(model) == Kind.DECODER_SELF:
        later = sum(head is not None and head > at for one in sentences for at, head in enumerate(one.heads))
        warnings = {"later-words": later}
    origin = origin_of(model, file, options, counts | {"scored": len(placed)}, warnings, (*file.faults, *faults))
    return _result(origin, syntax.relations(sentences, [words for _, _, words in placed]), sentences, found, options)


def _placed(
    model: LoadedModel, sentences: Sequence[Sentence], options: Options
) -> tuple[list[tuple[Sentence, Tokens, tuple[Positions, ...]]], Counter[str], list[Fault]]:
    """The sentences with their tokens and each word's, how many are left out for which reason, and what is wrong."""
    found, faults = [], []
    counts = Counter(read=len(sentences), too_long=0, too_short=0, lost_words=0)
    for number, sentence in enumerate(sentences):
        if number % 100 == 0:
            options.step("read", number, len(sentences))
        try:
            tokens = model.encode(Example(sentence.text)).source
        except TooManyTokensError:
            counts["too_long"] += 1
            continue
        except InputError as error:
            faults.append(Fault(sentence.line, str(error)))
            continue
        words = owned(tokens, [moved(span, sentence.text, tokens.text) for span in sentence.spans])
        if sum(map(bool, words)) < 2:
            counts["too_short"] += 1  # a word alone has nobody to look at
            continue
        counts["lost_words"] += sum(not positions for positions in words)
        found.append((sentence, tokens, words))
    return found, counts, faults


def _item(model: LoadedModel, tokens: Tokens, words: Sequence[Positions], line: int) -> Item:
    shape = (model.card.layers, model.card.heads, len(words))
    return Item(line, Asked(tokens), lambda weights: syntax.targets(weights, words), shape)


def _result(
    origin: Origin,
    pairs: Sequence[syntax.Pairs],
    sentences: Sequence[Sentence],
    found: Sequence[Array],
    options: Options,
) -> SyntaxResult:
    other = np.array([reported(sentence.id) for sentence in sentences], dtype=bool)  # (sentence)
    demand_halves(other)
    flat, starts = syntax.joined(found)
    sizes = np.array([len(sentence.words) for sentence in sentences])
    resamples = Resamples(int((~other).sum()), int(other.sum()), seed=options.seed)
    results: list[Relation] = []
    if not pairs or _least(pairs[0], other) < 1:
        raise InputError("these sentences have no relation in both halves; take more of them")
    top = pairs[0]  # all relations together
    frequent = [one for one in pairs if one.relation != syntax.ALL and _least(one, other) >= LEAST_PAIRS]
    for number, one in enumerate((top, *frequent)):
        options.step("resample", number, 1 + len(frequent))
        right = syntax.correct(one, flat, starts).astype(np.float64)  # (pair, head)
        results.append(_relation(one, right, (other, sizes), resamples, found[0].shape[:2]))
    options.step("resample", len(results), len(results))
    first = float((top.wanted[other[top.sentence]] == 0).mean())
    return SyntaxResult(origin, results[0], first, tuple(results[1:]))


def _least(pairs: syntax.Pairs, other: Array) -> int:
    there = int(other[pairs.sentence].sum())
    return min(there, len(pairs) - there)


def _relation(
    pairs: syntax.Pairs,
    right: Array,
    sentences: tuple[Array, Array],
    resamples: Resamples,
    shape: tuple[int, ...],
) -> Relation:
    """One relation, from which heads (pair, head) are right; sentences: whether reported, and how many words."""
    other, sizes = sentences
    there = other[pairs.sentence]
    halves = []
    for half in (False, True):
        numbers = np.cumsum(other == half) - 1  # of a sentence among those of its half
        sums = np.zeros((int((other == half).sum()), right.shape[1]))
        at = numbers[pairs.sentence[there == half]]
        np.add.at(sums, at, right[there == half])
        halves.append((sums, np.bincount(at, minlength=len(sums)).astype(np.float64)))
    choice = resamples.choose(halves[0], halves[1])
    offset, offset_right = syntax.best_offset(pairs, ~there)
    return Relation(
        relation=pairs.relation,
        direction=pairs.direction,
        chosen=chosen_of(choice, shape[1], there),
        chance=float((1 / sizes[pairs.sentence[there]]).mean()),
        offset=offset,
        offset_right=offset_right,
        offset_all=float((pairs.wanted - pairs.looking == offset).mean()),
        heads=table(right.mean(0), shape),
    )
