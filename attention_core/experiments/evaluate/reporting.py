"""What both tasks report: the choice as a head, tables, and where the figures come from."""

from collections.abc import Mapping, Sequence

from attention_core.errors import InputError
from attention_core.experiments.evaluate.conllu import SentenceFile
from attention_core.experiments.evaluate.measuring import Array, Options
from attention_core.experiments.evaluate.passes import kind_of
from attention_core.experiments.evaluate.reading import Fault, RowFile
from attention_core.experiments.evaluate.resampling import Choice
from attention_core.experiments.evaluate.results import Chosen, Head, Origin, Table
from attention_core.models.loading import LoadedModel


def chosen_of(choice: Choice, heads: int, other: Array) -> Chosen:
    """The choice as a head of so many a layer; other: which rows are reported."""
    layer, head = divmod(choice.place, heads)
    return Chosen(
        head=Head(layer, head),
        rows=int(other.sum()),
        right=choice.share,
        interval=choice.interval,
        chosen_rows=int((~other).sum()),
        chosen_right=choice.share_chosen,
        again=choice.again,
    )


def demand_halves(other: Array) -> None:
    """An InputError where one half has no row; other: which rows are reported."""
    if not other.any() or other.all():
        raise InputError(
            f"{len(other)} usable rows are too few: heads are chosen on one half of the groups and reported on the "
            f"other, and here {'one half' if len(other) else 'each half'} is empty"
        )


def table(shares: Array, shape: tuple[int, ...]) -> Table:
    """The shares of all heads, layer by layer."""
    return tuple(tuple(float(share) for share in row) for row in shares.reshape(shape))


def dtype_of(model: LoadedModel) -> str:
    """The name of the number format that the model computes in."""
    return str(model.dtype).removeprefix("torch.")


def origin_of(
    model: LoadedModel,
    file: RowFile | SentenceFile,
    options: Options,
    counts: Mapping[str, int],
    warnings: Mapping[str, int],
    faults: Sequence[Fault],
) -> Origin:
    """Where a result comes from; warnings about nothing are dropped, faults stand by line."""
    return Origin(
        model=model.card.name,
        revision=model.card.revision,
        dtype=dtype_of(model),
        kind=str(kind_of(model)),
        file=file.name,
        sha256=file.digest,
        limit=options.limit,
        counts=dict(counts),
        warnings={code: count for code, count in warnings.items() if count},
        broken=tuple(sorted(faults, key=lambda one: one.line)),
    )
