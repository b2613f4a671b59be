"""A word of the whole pipeline is stated once: in `shared/vocabulary`, and nowhere else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from stratifn.interferon.methods import METHODS
from stratifn.report.content import SHOWN_PADJ
from stratifn.shared import claims, vocabulary
from stratifn.shared.columns import NOTE_COLUMNS
from stratifn.shared.errors import listed

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / "workflow"
VOCABULARY = Path(vocabulary.__file__)
MODULES = [path for path in sorted((WORKFLOW / "scripts").rglob("*.py")) if path != VOCABULARY]
RULES = sorted((WORKFLOW / "rules").glob("*.smk"))
NAMES = {name for name in vars(vocabulary) if name.isupper()}
# columns that many tables share: `outputs.yaml` states them once
SHARED_COLUMNS = {"NOTE_COLUMNS": NOTE_COLUMNS, "claims.COLUMNS": claims.COLUMNS}
# words that nothing but the thing itself is called; a kind or an answer may also be a layer, a level, a heading
ONLY_HERE = {
    vocabulary.RNA,
    vocabulary.UNSCORED,
    vocabulary.IN_VIEW,
    vocabulary.HEALTHY,
    *vocabulary.CLASSES,
}
# values that no other constant of a module may have
CONSTANTS = {
    *ONLY_HERE,
    vocabulary.NOT_STATED,
    vocabulary.MISSING,
    *vocabulary.VIEW_KINDS,
}
IDS = re.compile(r"\[A-Za-z0-9\]\[A-Za-z0-9_\.-\]")
MORE = re.compile(r"\} more\b|\{len\([a-z_]+\) - ")


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """List the constants of a module: name and value, a tuple name by name."""
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Name) and node.value is not None:
                yield target.id, node.value
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                yield from (
                    (name.id, value)
                    for name, value in zip(target.elts, node.value.elts, strict=True)
                    if isinstance(name, ast.Name)
                )


def plain(node: ast.expr) -> object:
    """Return the value of a literal, also inside frozenset(...); None for anything computed."""
    if isinstance(node, ast.Call) and node.args:
        return plain(node.args[0])
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def texts(tree: ast.Module) -> list[str]:
    """List every text of a module but its docstrings."""
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented
    ]


def numbers(tree: ast.Module) -> list[float]:
    """List every number of a module that is written with a point."""
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, float)]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(WORKFLOW / "scripts")))
def test_no_word_of_the_vocabulary_is_defined_elsewhere(module):
    tree = tree_of(module)
    for name, value in assigned(tree):
        assert name not in NAMES, f"{name} is defined in shared/vocabulary"
        literal = plain(value)
        assert not (isinstance(literal, str) and literal in CONSTANTS), f"{name} = {literal!r}: shared/vocabulary"
        if isinstance(literal, tuple | list | set | frozenset) and all(isinstance(one, str) for one in literal):
            for words in (
                vocabulary.MISSING_MARKS,
                vocabulary.YES_WORDS,
                vocabulary.NO_WORDS,
                vocabulary.NOT_KNOWN_WORDS,
            ):
                assert len(words & set(literal)) < 3, f"{name} holds words of shared/vocabulary"
            assert set(literal) != set(vocabulary.VIEW_KINDS), f"{name}: VIEW_KINDS of shared/vocabulary"
    for node in ast.walk(tree):
        if isinstance(node, ast.List | ast.Tuple):
            literal = plain(node)
            copied = [name for name, columns in SHARED_COLUMNS.items() if literal in (list(columns), columns)]
            assert not copied, f"{copied[0]} again"
    assert not ONLY_HERE & set(texts(tree))
    assert not any(IDS.search(text) for text in texts(tree)), "the pattern of ids"


def test_no_rule_spells_a_word_of_the_vocabulary():
    code = "\n".join(path.read_text() for path in RULES)
    assert not re.findall(rf"^({'|'.join(sorted(NAMES))})\s*=", code, re.MULTILINE)
    assert not [word for word in ONLY_HERE if re.search(rf"[\"']{word}[\"']", code)]


def test_the_schemas_hold_the_same_words():
    config = yaml.safe_load((WORKFLOW / "schemas" / "config.schema.yaml").read_text())
    sheet = yaml.safe_load((WORKFLOW / "schemas" / "samples.schema.yaml").read_text())
    assert config["$defs"]["name"]["pattern"] == vocabulary.ID_PATTERN.pattern
    assert sheet["properties"]["sample"]["pattern"] == vocabulary.ID_PATTERN.pattern
    assert sheet["properties"]["disease"]["pattern"] == vocabulary.ID_PATTERN.pattern
    assert sheet["properties"]["hydroxychloroquine"]["enum"] == [vocabulary.YES, vocabulary.NO, None]
    control_type = config["properties"]["cohorts"]["items"]["properties"]["control_type"]
    assert control_type["enum"][0] == control_type["default"] == vocabulary.HEALTHY
    assert (WORKFLOW / "schemas" / "config.schema.yaml").read_text().count(", ".join(vocabulary.VIEW_KINDS)) == 1
    for part in ("cohorts", "transfer"):
        view = config["properties"][part]["items"]["properties"]["views"]["items"]["properties"]
        assert view["kind"]["enum"] == list(vocabulary.VIEW_KINDS)


def test_the_contract_states_shared_columns_once():
    text = (WORKFLOW / "schemas" / "outputs.yaml").read_text()
    for columns in SHARED_COLUMNS.values():
        written = re.findall(rf"{{{', '.join(rf'{name}: [^,}}]+' for name in columns)}}}", text)
        assert len(written) == 1
    contract = yaml.safe_load(text)
    for table in [*contract["tables"], *contract["transfer"]["tables"]]:
        for name, columns in (("notes.tsv", NOTE_COLUMNS), ("verdicts.tsv", claims.COLUMNS)):
            assert not table["path"].endswith(name) or tuple(table["columns"]) == columns


def test_the_report_states_once_which_associations_it_shows():
    modules = [path for path in MODULES if path.parent.name == "report"]
    again = {path.name for path in modules for number in numbers(tree_of(path)) if number == SHOWN_PADJ}
    assert again == {"content.py"}
    assert [path.name for path in modules for text in texts(tree_of(path)) if f"{SHOWN_PADJ:g}" in text] == []


@pytest.mark.parametrize("name", ["a\n", "", "-a", "a b", "a/b", "a" * 65, "é"])
def test_an_id_ends_where_it_ends(name):
    assert not vocabulary.ID_PATTERN.match(name)
    assert vocabulary.ID_PATTERN.match("A.b-c_1")


def test_an_answer_is_one_of_yes_no_and_not_known():
    words = [vocabulary.YES_WORDS, vocabulary.NO_WORDS, vocabulary.NOT_KNOWN_WORDS]
    assert len(frozenset.union(*words)) == sum(map(len, words))
    assert all(word == word.lower() for of_kind in words for word in of_kind)


def test_long_lists_are_cut_in_one_way():
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"
    assert listed(range(2)) == "0, 1"
    assert listed("ab", 1, " ") == "a and 1 more"
    cut = [path for path in MODULES if MORE.search(path.read_text()) and path.name != "errors.py"]
    assert cut == []


def test_the_methods_of_scoring_are_spelled_by_their_registry_alone():
    notes = tree_of(WORKFLOW / "scripts" / "stratifn" / "interferon" / "notes.py")
    assert not [text for text in texts(notes) for name in METHODS if name in text]
