"""What every rules file needs: the checked configuration, the files that it has, digests of code, resources."""

import re
import sys
from functools import cache
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

WORKFLOW = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent
sys.path.insert(0, str(WORKFLOW / "scripts"))

from stratifn.configuration.config import RNA, SIMULATED_VIEWS, complete_config
from stratifn.configuration.contract import cohort_outputs, holds, named_tables, phase_tables, transfer_outputs
from stratifn.configuration.names import joined_columns
from stratifn.configuration.user_files import (
    frozen_files,
    input_paths,
    reference_folder,
    reference_paths,
    user_paths,
    view_names,
)
from stratifn.running.code_digest import code_digest
from stratifn.running.manifests import MANIFEST
from stratifn.running.memory import validation_megabytes
from stratifn.shared.comparisons import contrast_names, interferon_contrast_names
from stratifn.shared.errors import InputError
from stratifn.shared.vocabulary import CONCENTRATION, MEDIAN_OF_RATIOS

SCHEMA, CONTRACT = (
    yaml.safe_load((WORKFLOW / "schemas" / name).read_text(encoding="utf-8"))
    for name in ("config.schema.yaml", "outputs.yaml")
)
try:
    CONFIG = complete_config(config, SCHEMA, CONTRACT)
except InputError as error:
    raise WorkflowError(str(error)) from None

# a sorted list, because a parameter of a rule must be the same in every process
JOINED_COLUMNS = sorted(joined_columns(CONTRACT))
COHORTS = {cohort["name"]: cohort for cohort in CONFIG["cohorts"]}
TRANSFERS = {item["name"]: item for item in CONFIG["transfer"]}
# by folder below `results/`: what the contract says that each cohort, and new patients, have there
OUTPUTS = {name: cohort_outputs(CONTRACT, cohort, CONFIG) for name, cohort in COHORTS.items()}
OUTPUTS |= {f"transfer/{name}": transfer_outputs(CONTRACT, item) for name, item in TRANSFERS.items()}
RESULTS = workflow.pathvars.items["results"]
# a file that cannot be analysed is found before anything is fitted: of the jobs that are ready, validations go first
VALIDATION = 1
# of a validation's message, because a job that is killed for its memory can say nothing itself
MORE_MEMORY = "{resources.mem_mb} MB of memory; if it is killed: --set-resources {rule}:mem_mb=..."
SIGNATURES = WORKFLOW.parent / "resources" / "signatures"
GENE_SETS = WORKFLOW.parent / "resources" / "gene_sets"
SHEET_SCHEMA = WORKFLOW / "schemas" / "samples.schema.yaml"
# every table is written and read by the contract, and every job runs in the environment
EVERY_RULE = (WORKFLOW / "schemas" / "outputs.yaml", WORKFLOW.parent / "envs" / "stratifn.yaml")


def one_of(names):
    """A wildcard's pattern: one of the names; without names it matches nothing."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    cohort=one_of(COHORTS),
    name=one_of(TRANSFERS),
    seed=r"\d+",


@cache
def digest(rule, *data):
    """Digest of a rule's script, of the library modules and packages behind it, and of the data files that they read.

    Snakemake's own trigger looks at the script alone, and at its path and time.
    """
    return code_digest(WORKFLOW / "scripts" / f"{rule}.py", (*data, *EVERY_RULE))


def protein_analyte():
    """The IFN-alpha protein that a cohort must have; none where several cohorts have concentrations of their own."""
    measured = [cohort for cohort in COHORTS.values() if view_names(cohort, [CONCENTRATION])]
    return CONFIG["interferon"]["protein_analyte"] if len(measured) == 1 else None


def existing(paths):
    """The user's files that are there; what is missing is reported by the validation, together with everything else.

    `local`: `module: prefix:` leaves them alone.
    """
    return [local(path) for path in paths if Path(path).is_file()]


def sizes(paths):
    """Bytes of the user's files: a file that was replaced by an older one is seen by its size."""
    return [Path(path).stat().st_size for path in existing(paths)]


def input_files(item):
    """The files of a cohort or of new patients: made by `simulate`, or those of the user's that are there."""
    paths = user_paths(item, RESULTS)
    return matrices(paths) if item.get("simulate") else existing(paths)


def reference_files(item):
    """The frozen reference of new patients: made by this run, or those of the user's files that are there."""
    paths = reference_paths(item, COHORTS, RESULTS)
    return existing(paths) if reference_folder(item, COHORTS) else paths


def reference_manifests(item):
    """The manifest of the frozen reference of new patients; a folder of the user's may have none."""
    folder = reference_folder(item, COHORTS)
    return existing([f"{folder}/{MANIFEST}"]) if folder else manifests_of(item["reference"], "reference")


def samples_files(folder):
    """The validated sample sheet of `{cohort}` or of `transfer/{name}` and its types, as named inputs of a rule."""
    return {
        "samples": f"<results>/{folder}/inputs/samples.tsv",
        "types": f"<results>/{folder}/inputs/samples.types.json",
    }


def view_files(folder, item, kinds=None):
    """The matrices of the views of a cohort or of new patients (those of some kinds where kinds are named)."""
    return [f"<results>/{folder}/{view}.h5ad" for view in view_names(item, kinds)]


def rna_file(folder, cohort):
    """The matrix of the view `rna`, or nothing where a cohort has none."""
    return [f"<results>/{folder}/{RNA}.h5ad"] if holds(RNA, cohort) else []


def matrices(paths):
    """Large files of other jobs as inputs: the manifest beside them says whether they changed.

    Snakemake would digest them once per output of the job.
    """
    return [ancient(path) for path in paths]


def contrast_files(cohort):
    """A table per contrast of a cohort; none without a view `rna`."""
    names = contrast_names(cohort["diseases"], cohort["control"], CONFIG["contrasts"]) if holds(RNA, cohort) else []
    return [f"<results>/{cohort['name']}/differential_expression/{name}.tsv.gz" for name in names]


def outputs_of(folder, chosen=lambda output: True):
    """What the contract lists for a folder below `results/`."""
    return [f"<results>/{folder}/{output.path}" for output in OUTPUTS[folder] if chosen(output)]


def manifests_of(folder, *phases):
    """What the jobs of some phases wrote for a cohort or for new patients; of all before the provenance by default."""
    return outputs_of(
        folder,
        lambda output: output.kind == "manifest"
        and (output.phase in phases if phases else output.phase != "provenance"),
    )


def sources_of(folder):
    """The user's files that the phases of a cohort, or of new patients, read."""
    return outputs_of(folder, lambda output: output.kind == "sources")


def pages_of(name):
    """The pages of a cohort's report."""
    return outputs_of(name, lambda output: output.phase == "report" and output.path.endswith(".html"))


def recorded(folder):
    """The tables and pages whose origin is recorded: one that is edited is found out by the next run."""
    return outputs_of(
        folder,
        lambda output: output.phase != "provenance"
        and (output.kind == "table" or output.path.endswith((".html", ".md", ".json"))),
    )


def report_tables(name):
    """The tables of a cohort by their name in its report."""
    tables = named_tables(CONTRACT, [output for output in OUTPUTS[name] if output.phase != "provenance"])
    return {table: f"<results>/{name}/{path}" for table, path in tables.items()}


def settings_of(cohort, *keys):
    """A part of a cohort's settings: a rule is rerun when what it uses changes, and not otherwise."""
    return {key: cohort[key] for key in keys}


def size_in_memory(file):
    """Megabytes of a file's numbers in memory, roughly: a compressed table of text grows sixfold, the rest is binary."""
    return Path(file).stat().st_size / 1024**2 * (6 if str(file).endswith(".gz") else 1)


def megabytes(base, per_input=0.0):
    """Memory that grows with the size of the inputs, and with every attempt on a cluster.

    Measured with 450,000 CpGs of 1,620 samples: `benchmarks/results/resources.md`.
    """

    def grown(wildcards, input, attempt):
        return int((base + per_input * sum(map(size_in_memory, input))) * attempt)

    return grown


def to_validate(item):
    """Memory for reading the matrices of a cohort or of new patients, and a frozen reference of the user's.

    A validation is tried once, so it does not grow with the attempt.
    """
    kinds = {view["path"]: view["kind"] for view in item["views"]}
    frozen = [] if item.get("reference") in (None, *COHORTS) else reference_files(item)

    def needed(wildcards, input):
        # as a module's, simulated files have a prefix
        matrices = {str(file): kind for file in input.files for path, kind in kinds.items() if file.endswith(path)}
        return validation_megabytes(matrices, frozen)

    return needed


def minutes(base, per_input=0.02):
    """Run time that grows like `megabytes`."""
    return megabytes(base, per_input)
