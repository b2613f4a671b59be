"""What Snakemake gives a script, for jobs that tests run without it."""

from __future__ import annotations


class Files(dict):
    """Files of a rule by their names: iterated, it is the files, and the first has number 0."""

    def __iter__(self):
        return iter([file for files in self.values() for file in ([files] if isinstance(files, str) else files)])

    def __getattr__(self, name):
        try:
            return super().__getitem__(name)
        except KeyError as error:
            raise AttributeError(name) from error

    def __getitem__(self, name):
        return list(self)[name] if isinstance(name, int) else super().__getitem__(name)
