"""Names and texts from strangers run nothing, reach no file outside the results and change no page.

What the readers of matrices, sheets and references refuse is tested with the readers.
"""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
import yaml

from stratifn.configuration.config import complete_config, read_config
from stratifn.report.figures.drawing import FIGURES, draw
from stratifn.shared.design import parse_design
from stratifn.shared.errors import InputError
from stratifn.shared.samples import write_samples
from stratifn.shared.vocabulary import ID_PATTERN
from unit.test_report import example_tables, pages, results, volcano

ROOT = Path(__file__).resolve().parents[2]
SCHEMA, CONTRACT = (
    yaml.safe_load((ROOT / "workflow" / "schemas" / name).read_text())
    for name in ("config.schema.yaml", "outputs.yaml")
)
HTML = "<script>alert(1)</script>"
ATTACKS = {
    "traversal": "../../x",
    "absolute": "/etc/passwd",
    "Windows": "..\\x",
    "shell": "x;touch INJECTED;",
    "substitution": "$(touch INJECTED)",
    "backticks": "`touch INJECTED`",
    "option": "--rf",
    "wildcard": "{cohort}",
    "HTML": HTML,
    "attribute": '" onerror="alert(1)',
    "template": "{{ 7 * 7 }}",
    "Markdown": "[x](javascript:alert(1))",
    "TeX": "$\\input{/etc/passwd}$",
    "bad TeX": "$\\frac{$",
    "spreadsheet": '=HYPERLINK("http://x","y")',
    "line end": "SLE\nx",
    "trailing line end": "SLE\n",
    "carriage return": "SLE\rx",
    "tab": "SLE\tx",
    "NUL": "SLE\x00x",
    "direction": "SLE\u202egnp.exe",
    "look-alike": "\u0405LE",
    "zero width": "SLE\u200b",
    "long": "x" * 65,
    "empty": "",
    "blank": " ",
    "hidden file": ".x",
    "dots": "a..b",
}
NAMES = pytest.mark.parametrize("name", ATTACKS.values(), ids=ATTACKS)
RNA = {"name": "rna", "kind": "counts", "path": "c.tsv"}
COHORT = {"name": "mine", "samples": "s.tsv", "views": [RNA], "diseases": ["SLE"]}


@NAMES
@pytest.mark.parametrize(
    "place",
    [
        lambda name: {"cohorts": [COHORT | {"name": name}]},
        lambda name: {"cohorts": [COHORT | {"diseases": [name]}]},
        lambda name: {"cohorts": [COHORT | {"control": name}]},
        lambda name: {"cohorts": [COHORT | {"views": [RNA, RNA | {"name": name, "kind": "beta"}]}]},
        lambda name: {
            "cohorts": [COHORT],
            "contrasts": [{"name": name, "factor": "sex", "level": "F", "baseline": "M"}],
        },
        lambda name: {
            "cohorts": [COHORT],
            "transfer": [{"name": name, "reference": "mine", "samples": "n.tsv", "views": [RNA]}],
        },
    ],
    ids=["cohort", "disease", "control", "view", "contrast", "transfer"],
)
def test_a_name_of_the_config_that_is_more_than_a_name_is_refused(place, name):
    with pytest.raises(InputError):
        complete_config(place(name), SCHEMA, CONTRACT)


@NAMES
def test_an_id_of_a_sheet_or_of_a_matrix_that_is_more_than_a_name_is_none(name):
    # two dots are looked for where ids are read
    assert not ID_PATTERN.match(name) or ".." in name


@pytest.mark.parametrize(
    "design",
    ["disease + __import__('os').system('touch INJECTED')", "disease + C(sex)", "disease + {sex}", "disease + `sex`",
     "disease + I(1/0)", f"disease + {HTML}", "disease + a.b()", "disease + sex ~ x"],
)  # fmt: skip
def test_a_design_is_names_and_signs_and_nothing_is_computed_from_it(design, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError):
        parse_design(design)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    ["!!python/object/apply:os.system ['touch INJECTED']", "cohorts: !!python/name:os.system", "a: &a [*a]",
     "__use_yte__: true\n?import os: x\n", "cohorts: [{name: a, name: b}]"],
    ids=["object", "name", "itself", "template", "twice"],
)  # fmt: skip
def test_a_config_is_data(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(InputError):
        complete_config(read_config(path), SCHEMA, CONTRACT)
    assert list(tmp_path.iterdir()) == [path]


class Elements(HTMLParser):
    """Every element of a page with its attributes' names, what is in scripts, and the data for them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.addresses: list[str] = []
        self.scripts: list[str] = []
        self.data: list[Any] = []
        self._inside = ""

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, tuple(name for name, _ in attributes)))
        self.addresses += [str(value) for name, value in attributes if name in ("href", "src")]
        # a script with a type that is not JavaScript's is not run
        self._inside = "data" if ("type", "application/json") in attributes else tag

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts.append(data)
        if self._inside == "data":
            self.data.append(json.loads(data))

    def handle_endtag(self, tag):
        self._inside = ""


def elements(html: str) -> Elements:
    parser = Elements()
    parser.feed(html)
    return parser


def everywhere(text: str):
    """Put a text where strangers' words reach the report: genes, features, gene sets, variables, levels, reasons."""
    tables = example_tables()
    tables["notes"] = tables["notes"].assign(item=text, what=text, reason=text)
    tables["quality"] = tables["quality"].assign(reason=[text, text] + [None] * 10, near_duplicate=None)
    tables["confounding"] = tables["confounding"].assign(variable=text, note=text)
    tables["factor_associations"] = tables["factor_associations"].assign(variable=text, factor="Factor1")
    tables["covariate_associations"] = tables["covariate_associations"].assign(variable=text)
    tables["protein"] = tables["protein"].assign(analyte=text)
    tables["agreement"] = tables["agreement"].assign(signature_a=text)
    tables["prevalence"] = tables["prevalence"].assign(published_source=text)
    tables["enrichment"] = pd.DataFrame(
        {"contrast": ["SLE_vs_HC"], "gene_set": text, "source": text, "n_genes": 3, "score": 1.0, "correlation": 0.1,
         "pvalue": 0.001, "padj": 0.001, "leading_genes": text}
    )  # fmt: skip
    tables["classes"] = tables["classes"].assign(
        reason=text, ifn_class=["unscored", *tables["classes"]["ifn_class"][1:]]
    )
    tables["stability"] = tables["stability"].assign(label=text)
    genes = volcano([0.001, 0.9, 0.002]).assign(gene_name=text, gene_id=text)
    made = results(tables, {"SLE_vs_HC": genes}, min_cell=0)
    made.samples["smoker"] = [text, "no"] * 6
    made.samples[text] = ["yes", "no"] * 6
    return made


def words(data):
    """Yield every text of some data."""
    for each in [*data, *data.values()] if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from words(each)
    if isinstance(data, str):
        yield data


def shape(data):
    """Return data without its words."""
    if isinstance(data, dict):
        return {name: shape(each) for name, each in data.items()}
    if isinstance(data, list):
        return [shape(each) for each in data]
    return type(data).__name__


@pytest.mark.parametrize("text", [text for text in ATTACKS.values() if text.strip()],
                         ids=[name for name, text in ATTACKS.items() if text.strip()])  # fmt: skip
def test_words_of_strangers_are_words_on_every_page(text):
    attacked, plain = pages(everywhere(text)), pages(everywhere("plain"))
    assert set(attacked) == set(plain)
    for name, html in attacked.items():
        found, clean = elements(html), elements(plain[name])
        # a long cell wraps, which is a class of its own
        assert {each for each in found.found if each != ("td", ("class",))} == {
            each for each in clean.found if each != ("td", ("class",))
        }
        assert [tag for tag, _ in found.found] == [tag for tag, _ in clean.found]
        assert found.scripts == clean.scripts
        assert [shape(data) for data in found.data] == [shape(data) for data in clean.data] and found.data
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069]", "".join(words(found.data)))
        assert found.addresses == clean.addresses
        assert re.findall(r"Content-Security-Policy[^>]*", html) == re.findall(
            r"Content-Security-Policy[^>]*", plain[name]
        )
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069]", html), "nothing that is not seen"


def test_words_of_strangers_are_words_in_every_figure(tmp_path):
    text = f"{HTML} & $\\frac{{$"
    folder = tmp_path / "report" / "figures"
    # the figures that show names; those of people and groups have the config's
    shown = ("covariates", "volcano", "agreement")
    draw([record for record in FIGURES if record.name in shown], everywhere(text), folder)
    svgs = list(folder.rglob("*.svg"))
    assert len(svgs) == len(shown)
    for path in svgs:
        tree = ElementTree.parse(path)
        tags = {str(element.tag).rpartition("}")[2] for element in tree.iter()}
        assert not tags & {"script", "foreignObject", "a", "iframe"}, path.name
        linked = {value for element in tree.iter() for name, value in element.attrib.items() if name.endswith("href")}
        assert all(address.startswith(("data:image/png", "#")) for address in linked), path.name
        # matplotlib would set text between dollars as a formula, or stop at it
        assert text in "".join(tree.getroot().itertext()), path.name
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_levels_of_the_sheet_are_no_formulas_in_a_spreadsheet(tmp_path):
    levels = [text for text in ATTACKS.values() if text[:1] in "=+-@" and len(text) > 1] + ["@SUM(1)", "+1+1", "\t=1"]
    sheet = pd.DataFrame({"sample": [f"S{n}" for n in range(len(levels))], "disease": "SLE", "smoker": levels})
    sheet["patient"] = sheet["sample"]
    write_samples(sheet, tmp_path / "inputs" / "samples.tsv")
    with open(tmp_path / "inputs" / "samples.tsv", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    assert len(rows) == len(levels) + 1
    assert [cell for row in rows[1:] for cell in row if cell[:1] in ("=", "+", "-", "@", "\t")] == []


def test_no_code_of_the_library_runs_text_or_reads_objects():
    forbidden = re.compile(
        r"(?<![\w.])(?:eval|exec|compile|__import__)\("
        r"|(?:import|from) (?:pickle|cloudpickle|dill|marshal)|joblib\.load|allow_pickle=True"
        # its own loader is a safe one
        r"|yaml\.(?:unsafe|full)_load|yaml\.load\((?!text, Loader=_StrictLoader)"
        r"|shell=True|os\.(?:system|popen)\(|subprocess\.getoutput"
    )
    found = {
        f"{path.name}: {line.strip()}"
        for path in (ROOT / "workflow" / "scripts").rglob("*.py")
        for line in path.read_text().splitlines()
        if forbidden.search(line.partition("#")[0])
    }
    assert found == set()


def test_no_rule_runs_a_shell():
    rules = [*(ROOT / "workflow").rglob("*.smk"), ROOT / "workflow" / "Snakefile", ROOT / "Snakefile"]
    assert [path.name for path in rules if re.search(r"^\s*shell:", path.read_text(), re.MULTILINE)] == []
    assert [path.name for path in rules if re.search(r"^\s*cache:", path.read_text(), re.MULTILINE)] == []
