"""Phase transfer: freeze every cohort as a reference, and place new patients with such a reference alone."""


rule reference:
    input:
        **samples_files("{cohort}"),
        rna=lambda wildcards: matrices(rna_file("{cohort}/inputs", COHORTS[wildcards.cohort])),
        views=lambda wildcards: matrices(view_files("{cohort}/normalization", COHORTS[wildcards.cohort])),
        model=ancient("<results>/{cohort}/integration/model.hdf5"),
        factors="<results>/{cohort}/integration/factors.tsv",
        strata="<results>/{cohort}/stratification/model.npz",
        stability="<results>/{cohort}/stratification/stability.tsv",
        verdicts=[
            "<results>/{cohort}/interferon/verdicts.tsv",
            "<results>/{cohort}/integration/verdicts.tsv",
            "<results>/{cohort}/stratification/verdicts.tsv",
        ],
        signature_files=existing(CONFIG["interferon"]["signature_files"]),
        manifests=lambda wildcards: manifests_of(
            wildcards.cohort, "inputs", "normalization", "interferon", "integration", "stratification"
        ),
        sources="<results>/{cohort}/interferon/sources.tsv",
    output:
        values="<results>/{cohort}/reference/reference.json",
        arrays="<results>/{cohort}/reference/arrays.npz",
        manifest="<results>/{cohort}/reference/files.tsv",
    log:
        "<logs>/{cohort}/reference.log",
    benchmark:
        "<benchmarks>/{cohort}/reference.tsv"
    conda:
        "../../envs/stratifn.yaml"
    resources:
        mem_mb=megabytes(1500, per_input=3),
        runtime=minutes(15),
    params:
        source=lambda wildcards: {
            "contract": CONTRACT["version"],
            **settings_of(COHORTS[wildcards.cohort], "name", "specimen", "platform", "control"),
        },
        control=lambda wildcards: COHORTS[wildcards.cohort]["control"],
        interferon=CONFIG["interferon"],
        corrected_for=CONFIG["integration"]["regress_out"],
        code=digest("reference", SIGNATURES, GENE_SETS),
    message:
        "Freezing cohort {wildcards.cohort} as a reference"
    script:
        "../scripts/reference.py"


for name, item in TRANSFERS.items():

    rule:
        name:
            f"transfer_inputs.{name}"
        input:
            # what says, before anything is fitted, which features it has: its files, or its cohort's matrices
            reference=(
                []
                if reference_folder(item, COHORTS)
                else matrices(view_files(f"{item['reference']}/inputs", COHORTS[item["reference"]]))
            ),
            files=input_files(item) + (reference_files(item) if reference_folder(item, COHORTS) else []),
            manifests=(
                reference_manifests(item)
                if reference_folder(item, COHORTS)
                else manifests_of(item["reference"], "inputs")
            ),
        output:
            samples=f"<results>/transfer/{name}/inputs/samples.tsv",
            types=f"<results>/transfer/{name}/inputs/samples.types.json",
            notes=f"<results>/transfer/{name}/inputs/notes.tsv",
            views=view_files(f"transfer/{name}/inputs", item),
            sources=f"<results>/transfer/{name}/inputs/sources.tsv",
            manifest=f"<results>/transfer/{name}/inputs/files.tsv",
        log:
            f"<logs>/transfer/{name}/inputs.log",
            problems=f"<logs>/transfer/{name}/problems.json",
        benchmark:
            f"<benchmarks>/transfer/{name}/inputs.tsv"
        priority: VALIDATION
        retries: 0
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=to_validate(item),
            runtime=minutes(15),
        params:
            name=name,
            settings=settings_of(item, "columns", "control", "labels", "types", "extra_samples", "views"),
            paths=input_paths(item, RESULTS),
            sizes=sizes(user_paths(item, RESULTS)),
            folder=reference_folder(item, COHORTS),
            joined=JOINED_COLUMNS,
            contract=CONTRACT["version"],
            code=digest("transfer_inputs", SIGNATURES, GENES, GENE_SETS, SHEET_SCHEMA),
        message:
            f"Reading and validating the inputs of new patients {name} ({MORE_MEMORY})"
        script:
            "../scripts/transfer_inputs.py"


rule transfer:
    input:
        **samples_files("transfer/{name}"),
        reference=lambda wildcards: reference_files(TRANSFERS[wildcards.name]),
        notes="<results>/transfer/{name}/inputs/notes.tsv",
        views=lambda wildcards: matrices(view_files("transfer/{name}/inputs", TRANSFERS[wildcards.name])),
        manifests=lambda wildcards: manifests_of(f"transfer/{wildcards.name}", "inputs")
        + reference_manifests(TRANSFERS[wildcards.name]),
        sources="<results>/transfer/{name}/inputs/sources.tsv",
    output:
        patients="<results>/transfer/{name}/patients.tsv",
        factors="<results>/transfer/{name}/factors.tsv",
        notes="<results>/transfer/{name}/notes.tsv",
        verdicts="<results>/transfer/{name}/verdicts.tsv",
        reference="<results>/transfer/{name}/provenance/reference.tsv",
        manifest="<results>/transfer/{name}/files.tsv",
    log:
        "<logs>/transfer/{name}/transfer.log",
    benchmark:
        "<benchmarks>/transfer/{name}/transfer.tsv"
    conda:
        "../../envs/stratifn.yaml"
    resources:
        mem_mb=megabytes(1500, per_input=4),
        runtime=minutes(30),
    params:
        measured=lambda wildcards: settings_of(TRANSFERS[wildcards.name], "specimen", "platform", "control"),
        contract=CONTRACT["version"],
        code=digest("transfer"),
    message:
        "Placing the patients of {wildcards.name} with {input.reference[0]}"
    script:
        "../scripts/transfer.py"
