"""What is known of a model: the part of the catalogue that travels with every trace."""

from dataclasses import dataclass

NATIVE = "attention-atlas"  # checkpoints of our own recipes that no other library runs
# The families whose checkpoints our own transformer runs.
IN_HOUSE = frozenset({"bert", "gpt2", "marian", "vit", NATIVE})


@dataclass(frozen=True)
class ModelCard:
    """One model's name and shape.

    `precision` is "exact" or "quantised"; `revision` changes whenever the weights do. `input` is what the model
    reads: "text", "translation" (a source and its target) or "picture". A closed vocabulary knows its own words only.
    """

    name: str
    title: str
    full_title: str
    family: str
    kinds: tuple[str, ...]
    languages: tuple[str, ...]
    layers: int
    heads: int
    max_tokens: int | None
    precision: str
    licence: str
    revision: str
    input: str = "text"
    closed_vocabulary: bool = False

    @property
    def reads_pairs(self) -> bool:
        """Whether it reads a second text beside the first: an encoder alone, of texts, which was not made here."""
        return self.kinds == ("encoder-self",) and self.input == "text" and self.family != NATIVE
