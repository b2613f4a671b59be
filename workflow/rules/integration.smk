"""Phase integration: MOFA over all views, one job per seed, then the best model and what the other seeds say of it."""

for name, cohort in COHORTS.items():

    rule:
        name:
            f"mofa_{name}"
        input:
            samples=f"<results>/{name}/inputs/samples.tsv",
            types=f"<results>/{name}/inputs/samples.types.json",
            views=view_files("normalization", cohort),
        output:
            model=f"<results>/{name}/integration/models/seed_{{seed}}.hdf5",
        log:
            f"<logs>/{name}/mofa_{{seed}}.log",
        benchmark:
            f"<benchmarks>/{name}/mofa_{{seed}}.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(1500, per_input=3),
            runtime=minutes(60, per_input=0.05),
        params:
            settings=MOFA_SETTINGS,
            code=digest("mofa"),
        message:
            f"Training MOFA on cohort {name}, seed {{wildcards.seed}}"
        script:
            "../scripts/mofa.py"

    rule:
        name:
            f"integration_{name}"
        input:
            samples=f"<results>/{name}/inputs/samples.tsv",
            types=f"<results>/{name}/inputs/samples.types.json",
            views=view_files("normalization", cohort),
            classes=f"<results>/{name}/interferon/classes.tsv",
            models=collect(
                "<results>/{cohort}/integration/models/seed_{seed}.hdf5",
                cohort=name,
                seed=CONFIG["integration"]["seeds"],
            ),
        output:
            model=f"<results>/{name}/integration/model.hdf5",
            tables=table_files(name, "integration", INTEGRATION_TABLES) + weight_files(cohort),
        log:
            f"<logs>/{name}/integration.log",
        benchmark:
            f"<benchmarks>/{name}/integration.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(1500, per_input=3),
            runtime=minutes(15),
        params:
            settings=MOFA_SETTINGS,
            signature=CONFIG["interferon"]["signature"],
            signature_files=CONFIG["interferon"]["signature_files"],
            code=digest("integration", SIGNATURES),
        message:
            f"Choosing the MOFA model of cohort {name}"
        script:
            "../scripts/integration.py"
