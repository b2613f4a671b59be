"""Tables of estimated cell types: CIBERSORT and CIBERSORTx."""

from __future__ import annotations

from stratifn.inputs.delimited import Preview, header_of
from stratifn.inputs.formats.layout import Format, Layout
from stratifn.shared.vocabulary import CONCENTRATION, CONTINUOUS, PROPORTION

_FIT = ("p-value", "correlation", "pearson correlation", "rmse")
_ABSOLUTE = "absolute score"


def _header(preview: Preview) -> list[str]:
    return [cell.strip().lower() for cell in preview.header.cells]


def _is_cibersort(preview: Preview) -> bool:
    header = _header(preview)
    return "rmse" in header and len(set(_FIT) & set(header)) >= 2


def _is_absolute(preview: Preview) -> bool:
    return _is_cibersort(preview) and any(name.startswith(_ABSOLUTE) for name in _header(preview))


def _layout(preview: Preview) -> Layout:
    header, corrections = header_of(preview)
    left_out = [n for n, name in enumerate(header) if name.lower() in _FIT or name.lower().startswith(_ABSOLUTE)]
    return Layout(header, preview.body[0].line, left_out=frozenset(left_out), corrections=corrections)


CIBERSORT_ABSOLUTE = Format(
    "cibersortx_absolute",
    "CIBERSORTx, absolute mode",
    "columns RMSE, Correlation, P-value and Absolute score",
    "these columns are left out; scores are amounts, not fractions",
    _is_absolute,
    _layout,
    kinds=(CONCENTRATION, CONTINUOUS),
)
CIBERSORT = Format(
    "cibersortx",
    "CIBERSORT or CIBERSORTx, fractions",
    "columns RMSE, Correlation and P-value",
    "these columns are left out",
    _is_cibersort,
    _layout,
    kinds=(PROPORTION,),
)
CELL_FORMATS = (CIBERSORT_ABSOLUTE, CIBERSORT)
