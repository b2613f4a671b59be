"""Phase stratification: strata of the robust factors, whether they are more than chance, and what they are."""

for name, cohort in COHORTS.items():

    rule:
        name:
            f"stratification_{name}"
        input:
            samples=f"<results>/{name}/inputs/samples.tsv",
            types=f"<results>/{name}/inputs/samples.types.json",
            views=view_files("normalization", cohort),
            classes=f"<results>/{name}/interferon/classes.tsv",
            factors=f"<results>/{name}/integration/factors.tsv",
            variance_explained=f"<results>/{name}/integration/variance_explained.tsv",
            robustness=f"<results>/{name}/integration/robustness.tsv",
        output:
            strata=f"<results>/{name}/stratification/strata.tsv",
            selection=f"<results>/{name}/stratification/selection.tsv",
            stability=f"<results>/{name}/stratification/stability.tsv",
            composition=f"<results>/{name}/stratification/composition.tsv",
            associations=f"<results>/{name}/stratification/associations.tsv",
            markers=f"<results>/{name}/stratification/markers.tsv",
            summary=f"<results>/{name}/stratification/summary.tsv",
            model=f"<results>/{name}/stratification/model.npz",
        log:
            f"<logs>/{name}/stratification.log",
        benchmark:
            f"<benchmarks>/{name}/stratification.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(1500, per_input=3),
            runtime=minutes(30),
        params:
            settings=CONFIG["stratification"],
            control=cohort["control"],
            cells=cells_view(cohort),
            code=digest("stratification"),
        message:
            f"Stratifying cohort {name}"
        script:
            "../scripts/stratification.py"
