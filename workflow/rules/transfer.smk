"""Phase transfer: freeze every cohort as a reference, and place new patients with such a reference alone."""

for name, cohort in COHORTS.items():

    rule:
        name:
            f"reference_{name}"
        input:
            samples=f"<results>/{name}/inputs/samples.tsv",
            types=f"<results>/{name}/inputs/samples.types.json",
            rna=rna_file("inputs", cohort),
            views=view_files("normalization", cohort),
            model=f"<results>/{name}/integration/model.hdf5",
            factors=f"<results>/{name}/integration/factors.tsv",
            strata=f"<results>/{name}/stratification/model.npz",
            stability=f"<results>/{name}/stratification/stability.tsv",
            signature_files=existing(CONFIG["interferon"]["signature_files"]),
        output:
            values=f"<results>/{name}/reference/reference.json",
            arrays=f"<results>/{name}/reference/arrays.npz",
        log:
            f"<logs>/{name}/reference.log",
        benchmark:
            f"<benchmarks>/{name}/reference.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(1500, per_input=3),
            runtime=minutes(15),
        params:
            name=name,
            control=cohort["control"],
            measured=settings_of(cohort, "specimen", "platform"),
            interferon=CONFIG["interferon"],
            corrected_for=CONFIG["integration"]["regress_out"],
            contract=CONTRACT_VERSION,
            code=digest("reference", SIGNATURES, GENE_SETS),
        message:
            f"Freezing cohort {name} as a reference"
        script:
            "../scripts/reference.py"


for name, item in TRANSFERS.items():

    rule:
        name:
            f"transfer_inputs_{name}"
        input:
            reference=reference_features(item),
            files=input_files(item),
        output:
            samples=f"<results>/transfer/{name}/inputs/samples.tsv",
            types=f"<results>/transfer/{name}/inputs/samples.types.json",
            notes=f"<results>/transfer/{name}/inputs/notes.tsv",
            views=transfer_view_files(item),
        log:
            f"<logs>/transfer/{name}/inputs.log",
            problems=f"<logs>/transfer/{name}/problems.json",
        benchmark:
            f"<benchmarks>/transfer/{name}/inputs.tsv"
        priority: VALIDATION
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(1500, per_input=3, name="files"),
            runtime=minutes(15),
        params:
            name=name,
            settings=settings_of(item, "columns", "labels", "types", "views"),
            paths=input_paths(item),
            folder=reference_folder(item),
            contract=CONTRACT_VERSION,
            code=digest("transfer_inputs", SIGNATURES, SHEET_SCHEMA),
        message:
            f"Reading and validating the inputs of new patients {name}"
        script:
            "../scripts/transfer_inputs.py"

    rule:
        name:
            f"transfer_{name}"
        input:
            reference=reference_files(item),
            samples=f"<results>/transfer/{name}/inputs/samples.tsv",
            types=f"<results>/transfer/{name}/inputs/samples.types.json",
            notes=f"<results>/transfer/{name}/inputs/notes.tsv",
            views=transfer_view_files(item),
        output:
            patients=f"<results>/transfer/{name}/patients.tsv",
            factors=f"<results>/transfer/{name}/factors.tsv",
            notes=f"<results>/transfer/{name}/notes.tsv",
            reference=f"<results>/transfer/{name}/provenance/reference.tsv",
        log:
            f"<logs>/transfer/{name}/transfer.log",
        benchmark:
            f"<benchmarks>/transfer/{name}/transfer.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(1500, per_input=4),
            runtime=minutes(30),
        params:
            measured=settings_of(item, "specimen", "platform"),
            contract=CONTRACT_VERSION,
            code=digest("transfer"),
        message:
            f"Placing the patients of {name} in the reference {item['reference']}"
        script:
            "../scripts/transfer.py"
