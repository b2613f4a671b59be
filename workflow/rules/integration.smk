"""Phase integration: MOFA over all views, one job per seed, then the best model and what the other seeds say of it."""

# the seeds are the jobs, not a setting of any one; what the chosen model's file holds changes no training
MOFA_SETTINGS = {key: value for key, value in CONFIG["integration"].items() if key not in ("seeds", "save_data")}


rule mofa:
    input:
        **samples_files("{cohort}"),
        views=lambda wildcards: matrices(view_files("{cohort}/normalization", COHORTS[wildcards.cohort])),
        manifests=lambda wildcards: manifests_of(wildcards.cohort, "inputs", "normalization"),
    output:
        model="<results>/{cohort}/integration/models/seed_{seed}.hdf5",
        manifest="<results>/{cohort}/integration/models/seed_{seed}_files.tsv",
    log:
        "<logs>/{cohort}/mofa_{seed}.log",
    benchmark:
        "<benchmarks>/{cohort}/mofa_{seed}.tsv"
    conda:
        "../../envs/stratifn.yaml"
    resources:
        mem_mb=megabytes(1500, per_input=3),
        runtime=minutes(60, per_input=0.05),
    params:
        settings=MOFA_SETTINGS,
        code=digest("mofa"),
    message:
        "Training MOFA on cohort {wildcards.cohort}, seed {wildcards.seed}"
    script:
        "../scripts/mofa.py"


for name, cohort in COHORTS.items():

    rule:
        name:
            f"integration.{name}"
        input:
            **samples_files(name),
            views=matrices(view_files(f"{name}/normalization", cohort)),
            classes=f"<results>/{name}/interferon/classes.tsv",
            models=matrices(collect(rules.mofa.output.model, cohort=name, seed=CONFIG["integration"]["seeds"])),
            signature_files=existing(CONFIG["interferon"]["signature_files"]),
            manifests=manifests_of(name, "inputs", "normalization", "interferon")
            + collect(rules.mofa.output.manifest, cohort=name, seed=CONFIG["integration"]["seeds"]),
            sources=f"<results>/{name}/interferon/sources.tsv",
        output:
            model=f"<results>/{name}/integration/model.hdf5",
            tables=outputs_of(name, lambda output: (output.phase, output.kind) == ("integration", "table")),
            manifest=f"<results>/{name}/integration/files.tsv",
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
            save_data=CONFIG["integration"]["save_data"],
            signature=CONFIG["interferon"]["signature"],
            signature_files=CONFIG["interferon"]["signature_files"],
            code=digest("integration", SIGNATURES, GENE_SETS),
        message:
            f"Choosing the MOFA model of cohort {name}"
        script:
            "../scripts/integration.py"
