"""What every rules file needs: the checked configuration, digests of the code behind a rule, resources."""

import sys
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

WORKFLOW = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent
sys.path.insert(0, str(WORKFLOW / "scripts"))

from stratifn.running.code_digest import code_digest
from stratifn.configuration.config import RNA, SIMULATED_VIEWS, complete_config
from stratifn.differential_expression.contrasts import all_contrasts, interferon_contrast_names
from stratifn.shared.errors import InputError

with (
    open(WORKFLOW / "schemas" / "config.schema.yaml", encoding="utf-8") as schema,
    open(WORKFLOW / "schemas" / "outputs.yaml", encoding="utf-8") as contract,
):
    CONTRACT_VERSION = yaml.safe_load(contract)["version"]
    try:
        CONFIG = complete_config(config, yaml.safe_load(schema))
    except InputError as error:
        raise WorkflowError(str(error)) from None

COHORTS = {cohort["name"]: cohort for cohort in CONFIG["cohorts"]}
TRANSFERS = {item["name"]: item for item in CONFIG["transfer"]}
FINAL_OUTPUTS = ("provenance/outputs.tsv", "provenance/ro-crate-metadata.json")
INTERFERON_TABLES = (
    "scores",
    "reference",
    "classes",
    "prevalence",
    "agreement",
    "mixture",
    "axes",
    "protein",
    "protein_ranks",
    "methylation",
    "confounding",
    "notes",
)
INTEGRATION_TABLES = (
    "factors",
    "variance_explained",
    "robustness",
    "seeds",
    "factor_associations",
    "warnings",
    "features",
    "overlap",
    "top_features",
    "gene_sets",
    "interferon_factor",
    "notes",
)
NOTED_PHASES = ("inputs", "normalization", "differential_expression", "interferon", "integration")
PHASES = (
    "inputs",
    "normalization",
    "differential_expression",
    "interferon",
    "integration",
    "stratification",
    "reference",
    "report",
    "mudata",
)
TRANSFER_RULES = ("transfer_inputs", "transfer", "transfer_report")
PATHS = workflow.pathvars.items
# a file that cannot be analysed is found before anything is fitted: of the jobs that are ready, validations go first
VALIDATION = 1
# what a cohort's results may depend on: neither other cohorts nor who is placed in it later
COHORT_CONFIG = {key: value for key, value in CONFIG.items() if key not in ("cohorts", "transfer")}
# the seeds are the jobs, not a setting of any one
MOFA_SETTINGS = {key: value for key, value in CONFIG["integration"].items() if key != "seeds"}
SIGNATURES = WORKFLOW.parent / "resources" / "signatures"
GENE_SETS = WORKFLOW.parent / "resources" / "gene_sets"
SHEET_SCHEMA = WORKFLOW / "schemas" / "samples.schema.yaml"
OUTPUTS = WORKFLOW / "schemas" / "outputs.yaml"
REPORT_TEMPLATES = WORKFLOW / "report"
GENES = WORKFLOW.parent / "resources" / "genes"


wildcard_constraints:
    cohort="|".join(map(re.escape, COHORTS)) or "none",
    seed=r"\d+",


def digest(rule, *data):
    """Digest of the library modules behind a rule's script, and of the data files that they read.

    Snakemake reruns a rule when its script changes, but does not see what the script imports. Every table is written
    and read by the contract of the outputs.
    """
    return code_digest(WORKFLOW / "scripts" / f"{rule}.py", (*data, OUTPUTS))


def user_path(path):
    """A path of the user's: `module: prefix:` leaves it alone, and braces in it are no wildcards."""
    return local(path.replace("{", "{{").replace("}", "}}"))


def existing(paths):
    """The paths that are there; what is missing is reported by the validation, together with everything else."""
    return [user_path(path) for path in paths if Path(path).exists()]


def input_paths(cohort):
    """Where the sheet and every view of a cohort or of new patients are, as the user wrote it."""
    if cohort.get("simulate"):
        folder = f"{PATHS['results']}/{cohort['name']}/simulated/"
        return {"samples": f"{folder}samples.tsv"} | {v["name"]: folder + v["path"] for v in cohort["views"]}
    return {"samples": cohort["samples"]} | {view["name"]: view["path"] for view in cohort["views"]}


def input_files(cohort):
    """The files of `input_paths` as a rule's input: made by `simulate`, or those of the user's that are there."""
    paths = list(input_paths(cohort).values())
    return paths if cohort.get("simulate") else existing(paths)


def reference_folder(item):
    """The user's folder with the reference of a transfer; None where it is that of a cohort of this run."""
    return None if item["reference"] in COHORTS else item["reference"]


def reference_paths(item):
    """Where the frozen reference of a transfer is: that of a cohort of this run, or a folder of the user's."""
    folder = reference_folder(item) or f"{PATHS['results']}/{item['reference']}/reference"
    return [f"{folder}/{file}" for file in ("reference.json", "arrays.npz")]


def reference_files(item):
    """The files of `reference_paths` as a rule's input: made by this run, or those of the user's that are there."""
    return existing(reference_paths(item)) if reference_folder(item) else reference_paths(item)


def reference_features(item):
    """What says, before anything is fitted, which features a reference has: its files, or its cohort's matrices."""
    return reference_files(item) if reference_folder(item) else view_files("inputs", COHORTS[item["reference"]])


def transfer_view_files(item):
    """The validated matrices of new patients."""
    return [f"<results>/transfer/{item['name']}/inputs/{view['name']}.h5ad" for view in item["views"]]


def transfer_outputs(item):
    """Every output of the rules that place new patients; their provenance lists them."""
    made = [getattr(rules, f"{rule}_{item['name']}").output for rule in TRANSFER_RULES]
    return [path for output in made for path in output]


def settings_of(cohort, *keys):
    """A part of a cohort's settings: a rule is rerun when what it uses changes, and not otherwise."""
    return {key: cohort[key] for key in keys}


def view_files(phase, cohort, kinds=None):
    """The matrices of a cohort's views after a phase (those of some kinds where kinds are named)."""
    names = [view["name"] for view in cohort["views"] if kinds is None or view["kind"] in kinds]
    return [f"<results>/{cohort['name']}/{phase}/{view}.h5ad" for view in names]


def rna_file(phase, cohort):
    """The matrix of the view `rna`, or nothing where a cohort has none."""
    return [path for path in view_files(phase, cohort) if Path(path).stem == RNA]


def interferon_reference_files():
    """The files of the reference that scores are made against, where one is named."""
    folder = CONFIG["interferon"]["reference"]
    return [f"{folder}/{name}" for name in ("reference.json", "arrays.npz")] if folder else []


def cells_view(cohort):
    """Name of the first view of cell proportions, or None."""
    return next((view["name"] for view in cohort["views"] if view["kind"] == "proportion"), None)


def with_rna(cohorts):
    """The cohorts that have a view `rna`, as (name, cohort)."""
    return [(name, cohort) for name, cohort in cohorts.items() if rna_file("inputs", cohort)]


def contrast_files(cohort):
    """A table per contrast of a cohort; none without a view `rna`."""
    names = [each.name for each in all_contrasts(cohort["diseases"], cohort["control"], CONFIG["contrasts"])]
    return [
        f"<results>/{cohort['name']}/differential_expression/{name}.tsv.gz" for name in names if with_rna({"": cohort})
    ]


def status_files(cohort):
    """A table of IFN-high against IFN-low patients, over all diseases and for each of them."""
    names = interferon_contrast_names(cohort["diseases"])
    return [f"<results>/{cohort['name']}/differential_expression/{name}.tsv.gz" for name in names]


def weight_files(cohort):
    """The weights of every view of a cohort."""
    return [f"<results>/{cohort['name']}/integration/weights_{view['name']}.tsv.gz" for view in cohort["views"]]


def table_files(name, phase, tables):
    """Paths of the tables that a phase writes."""
    return [f"<results>/{name}/{phase}/{table}.tsv" for table in tables]


def tables_of(name, *tables):
    """Paths of result tables by their name."""
    return {Path(table).stem: f"<results>/{name}/{table}.tsv" for table in tables}


def report_tables(cohort):
    """The tables that the report shows, by their name."""
    name = cohort["name"]
    tables = tables_of(
        name,
        "inputs/samples",
        "normalization/quality",
        "normalization/covariate_associations",
        "differential_expression/summary",
        "differential_expression/enrichment",
        "interferon/scores",
        "interferon/reference",
        "interferon/classes",
        "interferon/prevalence",
        "integration/factors",
        "integration/variance_explained",
        "integration/robustness",
        "integration/seeds",
        "integration/factor_associations",
        "integration/warnings",
        "integration/interferon_factor",
        "interferon/agreement",
        "interferon/mixture",
        "interferon/protein",
        "interferon/protein_ranks",
        "interferon/axes",
        "interferon/confounding",
        "interferon/methylation",
        "stratification/strata",
        "stratification/selection",
        "stratification/stability",
        "stratification/associations",
    )
    tables |= {f"{phase}_notes": f"<results>/{name}/{phase}/notes.tsv" for phase in NOTED_PHASES}
    tables |= {"stratification": f"<results>/{name}/stratification/summary.tsv"}
    tables |= {"cross_disease": f"<results>/{name}/differential_expression/cross_disease.tsv.gz"}
    if with_rna({name: cohort}):
        tables |= tables_of(name, "differential_expression/interferon_status")
        tables |= tables_of(name, "differential_expression/interferon_status_notes")
    return tables


def export_tables(name):
    """The tables that go into the MuData object."""
    return tables_of(name, "interferon/classes", "integration/factors", "stratification/strata")


def all_outputs(cohort):
    """Every output of the rules above that belongs to a cohort; what an older configuration left behind is no part."""
    name, seeds = cohort["name"], CONFIG["integration"]["seeds"]
    phases = [*PHASES, *(["interferon_status"] if with_rna({name: cohort}) else [])]
    made = [getattr(rules, f"{phase}_{name}").output for phase in phases]
    models = [f"<results>/{name}/integration/models/seed_{seed}.hdf5" for seed in seeds]
    simulated = collect(rules.simulate.output, cohort=name) if cohort["simulate"] else []
    return [*(path for output in made for path in output), *models, *simulated]


def size_in_memory(file):
    """Megabytes of a file's numbers in memory, roughly: a compressed table of text grows sixfold, the rest is binary."""
    return Path(file).stat().st_size / 1024**2 * (6 if str(file).endswith(".gz") else 1)


def megabytes(base, per_input=0.0, name=None):
    """Memory that grows with the size of the inputs, and with every attempt on a cluster.

    With `name` the inputs of that name count alone: of the others only a part is read. Measured with 450,000 CpGs of
    1,620 samples: `benchmarks/results/resources.md`.
    """

    def memory(wildcards, input, attempt):
        return int((base + per_input * sum(map(size_in_memory, input[name] if name else input))) * attempt)

    return memory


def minutes(base, per_input=0.02):
    """Run time that grows like `megabytes`."""

    def runtime(wildcards, input, attempt):
        return int((base + per_input * sum(map(size_in_memory, input))) * attempt)

    return runtime
