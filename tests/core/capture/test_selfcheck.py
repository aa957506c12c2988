"""The self-check refuses a kernel that lost its mask, its soft cap, its sinks or its bias."""

from typing import Any

import families
import pytest
import torch

from attention_core.capture import capture, hooks, interface, ready, selfcheck, wrap
from attention_core.errors import SelfCheckError, TraceError
from attention_core.models.loading import LoadedModel


def probed(family: str) -> tuple[LoadedModel, Any, Any]:
    model = families.build(family)
    loaded = wrap(model, families.tokenizer())
    inputs = selfcheck.probe_inputs(loaded)
    with torch.inference_mode():
        reference = hooks.run(model, inputs)
    interface.install(model)
    return loaded, inputs, reference


def refuse(family: str) -> None:
    loaded, inputs, reference = probed(family)
    with torch.inference_mode(), pytest.raises(SelfCheckError, match="differ"):
        selfcheck.compare(interface.run(loaded.network, inputs), reference, torch.float32)


@pytest.mark.parametrize("family", ["gpt2", "gemma2", "gpt_oss", "t5"])
def test_the_whole_kernel_passes(family: str) -> None:
    loaded, inputs, reference = probed(family)
    with torch.inference_mode():
        worst = selfcheck.compare(interface.run(loaded.network, inputs), reference, torch.float32)
    assert worst < 1e-4


def without(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    whole = interface._attend

    def lame(module: Any, query: Any, key: Any, value: Any, mask: Any, **options: Any) -> Any:
        return whole(module, query, key, value, mask, **{k: v for k, v in options.items() if k != name})

    monkeypatch.setitem(interface.AttentionInterface._global_mapping, interface.NAME, lame)


def test_a_missing_mask_function_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # What transformers does for an attention function without a mask function of its own: no mask at all.
    monkeypatch.setitem(
        interface.AttentionMaskInterface._global_mapping, interface.NAME, lambda *args, **options: None
    )
    refuse("gemma2")


def test_a_missing_causal_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = interface._attend

    def lame(*args: Any, **options: Any) -> Any:
        return whole(*args, **{**options, "is_causal": False})

    monkeypatch.setitem(interface.AttentionInterface._global_mapping, interface.NAME, lame)
    refuse("gpt2")


@pytest.mark.parametrize(
    ("family", "lost"), [("gemma2", "softcap"), ("gpt_oss", "s_aux"), ("t5", "position_bias")]
)
def test_a_missing_part_is_refused(monkeypatch: pytest.MonkeyPatch, family: str, lost: str) -> None:
    without(monkeypatch, lost)
    refuse(family)


def test_what_is_refused_is_read_densely_instead_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "position_bias")
    loaded = ready(wrap(families.build("t5"), families.tokenizer()))
    assert loaded.back_end == "eager"
    assert "differ" in str(loaded.refusal)


def test_an_unknown_keyword_is_an_error_and_never_ignored() -> None:
    query = torch.zeros(1, 2, 3, 4)
    with pytest.raises(TraceError, match="new_trick"):
        interface._attend(torch.nn.Identity(), query, query, query, None, new_trick=1)


def test_a_trace_whose_vectors_changed_after_the_kernel_is_refused() -> None:
    loaded = ready(wrap(families.build("bert"), families.tokenizer()))
    encoded = loaded.encode(families_example())
    with torch.inference_mode():
        run = interface.run(loaded.network, encoded.inputs)
        run.maps[0].key_vectors.mul_(1.01)
    with pytest.raises(SelfCheckError, match="L0"):
        selfcheck.check_rows(run, torch.float32)


def families_example() -> Any:
    from attention_core.capture import Example

    return Example(families.text(20))


def test_nothing_listens_outside_a_capture() -> None:
    loaded = ready(wrap(families.build("bert"), families.tokenizer()))
    capture(loaded, families_example())
    assert interface._going.get() is None
    with pytest.raises(IndexError):
        interface.run(loaded.network, {"input_ids": torch.full((1, 3), 999)})
    assert interface._going.get() is None
