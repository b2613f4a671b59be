"""Phase inputs: simulate a cohort (demo) or read one, validate it, and keep one canonical matrix per view."""

SIMULATED_FILES = [view["path"] for view in SIMULATED_VIEWS]
GENES = WORKFLOW.parent / "resources" / "genes"


rule simulate:
    output:
        sheet="<results>/{cohort}/simulated/samples.tsv",
        views=collect("<results>/{{cohort}}/simulated/{file}", file=SIMULATED_FILES),
        truth=directory("<results>/{cohort}/truth"),
        manifest="<results>/{cohort}/simulated_files.tsv",
    log:
        "<logs>/{cohort}/simulate.log",
    benchmark:
        "<benchmarks>/{cohort}/simulate.tsv"
    wildcard_constraints:
        cohort=one_of(name for name, cohort in COHORTS.items() if holds("simulate", cohort)),
    conda:
        "../../envs/stratifn.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        settings=lambda wildcards: COHORTS[wildcards.cohort]["simulate"],
        diseases=lambda wildcards: COHORTS[wildcards.cohort]["diseases"],
        control=lambda wildcards: COHORTS[wildcards.cohort]["control"],
        code=digest("simulate", SIGNATURES, GENES),
    message:
        "Simulating cohort {wildcards.cohort}"
    script:
        "../scripts/simulate.py"


for name, cohort in COHORTS.items():

    rule:
        name:
            f"inputs.{name}"
        input:
            files=input_files(cohort),
            manifests=manifests_of(name, "simulated"),
        output:
            samples=f"<results>/{name}/inputs/samples.tsv",
            types=f"<results>/{name}/inputs/samples.types.json",
            notes=f"<results>/{name}/inputs/notes.tsv",
            views=view_files(f"{name}/inputs", cohort),
            sources=f"<results>/{name}/inputs/sources.tsv",
            manifest=f"<results>/{name}/inputs/files.tsv",
        log:
            f"<logs>/{name}/inputs.log",
            problems=f"<logs>/{name}/problems.json",
        benchmark:
            f"<benchmarks>/{name}/inputs.tsv"
        priority: VALIDATION
        # a mistake is one job and one message; for more memory see docs/slurm.md
        retries: 0
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=to_validate(cohort),
            runtime=minutes(15),
        params:
            cohort=settings_of(
                cohort, "columns", "labels", "types", "extra_samples", "diseases", "control", "design", "views"
            ),
            paths=input_paths(cohort, RESULTS),
            sizes=sizes([] if holds("simulate", cohort) else user_paths(cohort, RESULTS)),
            known=CONFIG["diseases"],
            joined=JOINED_COLUMNS,
            contrasts=CONFIG["contrasts"],
            gene_sets=CONFIG["differential_expression"]["gene_sets"],
            integration=settings_of(CONFIG["integration"], "regress_out", "min_views"),
            # what all cohorts share is judged with the first one
            first=name == next(iter(COHORTS)),
            reference=CONFIG["interferon"]["reference"],
            analyte=protein_analyte(),
            contract=CONTRACT["version"],
            signature_files=CONFIG["interferon"]["signature_files"],
            signatures=[CONFIG["interferon"]["signature"], *CONFIG["interferon"]["extra_signatures"]],
            ratio=CONFIG["normalization"]["size_factors"] == MEDIAN_OF_RATIOS,
            code=digest("inputs", SIGNATURES, GENES, GENE_SETS, SHEET_SCHEMA),
        message:
            f"Reading and validating the inputs of cohort {name} ({MORE_MEMORY})"
        script:
            "../scripts/inputs.py"
