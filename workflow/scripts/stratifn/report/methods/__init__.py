"""Text for the methods section of a paper, from what was used: values are read from tables and verdicts.

One module per phase, each with one paragraph; what did not run has no sentence. `references` holds the papers, `words`
how lists and hidden counts are written.
"""

from stratifn.report.methods.text import methods_text

__all__ = ["methods_text"]
