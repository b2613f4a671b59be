"""Phase normalization: size factors, variance-stabilising and other transforms, and the quality of every sample."""

for name, cohort in COHORTS.items():

    rule:
        name:
            f"normalization.{name}"
        input:
            **samples_files(name),
            views=matrices(view_files(f"{name}/inputs", cohort)),
            manifests=manifests_of(name, "inputs"),
        output:
            size_factors=f"<results>/{name}/normalization/size_factors.tsv",
            quality=f"<results>/{name}/normalization/quality.tsv",
            covariate_associations=f"<results>/{name}/normalization/covariate_associations.tsv",
            notes=f"<results>/{name}/normalization/notes.tsv",
            views=view_files(f"{name}/normalization", cohort),
            manifest=f"<results>/{name}/normalization/files.tsv",
        log:
            f"<logs>/{name}/normalization.log",
        benchmark:
            f"<benchmarks>/{name}/normalization.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(2000, per_input=4),
            runtime=minutes(20),
        params:
            settings=CONFIG["normalization"],
            code=digest("normalization", SIGNATURES, GENE_SETS),
        message:
            f"Normalizing the views of cohort {name}"
        script:
            "../scripts/normalization.py"
