"""How the views were integrated, and which factors were kept."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from stratifn.report.methods.references import Citations
from stratifn.report.methods.words import number, percent, series, times
from stratifn.report.results import Results
from stratifn.shared.claims import NOT_COMPUTED

# what the variable of the interferon score is called, before a colon
SCORE = "score"
# names of the tests of a table to how a text calls them
TESTS = {
    "spearman": "Spearman's rank correlation",
    "mann_whitney": "the Mann-Whitney test",
    "kruskal_wallis": "the Kruskal-Wallis test",
}


def integration(results: Results, versions: Mapping[str, str], cite: Citations) -> str:
    """Write the paragraph on MOFA; empty where no model was trained."""
    if results.tables["seeds"].empty:
        return ""
    parts = (
        _views(results, versions, cite),
        _prepared(results),
        _models(results),
        _robust(results),
        _interferon_factor(results),
        _associations(results, cite),
    )
    return " ".join(part for part in parts if part)


def _views(results: Results, versions: Mapping[str, str], cite: Citations) -> str:
    features = results.tables["features"]
    used = features[features["selected"] > 0]
    model = f"MOFA {cite('MOFA')} (mofapy2 {versions['mofapy2']})"
    whole = (used["selected"] == used["eligible"]).all()
    what = [
        f"{row.selected} of {row.view}" if whole else _selected(row.view, row.selected, row.eligible)
        for row in used.itertuples()
    ]
    from_ = f"all features ({series(what)})" if whole else series(what)
    joined = "The view was analysed" if len(used) == 1 else "The views were integrated"
    return f"{joined} by {model}, from {from_}."


def _selected(view: str, selected: int, eligible: int) -> str:
    which = f"all {eligible}" if selected == eligible else f"the {selected} most variable of {eligible}"
    return f"{which} features of {view}"


def _prepared(results: Results) -> str:
    settings = results.config["integration"]
    scaled = " and divided by the overall SD of their view" if settings["scale_views"] else ""
    batch, fewest = settings["regress_out"], settings["min_views"]
    sentences = [
        f"Effects of {batch} were regressed out before, those of the disease being protected." if batch else "",
        f"Features were centred{scaled}.",
        f"People with fewer than {fewest} views were left out." if fewest > 1 else "",
        "People in whom a view was not measured stayed in the model with their other views."
        if _some_lack_a_view(results)
        else "",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _some_lack_a_view(results: Results) -> bool:
    features = results.tables["features"]
    return bool((features["samples"] < len(results.tables["factors"])).any())


def _models(results: Results) -> str:
    settings, seeds = results.config["integration"], results.tables["seeds"]
    precision = "single" if settings["float32"] else "double"
    how = f"{_start(results)}, convergence mode {settings['convergence']} and {precision} precision"
    chosen = seeds[seeds["chosen"]].iloc[0]
    active = f"{chosen['factors']} of its factors explained variance"
    if len(seeds) == 1:
        return f"One model was trained (seed {chosen['seed']}), with {how}; {active}.{_not_converged(seeds)}"
    return (
        f"Models were trained from {len(seeds)} seeds ({series(seeds['seed'])}), each with {how}. The model with the highest "
        f"evidence lower bound (seed {chosen['seed']}) was kept; {active}.{_not_converged(seeds)}"
    )


def _start(results: Results) -> str:
    notes = results.tables["notes"]
    fewer = notes[(notes["phase"] == "integration") & (notes["what"] == "fewer at the start")]
    started = str(fewer["reason"].iloc[0]).partition(" ")[0] if len(fewer) else results.config["integration"]["factors"]
    return f"{times(int(started), 'factor')} at the start"


def _not_converged(seeds: pd.DataFrame) -> str:
    open_ = seeds.loc[~seeds["converged"].astype(bool), "seed"]
    return (
        f" Training had not converged with {'seed' if len(open_) == 1 else 'seeds'} {series(open_)}."
        if len(open_)
        else ""
    )


def _robust(results: Results) -> str:
    table, least, share = (
        results.tables["robustness"],
        *(results.bound("factor", key) for key in ("seed_correlation", "seeds_matched")),
    )
    if least is None or share is None or table["robust"].isna().all():
        return ""
    return (
        f"A factor was called robust if it was found, with an absolute correlation of at least {number(least)}, in at least "
        f"{percent(share)} of the seeds; this applied to {len(results.robust_factors)} of {times(len(table), 'factor')}."
    )


def _interferon_factor(results: Results) -> str:
    verdicts = results.tables["verdicts"]
    rows = verdicts[(verdicts["claim"] == "interferon_factor") & (verdicts["verdict"] != NOT_COMPUTED)].set_index(
        "criterion"
    )["bound"]
    if "follows_score" not in rows:
        return ""
    conditions = ["was robust"] if "robust" in rows else []
    conditions.append(
        f"had an absolute rank correlation with the interferon score of at least {number(rows['follows_score'])}"
    )
    if "signature_auc" in rows:
        conditions.append(
            f"ranked the signature's genes by its weights with an AUC of at least {number(rows['signature_auc'])}"
        )
    return f"A factor was called the interferon factor if it {series(conditions)}."


def _associations(results: Results, cite: Citations) -> str:
    table = results.tables["factor_associations"]
    tested = table[table["pvalue"].notna()]
    tests = [words for name, words in TESTS.items() if name in set(tested["test"])]
    if not tests:
        return ""
    return (
        f"Associations of the factors with {_variables(results, tested['variable'].astype(str))} were tested by {series(tests)}, "
        f"with all p values adjusted together {cite('BH')}."
    )


def _variables(results: Results, tested: pd.Series) -> str:
    """Say where variables come from: what is before a colon is the score or a view, all others are the sheet's."""
    named = {SCORE: "the interferon score"} | {view: f"the features of {view}" for view in results.views}
    origins = tested.where(tested.str.contains(":"), "").str.partition(":")[0]
    sheet = ["the columns of the sample sheet"] if not origins.isin(list(named)).all() else []
    return series([*sheet, *(words for name, words in named.items() if name in set(origins))])
