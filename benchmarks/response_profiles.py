"""How far each gene rises under type I and type II interferon: make the table of the registry, and check it.

    python benchmarks/response_profiles.py table ../shared/data/ifn-stimulated-airway
    python benchmarks/response_profiles.py check ../shared/data

``table`` writes ``resources/signatures/response_profiles.tsv`` from the counts of small airway epithelial cells under IFN-alpha,
IFN-beta and IFN-gamma (GEO GSE161664). ``check`` types those cells again, each by profiles that were learnt without it, and people
of other tissues, and prints both tables.

A gene is in the table if a verified signature of the registry names it, and if it rises by at least 1 log2 and by at least four
standard errors under type I (mean of alpha and beta) or under gamma. IFN-lambda is not used: it is there to be typed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from measuring import RESULTS, ROOT, default_settings, markdown, run_line, write_part

from stratifn.interferon import expression
from stratifn.interferon.scored import Cohort, Interferon, analyse_cohort
from stratifn.interferon.settings import Origin, Settings
from stratifn.registry.knowledge import Knowledge, load_knowledge
from stratifn.registry.signatures import ProfileGene, Registry
from stratifn.shared.vocabulary import CONTINUOUS, COUNTS

TABLE = ROOT / "resources" / "signatures" / "response_profiles.tsv"
PAGE = RESULTS / "calibration_types.md"
CONTROL, TYPE_I, TYPE_II = "Control", ("IFNa", "IFNb"), ("IFNg",)
FEWEST_LOG2, FEWEST_ERRORS = 1.0, 4.0
SOURCE = "GEO GSE161664, small airway epithelial cells: IFN-alpha and IFN-beta (mean), IFN-gamma, each over unstimulated cells"
DIGITS = 4
# folder of the check: matrix, sheet, column, kind, label of the controls, what it is
OTHERS = (
    ("sle-blood", "GSE65391_expr_log2.tsv.gz", "GSE65391_samples.tsv", "group", CONTINUOUS, "Healthy_sample", "whole blood, array"),
    ("sle-blood", "GSE72509_expr_log2.tsv.gz", "GSE72509_samples.tsv", "group", CONTINUOUS, "Healthy_sample", "whole blood, RNA-seq"),
    ("ssc-blood", "expr_log2_symbol.tsv.gz", "samples.tsv", "condition", CONTINUOUS, "Control", "peripheral blood cells, array"),
    ("pss-salivary-gland", "counts.tsv.gz", "samples.tsv", "condition", COUNTS, "nonSS", "salivary gland, RNA-seq"),
    ("myositis-muscle", "counts.tsv.gz", "samples.tsv", "Phenotype", COUNTS, "AMP", "muscle, RNA-seq"),
)  # fmt: skip


def load(folder: Path, matrix: str, sheet: str, group: str, kind: str) -> tuple[ad.AnnData, pd.DataFrame]:
    """Return values (samples x genes) and a sheet with ``sample`` and ``disease``, sorted by sample."""
    values = pd.read_csv(folder / matrix, sep="\t", index_col=0)
    values = values[~values.index.duplicated()]
    samples = pd.read_csv(folder / sheet, sep="\t")
    samples = samples.rename(columns={samples.columns[0]: "sample", group: "disease"}).sort_values("sample")
    data = ad.AnnData(values[samples["sample"]].T.astype(float), uns={"kind": kind})
    data.var["gene_name"] = data.var_names
    return data, samples.reset_index(drop=True)


def learn(data: ad.AnnData, stimulus: np.ndarray, registry: Registry) -> pd.DataFrame:
    """Return the rise of each gene under type I and type II with its standard error (log2, normalised counts + 1).

    Parameters
    ----------
    data
        Counts (samples x genes).
    stimulus
        Of each sample.
    registry
        Whose verified signatures name the genes.
    """
    values = expression.dense(data)
    log_means = expression.log_geometric_means(values[stimulus == CONTROL])
    log2 = expression.log2_values(values, COUNTS, expression.size_factors(values, log_means))
    named = [name for name in registry.verified_sets() if registry.signature(name).ifn_type in ("I", "II", "mixed")]
    wanted = expression.wanted_genes(registry, named)
    features = expression.locate_genes(data.var, wanted, registry.aliases).features
    genes = sorted(features)
    table = pd.DataFrame(log2[:, data.var_names.get_indexer([features[gene] for gene in genes])], columns=genes)
    groups = table.groupby(stimulus)
    # one variance per gene, of all stimuli
    variance = ((groups.count() - 1).mul(groups.var())).sum() / (len(table) - len(groups))
    means, sizes = groups.mean(), groups.size()
    rises = {}
    for column, stimuli in (("type_i", TYPE_I), ("type_ii", TYPE_II)):
        rises[column] = means.loc[list(stimuli)].mean() - means.loc[CONTROL]
        share = (1 / sizes[list(stimuli)]).sum() / len(stimuli) ** 2 + 1 / sizes[CONTROL]
        rises[f"{column}_se"] = np.sqrt(variance * share)
    found = pd.DataFrame(rises)
    kept = pd.concat(
        [
            (found[name] >= FEWEST_LOG2) & (found[name] >= FEWEST_ERRORS * found[f"{name}_se"])
            for name in ("type_i", "type_ii")
        ],
        axis=1,
    ).any(axis=1)
    found = found[kept].round(DIGITS).rename_axis("gene_symbol").reset_index()
    found.insert(1, "ensembl_id", found["gene_symbol"].map(wanted))
    return found.assign(source=SOURCE)


def with_profiles(knowledge: Knowledge, table: pd.DataFrame) -> Knowledge:
    """Return what is known, with other profiles."""
    profiles = tuple(
        ProfileGene(row.gene_symbol, row.ensembl_id, row.type_i, row.type_ii, row.source) for row in table.itertuples()
    )
    return replace(knowledge, registry=replace(knowledge.registry, profiles=profiles))


def typed(data: ad.AnnData, samples: pd.DataFrame, control: str, knowledge: Knowledge) -> Interferon:
    """Analyse a cohort that may have only three controls."""
    settings = replace(Settings.from_config(default_settings("interferon")), min_controls=3)
    origin = Origin(specimen="other", platform="rnaseq", control_type="other")
    return analyse_cohort(data, Cohort(samples, control, origin), knowledge, settings)


def left_out(folder: Path, knowledge: Knowledge) -> pd.DataFrame:
    """Return the types of stimulated cells, each by profiles learnt without it, controls by other controls as well."""
    data, samples = load(folder, "counts.tsv.gz", "samples.tsv", "stimulus", COUNTS)
    stimulus = samples["disease"].to_numpy()
    rows = []
    for place, sample in enumerate(samples["sample"]):
        others = np.arange(len(samples)) != place
        profiles = learn(data[others], stimulus[others], knowledge.registry)
        sheet = samples.copy()
        if sheet.loc[place, "disease"] == CONTROL:
            sheet.loc[place, "disease"] = "left out"
        found = typed(data, sheet, CONTROL, with_profiles(knowledge, profiles)).types.set_index("sample").loc[sample]
        rows.append({"stimulus": stimulus[place], "sample": sample, **found.drop("disease")})
    return pd.DataFrame(rows)


def other_tissues(folder: Path, knowledge: Knowledge) -> Iterator[pd.DataFrame]:
    """Yield the types of people of other tissues."""
    for name, matrix, sheet, group, kind, control, tissue in OTHERS:
        data, samples = load(folder / name, matrix, sheet, group, kind)
        yield typed(data, samples, control, knowledge).types.assign(tissue=tissue, cohort=name)


def counted(types: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return how many of each group have each type, and the medians of what was fitted."""
    groups = types.groupby(by, sort=False)
    numbers = pd.crosstab([types[name] for name in by], types["ifn_type"].fillna("NA"))
    shown = groups[["type_i", "type_ii", "explained"]].median().round(2)
    genes = groups["genes_found"].first().astype(str) + " of " + groups["genes_total"].first().astype(str)
    shares = numbers.apply(lambda row: ", ".join(f"{name} {n}" for name, n in row.items() if n), axis=1)
    table = pd.DataFrame({"people": groups.size(), "types": shares, "genes": genes}).join(shown)
    return table.reset_index().rename(columns={"type_i": "type I (log2)", "type_ii": "type II (log2)"})


def check(folder: Path) -> str:
    knowledge = load_knowledge()
    cells = counted(left_out(folder / "ifn-stimulated-airway", knowledge), ["stimulus"])
    people = counted(pd.concat(other_tissues(folder, knowledge)), ["tissue", "cohort", "disease"])
    return (
        "Stimulated small airway epithelial cells, each typed by profiles learnt without it (leave one replicate out; IFN-lambda is "
        f"in no profile; four controls, a left-out control by the other three):\n\n{markdown(cells)}\n\n"
        "Other tissues, typed by the profiles of the airway cells. Nobody knows their true types; medians over the people:\n\n"
        f"{markdown(people)}\n\n{run_line('numpy', 'scipy')}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["table", "check"])
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if arguments.part == "table":
        data, samples = load(arguments.folder, "counts.tsv.gz", "samples.tsv", "stimulus", COUNTS)
        table = learn(data, samples["disease"].to_numpy(), load_knowledge().registry)
        table.to_csv(TABLE, sep="\t", index=False, lineterminator="\n")
        return
    text = check(arguments.folder)
    write_part(PAGE, "# Calibration of interferon types and of shallow libraries", "Types in real data", text)
    print(text)


if __name__ == "__main__":
    main()
