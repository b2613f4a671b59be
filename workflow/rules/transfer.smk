"""Phase transfer: freeze every cohort as a reference, and place new patients with such a reference alone."""

for name, cohort in COHORTS.items():

    rule:
        name:
            f"reference_{name}"
        input:
            samples=f"<results>/{name}/inputs/samples.tsv",
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
            mem_mb=megabytes(1500, per_input=20),
            runtime=minutes(15),
        params:
            name=name,
            control=cohort["control"],
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
            f"transfer_{name}"
        input:
            reference=reference_files(item),
            files=input_files(item),
        output:
            patients=f"<results>/transfer/{name}/patients.tsv",
            factors=f"<results>/transfer/{name}/factors.tsv",
            notes=f"<results>/transfer/{name}/notes.tsv",
        log:
            f"<logs>/transfer/{name}.log",
            problems=f"<logs>/transfer/{name}.problems.json",
        benchmark:
            f"<benchmarks>/transfer/{name}.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(1500, per_input=40),
            runtime=minutes(30, per_input=0.5),
        params:
            settings=settings_of(item, "columns", "labels", "views"),
            paths=input_paths(item),
            folder=None if item["reference"] in COHORTS else item["reference"],
            contract=CONTRACT_VERSION,
            code=digest("transfer", SIGNATURES, SHEET_SCHEMA),
        message:
            f"Placing the patients of {name} in the reference {item['reference']}"
        script:
            "../scripts/transfer.py"
