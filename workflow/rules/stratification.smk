"""Phase stratification: strata of the robust factors, whether they are more than chance, and what they are."""


rule stratification:
    input:
        **samples_files("{cohort}"),
        views=lambda wildcards: matrices(view_files("{cohort}/normalization", COHORTS[wildcards.cohort])),
        manifests=lambda wildcards: manifests_of(
            wildcards.cohort, "inputs", "normalization", "interferon", "integration"
        ),
        classes="<results>/{cohort}/interferon/classes.tsv",
        integrated=ancient("<results>/{cohort}/integration/model.hdf5"),
        factors="<results>/{cohort}/integration/factors.tsv",
        variance_explained="<results>/{cohort}/integration/variance_explained.tsv",
        robustness="<results>/{cohort}/integration/robustness.tsv",
    output:
        strata="<results>/{cohort}/stratification/strata.tsv",
        selection="<results>/{cohort}/stratification/selection.tsv",
        consensus="<results>/{cohort}/stratification/consensus.tsv",
        stability="<results>/{cohort}/stratification/stability.tsv",
        composition="<results>/{cohort}/stratification/composition.tsv",
        associations="<results>/{cohort}/stratification/associations.tsv",
        markers="<results>/{cohort}/stratification/markers.tsv",
        summary="<results>/{cohort}/stratification/summary.tsv",
        verdicts="<results>/{cohort}/stratification/verdicts.tsv",
        model="<results>/{cohort}/stratification/model.npz",
        manifest="<results>/{cohort}/stratification/files.tsv",
    log:
        "<logs>/{cohort}/stratification.log",
    benchmark:
        "<benchmarks>/{cohort}/stratification.tsv"
    conda:
        "../../envs/stratifn.yaml"
    resources:
        mem_mb=megabytes(1500, per_input=3),
        runtime=minutes(30),
    params:
        settings=CONFIG["stratification"],
        control=lambda wildcards: COHORTS[wildcards.cohort]["control"],
        cells=lambda wildcards: next(iter(view_names(COHORTS[wildcards.cohort], ["proportion"])), None),
        corrected_for=CONFIG["integration"]["regress_out"],
        code=digest("stratification"),
    message:
        "Stratifying cohort {wildcards.cohort}"
    script:
        "../scripts/stratification.py"
