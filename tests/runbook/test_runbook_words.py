"""What is generated and what is explained: nothing is stale, nothing is missing, and nothing heavy is imported."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tomli
from tests.runbook.texts import FULL, MINI

import handrail.runbook
from handrail.base.problems import Trouble
from handrail.runbook.estate_model import EstateFile
from handrail.runbook.explain import EXPLANATIONS, codes, explain, register
from handrail.runbook.model import Runbook, step_keys
from handrail.runbook.reference import reference_markdown
from handrail.runbook.schema import runbook_schema, schema_texts
from handrail.runbook.shapes import keys, models_in
from handrail.runbook.shipped import find_runbook, known_runbooks, shipped
from handrail.runbook.values import Table

ROOT = Path(__file__).parents[2]
PACKAGE = Path(handrail.runbook.__file__).parent
CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
MAKERS = {"Problem", "trouble", "wrong", "Finding", "warn", "_tell", "_matcher"}


def codes_said() -> set[str]:
    """Return every code that the package's source can say."""
    said: set[str] = set()
    for file in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            first: ast.expr | None = None
            if isinstance(node, ast.Call) and node.args:
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                first = node.args[0] if name in MAKERS else None
            elif isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple) and file.name == "rules_routes.py":
                first = node.value.elts[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                said.add(first.value)
    return said


def test_every_code_is_explained_and_every_explanation_is_needed() -> None:
    said = codes_said()
    assert len(said) > 90
    assert said - set(codes()) == set()
    assert set(codes()) - said == set()


@pytest.mark.parametrize("code", codes())
def test_an_explanation_says_something(code: str) -> None:
    assert CODE.match(code)
    text = explain(code)
    assert text.startswith(f"{code}\n\n")
    assert re.match(r"[A-Z`].{30,}[.?:)]$", text.split("\n\n")[1].replace("\n", " "))
    assert all(len(line) <= 125 for line in text.splitlines())


def test_an_unknown_code_gets_a_near_one() -> None:
    with pytest.raises(Trouble, match="did you mean `no-way-back`"):
        explain("no-way-bak")
    assert explain(" [no-way-back]").startswith("no-way-back\n")


def test_other_floors_add_their_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handrail.runbook.explain.EXPLANATIONS", dict(EXPLANATIONS))
    register({"other-floor": "It is on another floor."})
    assert explain("other-floor").endswith("another floor.")
    with pytest.raises(ValueError, match="twice"):
        register({"toml": "Something else."})


def test_the_schemas_are_not_stale() -> None:
    for name, text in schema_texts().items():
        hint = "python -m handrail.runbook.schema runbooks/schema"
        assert (ROOT / "runbooks" / "schema" / name).read_text(encoding="utf-8") == text, hint


def test_the_reference_is_not_stale() -> None:
    hint = "python -m handrail.runbook.reference > docs/runbook-reference.md"
    assert (ROOT / "docs" / "runbook-reference.md").read_text(encoding="utf-8") == reference_markdown(), hint


def every_table(root: type[Table]) -> set[type[Table]]:
    found: set[type[Table]] = set()
    todo: list[type[Table]] = [root]
    while todo:
        model = todo.pop()
        if model not in found:
            found.add(model)
            for info in keys(model).values():
                todo += [inner for inner in models_in(info.annotation) if issubclass(inner, Table)]
    return found


@pytest.mark.parametrize("root", [Runbook, EstateFile])
def test_every_key_is_described(root: type[Table]) -> None:
    tables = every_table(root)
    assert len(tables) >= 9
    for model in tables:
        assert model.__doc__
        for key, info in keys(model).items():
            assert info.description, f"{model.__name__}.{key}"
            assert info.description[0].isupper() or info.description[0] in '"`', f"{model.__name__}.{key}"


def test_the_keys_of_a_step_are_those_of_the_design() -> None:
    words = (
        "id title why on pick at_once need reads skippable only timeout within every par expect verify probe confirm"
        " recheck shows capture remember undo irreversible instead good wrong sample stays attached stdin"
        " run script args sync dns meter wait manual"
    )
    assert step_keys() == set(words.split())


def holds(schema: dict[str, Any], node: dict[str, Any], value: Any) -> bool:
    """Tell whether a value is what a (small part of) JSON Schema asks for; enough for what the models generate."""
    if "$ref" in node:
        return holds(schema, schema["$defs"][node["$ref"].rpartition("/")[2]], value)
    for several in ("anyOf", "oneOf"):
        if several in node:
            return any(holds(schema, choice, value) for choice in node[several])
    if "const" in node or "enum" in node:
        return value in node.get("enum", [node.get("const")])
    kinds = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict}
    wanted = node.get("type", list(kinds))
    if not any(isinstance(value, kinds.get(kind, ())) for kind in ([wanted] if isinstance(wanted, str) else wanted)):
        return False
    if isinstance(value, str):
        return len(value) >= node.get("minLength", 0) and bool(re.search(node.get("pattern", ""), value))
    if isinstance(value, list):
        return all(holds(schema, node.get("items", {}), item) for item in value)
    if isinstance(value, dict):
        known = node.get("properties", {})
        others = node.get("additionalProperties", True)
        if not set(node.get("required", ())) <= set(value):
            return False
        return all(
            holds(schema, known[key], inner)
            if key in known
            else others is not False and holds(schema, dict(others or {}) if isinstance(others, dict) else {}, inner)
            for key, inner in value.items()
        )
    return True


@pytest.mark.parametrize("text", [MINI, FULL.read_text(encoding="utf-8")], ids=["mini", "full"])
def test_the_schema_accepts_what_lint_accepts(text: str) -> None:
    schema = runbook_schema()
    data = tomli.loads(text)
    assert holds(schema, schema, data)
    data["stage"][0]["step"][0]["titel"] = "x"
    assert not holds(schema, schema, data)


def test_the_schema_is_json() -> None:
    assert json.loads(schema_texts()["runbook.schema.json"])["$defs"]["Step"]["additionalProperties"] is False


HEAVY = ("textual", "asyncssh", "dns", "cryptography", "click", "rich")


def test_reading_and_lint_load_nothing_heavy() -> None:
    program = (
        "import sys; from pathlib import Path; from handrail.runbook.lint import lint_file;"
        f"lint_file(Path({str(FULL)!r}));"
        "print([m for m in sys.modules if m.split('.')[0] in " + repr(HEAVY) + "]);"
        "print('handrail.runbook.estate' in sys.modules, 'handrail.runbook.explain_rules' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "False False"]


def test_pydantic_stays_in_this_package() -> None:
    others = [f for f in (ROOT / "src").rglob("*.py") if PACKAGE not in f.parents]
    users = [
        str(f) for f in others if re.search(r"^\s*(from|import) pydantic", f.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert users == []


def test_this_floor_imports_only_the_one_below() -> None:
    for file in PACKAGE.glob("*.py"):
        found = re.findall(r"^\s*(?:from|import) (handrail[\w.]*)", file.read_text(encoding="utf-8"), re.MULTILINE)
        assert all(name.startswith(("handrail.base", "handrail.runbook")) for name in found), file.name


# ---------------------------------------------------------------------------------------------- finding runbooks


def test_a_runbook_is_found_by_path_or_by_id(tmp_path: Path) -> None:
    near, far = tmp_path / "near.toml", tmp_path / "runbooks" / "far.toml"
    far.parent.mkdir()
    near.write_text(MINI)
    far.write_text(MINI.replace('id = "mini"', 'id = "other"'))
    (tmp_path / "estate.toml").write_text('[estate]\nname = "x"\n')
    (tmp_path / "broken.toml").write_bytes(b"\xff[runbook\n")
    assert find_runbook("mini", tmp_path) == near
    assert find_runbook("other", tmp_path) == far
    assert find_runbook("./near.toml", tmp_path) == near
    assert find_runbook(str(far), Path("/")) == far
    assert {"mini", "other"} <= known_runbooks(tmp_path).keys()
    for word, code in (("none", "unknown-runbook"), ("none.toml", "file-missing"), ("a/b", "file-missing")):
        with pytest.raises(Trouble, match=code):
            find_runbook(word, tmp_path)


def test_the_nearest_of_two_runbooks_with_one_id_is_meant(tmp_path: Path) -> None:
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "a.toml").write_text(MINI)
    assert find_runbook("mini", tmp_path) == tmp_path / "runbooks" / "a.toml"
    (tmp_path / "z.toml").write_text(MINI)
    assert find_runbook("mini", tmp_path) == tmp_path / "z.toml"


def test_the_shipped_folder_is_there() -> None:
    assert (shipped() / "schema" / "runbook.schema.json").is_file()
