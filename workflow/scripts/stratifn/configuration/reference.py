"""The reference of every configuration key, made from the schema so that the two cannot differ."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from stratifn.configuration.schema import allowed_values
from stratifn.shared.files import write_text

INTRODUCTION = """\
# Configuration

This page is made from `workflow/schemas/config.schema.yaml` by `make docs`; change the schema, not this page.

Write your own file with `cohorts:` and any other key that you want to change, and run `make run CONFIG=my.yaml`
(`make check CONFIG=my.yaml` only validates the configuration and the data). Relative paths are relative to the
folder of your file with `make run`, and to the working directory with plain `snakemake`. Unknown keys are an error.

```yaml
control: HC
diseases: [SSc]
cohorts:
  - name: mine
    samples: samples.tsv
    columns: {sample: gsm, disease: condition, sex: gender} # ours: the sheet's
    labels: {SSc: systemic sclerosis patient, HC: Control} # ours: the sheet's
    design: disease + sex + age
    views:
      - {name: rna, kind: counts, path: counts.tsv.gz}
      - {name: methylation, kind: beta, path: methylation.parquet}
      - {name: cytokines, kind: concentration, path: cytokines.tsv}
      - {name: cells, kind: proportion, path: flow.tsv}
```

Order of precedence: `--config` on the command line, `--configfile`, `config/config.yaml`, the default below.
A list replaces a list, so your `cohorts:` replace the demo.

The files in `config/examples/` are configurations for public data sets; `python config/examples/prepare.py` says where the data are
from, and puts what you downloaded in their place.

## Sample sheet

These columns are known, after `columns` and `labels` are applied; any other column is a covariate.

"""


def config_reference(schema: dict[str, Any], samples: dict[str, Any]) -> str:
    """Write the Markdown page: the columns of the sheet, then every key with its default, values and description.

    Raises
    ------
    KeyError
        If a key has no description.
    """
    lines = ["| column | required | meaning |", "| --- | --- | --- |"]
    for name, column in samples["properties"].items():
        required = "yes" if name in samples["required"] else "no"
        lines.append(f"| `{name}` | {required} | {column['description']} |")
    titled = [entry for entry in schema["$defs"].values() if "title" in entry]
    lines += ["", "## Keys", "", *(f"{entry['title'].capitalize()}: {entry['description']}." for entry in titled)]
    lines += ["", "| key | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    lines += [f"| `{key}` | {default} | {allowed} | {text} |" for key, default, allowed, text in keys(schema)]
    return INTRODUCTION + "\n".join(lines) + "\n"


def keys(
    schema: dict[str, Any], prefix: str = "", definitions: dict[str, Any] | None = None
) -> Iterator[tuple[str, str, str, str]]:
    """List every key (dotted; `[]` for the items of a list): its default, allowed values and description, as text."""
    definitions = schema.get("$defs", {}) if definitions is None else definitions
    for name, entry in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        is_list = "items" in entry
        inner = entry["items"] if is_list else entry
        nested = "properties" in inner
        required = name in schema.get("required", [])
        default = _default(entry, nested, required)
        yield path, default, allowed_values(entry, definitions), entry["description"]
        if nested:
            yield from keys(inner, f"{path}{'[]' if is_list else ''}.", definitions)


def _default(entry: dict[str, Any], nested: bool, required: bool) -> str:
    if required:
        return "required"
    if nested and entry["default"] == {}:
        return "see below"
    return f"`{yaml.safe_dump(entry['default'], default_flow_style=True).removesuffix(chr(10)).removesuffix('...').strip()}`"


def main(arguments: list[str]) -> None:
    """Write the page: schema and target are the arguments."""
    schema_path, target = map(Path, arguments)
    samples_path = schema_path.with_name("samples.schema.yaml")
    schema, samples = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in (schema_path, samples_path))
    write_text(config_reference(schema, samples), target)


if __name__ == "__main__":
    main(sys.argv[1:])
