"""Stratifn: which patients have an interferon-driven disease, and what do they share across diagnoses?

Run it with `make demo`, with `make run CONFIG=my.yaml`, with `make slurm CONFIG=my.yaml`, or with plain
`.venv/bin/snakemake --configfile my.yaml --cores 8`.
The pipeline itself is read from workflow/Snakefile down.
"""


include: "workflow/Snakefile"


# `include` alone leaves the default target empty, and Snakemake would silently do nothing
rule default:
    default_target: True
    input:
        rules.all.input,
    message:
        "All results of the configuration are complete"
