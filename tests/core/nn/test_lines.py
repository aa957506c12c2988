"""The lines that stand beside each step are the source's own, and hold what they must."""

from pathlib import Path

import pytest

from attention_core.analysis.steps import STEPS
from attention_core.errors import UnknownNameError
from attention_core.nn.lines import lines_of

ROOT = Path(__file__).parents[3]
# What a reader must find in the lines of a step, and at most how many there are.
HOLDS = {
    "input": ("norm(x)", "x + layer"),
    "project": ("projection(x)", ".transpose(1, 2)"),
    "dot": ("query @ key.transpose(-2, -1)",),
    "scale": ("1 / sqrt(query.shape[-1])", ".mul_(scale)"),
    "cap": ("soft_cap * torch.tanh(scores / soft_cap)",),
    "bias": ("scores +", "bias"),
    "mask": ("masked_fill(~allowed_keys(mask", "-torch.inf"),
    "softmax": ("torch.softmax(scores, dim=-1)",),
    "weigh": ("weights @ value",),
    "sum": ("weights @ value",),
    "join": ("self.output(", "flatten(2)"),
}


@pytest.mark.parametrize("step", STEPS)
def test_each_step_shows_the_lines_that_compute_it(step: str) -> None:
    read = lines_of(step)
    text = "\n".join(read.lines)
    assert all(part in text for part in HOLDS[step]), text
    assert 1 <= len(read.lines) <= 6
    source = (ROOT / read.file).read_text(encoding="utf-8").splitlines()
    there = source[read.first - 1 : read.first - 1 + len(read.lines)]
    assert [line.strip() for line in there] == [line.strip() for line in read.lines]
    assert read.lines[0] == read.lines[0].lstrip(), "as far left as it can be"
    assert any(f"def {read.function.split('.')[-1]}(" in line for line in source[: read.first])


def test_a_learned_sink_has_a_softmax_of_its_own() -> None:
    assert "torch.cat([scores, column]" in "\n".join(lines_of("softmax", sink=True).lines)
    assert lines_of("dot", sink=True, cross=True) == lines_of("dot")


def test_in_cross_attention_keys_and_values_come_from_the_encoder() -> None:
    read = lines_of("input", cross=True)
    assert "heads.split(given.memory, heads.key), heads.split(given.memory, heads.value)" in "\n".join(read.lines)
    assert read.function == "Block._look_at_source"


def test_an_unknown_step_lists_those_that_there_are() -> None:
    with pytest.raises(UnknownNameError, match="accepted: input, project, dot"):
        lines_of("softmax-sink")
