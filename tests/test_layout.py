"""The shape of the code: who imports whom, how long things are, that messages and set-up steps agree."""

import ast
import json
import re
from pathlib import Path

import pytest

from attention_core.figures.words import KOREAN

ROOT = Path(__file__).parents[1]
CODE = sorted([*ROOT.glob("app/**/*.py"), *ROOT.glob("attention_core/**/*.py")])
TESTS = sorted(ROOT.glob("tests/**/*.py"))
PAGE = sorted([*ROOT.glob("static/**/*.js"), *ROOT.glob("static/**/*.css")])
MESSAGES = {
    lang: json.loads((ROOT / f"app/messages/{lang}.json").read_text(encoding="utf-8"))
    for lang in ("en", "ko")
}

# What each part of attention_core may import beside itself: modules, or packages with everything in them.
DIRECTION = {
    "errors": (),
    "masks": ("errors",),
    "files": ("errors",),
    "nn": ("errors", "masks", "files"),
    "tokens": ("errors",),
    "cells": ("errors",),
    "attention_map": ("errors", "masks", "cells"),
    "bias": (),
    "maps": ("errors", "masks", "attention_map", "bias", "nn.attention"),
    "lengths": ("errors", "attention_map"),
    "pictures": ("errors",),
    "predictions": ("errors",),
    "models": ("errors", "masks", "nn", "tokens", "pictures", "files"),
    "what_if": ("errors", "tokens"),
    "trace": ("errors", "tokens", "cells", "maps", "masks", "models.card", "pictures", "predictions", "what_if"),
    "looking": ("errors", "tokens", "maps", "masks", "trace", "lengths", "attention_map"),
    "fields": ("errors",),
    "restoring": (
        *("errors", "fields", "tokens", "attention_map", "bias", "maps", "masks", "trace"),
        *("models.card", "pictures", "predictions", "what_if"),
    ),
    "storage": ("errors", "files", "maps", "pictures", "restoring", "trace"),
    "capture": ("errors", "tokens", "maps", "masks", "trace", "models", "nn", "predictions", "what_if"),
    "documents": ("errors", "tokens", "trace", "pictures", "predictions", "what_if"),
    "threads": (),
    "training": ("errors", "masks", "models", "nn", "threads", "tokens"),
    "lab": ("errors", "models.card", "nn", "threads"),
    "analysis": ("errors", "tokens", "cells", "maps", "trace"),
    "experiments": (
        *("errors", "tokens", "maps", "masks", "trace", "looking", "predictions"),
        *("models", "nn", "capture", "analysis", "threads"),
    ),
    "ideas": ("errors", "masks", "nn", "threads", "experiments.running"),
    "figures": ("errors", "tokens", "cells", "maps", "trace", "looking", "analysis", "pictures", "documents"),
}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    """Everything a file imports, also inside functions; `from a import b` counts as a.b."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


# ---- direction


def test_the_library_never_imports_the_app():
    for path in ROOT.glob("attention_core/**/*.py"):
        assert not [name for name in imports(path) if within(name, "app")], path


def test_inside_the_library_imports_have_one_direction():
    for path in ROOT.glob("attention_core/**/*.py"):
        parts = name_of(path).split(".")
        if len(parts) == 1:
            continue
        part = parts[1]
        assert part in DIRECTION, f"{path}: say in DIRECTION what {part} may import"
        allowed = [f"attention_core.{name}" for name in (part, *DIRECTION[part])]
        ours = [name for name in imports(path) if within(name, "attention_core")]
        wrong = [name for name in ours if not any(within(name, package) for package in allowed)]
        assert wrong == [], path


def test_transformers_is_imported_in_two_places():
    for path in CODE:
        name = name_of(path)
        if name == "attention_core.models.reference" or within(name, "attention_core.capture"):
            continue
        assert not [found for found in imports(path) if within(found, "transformers")], path


def test_the_app_takes_nothing_private_from_the_library():
    for path in ROOT.glob("app/**/*.py"):
        ours = [name for name in imports(path) if within(name, "attention_core")]
        assert [name for name in ours if "._" in name] == [], path


# ---- size


@pytest.mark.parametrize("path", [*CODE, *TESTS, *PAGE], ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def functions():
    for path in CODE:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def test_functions_are_short():
    lengths = {where: node.end_lineno - node.lineno + 1 for where, node in functions()}
    assert {where: length for where, length in lengths.items() if length > 80} == {}
    long = {where: length for where, length in lengths.items() if length > 40}
    assert len(long) <= 0.05 * len(lengths), long


def test_functions_take_few_parameters():
    def count(node):
        given = node.args
        names = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
        return len([name for name in names if name not in ("self", "cls")])

    # What a library of somebody else calls, it calls with the arguments of its choice.
    foreign = re.compile(r"capture/interface\.py:\d+ ")
    wide = {where: count(node) for where, node in functions() if not foreign.search(where)}
    assert {where: number for where, number in wide.items() if number > 6} == {}


# ---- messages


def placeholders(message: str) -> list[str]:
    return sorted(re.findall(r"\{(\w+)\}", message))


def test_both_languages_have_the_same_messages_with_the_same_placeholders():
    assert list(MESSAGES["en"]) == list(MESSAGES["ko"])
    for key, message in MESSAGES["en"].items():
        assert placeholders(message) == placeholders(MESSAGES["ko"][key]), key
        assert message.strip(), key
        assert MESSAGES["ko"][key].strip(), key


# Particles and endings with a form for what ends in a vowel and another for what does not.
FITTED = "을|를|이|가|은|는|와|과|로|으로|나|이나|예요|이에요|이고|이지만|이라|로만|으로만"


def test_no_korean_particle_stands_behind_what_is_only_filled_in():
    """0.487 is read to its end as 칠 and takes 이에요, 0.992 as 이 and takes 예요: no one form fits every value."""
    fitted = re.compile(rf"\{{\w+\}}[”’]?({FITTED})(?![가-힣])")
    assert fitted.search("길이는 {number}이에요.")
    for key, message in {**MESSAGES["ko"], **KOREAN}.items():
        assert not fitted.search(message), f"{key}: {message}"


def asked_for(text: str) -> set[str]:
    """Patterns of the keys that a template or a module asks for.

    It understands t("key"), t(`a.${b}`), t('a.' ~ b) and t(a ? "b" : "c").
    """
    found = set()
    for first in re.findall(r"(?<![\w$])t\(((?:[^(),`]|`[^`]*`)+)", text):
        compared = re.sub(r"[!=]==\s*(\"[^\"]*\"|'[^']*')", "", first)
        for quoted in re.finditer(r"\"([^\"]*)\"|'([^']*)'|`([^`]*)`", compared):
            key = next(part for part in quoted.groups() if part is not None)
            pattern = ".+".join(map(re.escape, re.split(r"\$\{[^}]*\}", key)))
            if compared[: quoted.start()].rstrip().endswith("~"):
                pattern = ".*" + pattern
            if compared[quoted.end() :].lstrip().startswith("~"):
                pattern += ".+"
            found.add(pattern)
    return found


@pytest.mark.parametrize(
    "path",
    [*ROOT.glob("templates/*.html"), *ROOT.glob("static/js/**/*.js")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_message_that_is_asked_for_exists(path):
    for pattern in asked_for(path.read_text(encoding="utf-8")):
        assert [key for key in MESSAGES["en"] if re.fullmatch(pattern, key)], pattern


def test_the_search_for_messages_finds_them():
    assert asked_for('t("a.b", {x}) i18n.t(`a.${b}.c`) at("no")') == {r"a\.b", r"a\..+\.c"}
    assert asked_for("t(x === 'no' ? 'a' : 'b')") == {"a", "b"}
    assert asked_for("t('g.' ~ topic ~ '.title')") == {r"g\..+", r".*\.title"}


# ---- set-up


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_the_docker_images_steps_are_the_makefiles():
    """Beside its operating system's, the image runs make's steps and no others."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    steps = re.findall(r"^RUN (.*)$", text, re.MULTILINE)
    made = [step.split()[1] for step in steps if step.startswith("make ")]
    assert made == ["install", "model"]
    assert set(made) <= targets()
    assert not [step for step in steps if "pip" in step]
    assert "MODEL=$MODEL" in text
    assert re.search(r"^USER (?!root)", text, re.MULTILINE)
    assert "/healthz" in text


def test_ci_runs_make_test():
    script = ROOT / ".ci/run"
    assert script.read_text(encoding="utf-8").rstrip().endswith("exec make test")
    assert script.stat().st_mode & 0o111
    assert {"serve", "test", "install", "model"} <= targets()


def test_the_makefile_installs_the_torch_of_the_package():
    torch = re.search(r'"(torch[^"]*)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8")).group(1)
    assert f"'{torch}'" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_every_problem_has_its_sentence() -> None:
    from app.problems import KNOWN

    messages = json.loads((ROOT / "app" / "messages" / "en.json").read_text(encoding="utf-8"))
    assert {f"problem.{code}" for code in KNOWN} <= messages.keys()


def test_every_test_file_has_a_name_of_its_own():
    """pytest collects them by name: of two that share one, neither runs in a clean checkout."""
    names = [path.name for path in TESTS if path.name not in ("conftest.py", "__init__.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []
