"""Whether a batch can be believed: enough rows, few refused, no value that jumped beyond reason."""

from collections.abc import Mapping

from collectors.model import Batch, Changed, Rejected, Row, Source
from collectors.payload import mostly_fit
from storage.read import Known
from storage.texts import N_


def check(source: Source, batch: Batch, known: Known) -> Batch:
    """The batch with rows that jumped set aside. Raises Changed `suspect`: old values then stay."""
    if source.jump:
        column, factor = source.jump
        last = known.last.get((source.table.name, column), {})
        batch = _without_jumps(batch, column, factor, last, source.table.key[0])
    _enough(source, batch)
    return batch


def _without_jumps(batch: Batch, column: str, factor: float, last: Mapping[str, float], key: str) -> Batch:
    kept: list[Row] = []
    jumped: list[Rejected] = []
    for row in batch.rows:
        before, value = last.get(str(row[key])), row[column]
        if before and isinstance(value, float) and not 1 / factor <= value / before <= factor:
            jumped.append(Rejected({**row, "before": before}, f"jump:{column}"))
        else:
            kept.append(row)
    return Batch(kept, (*batch.rejected, *jumped))


def _enough(source: Source, batch: Batch) -> None:
    mostly_fit(batch)
    # Twins are one row: twenty times the same coin is not a market.
    rows = len({tuple(row[name] for name in source.table.key) for row in batch.rows})
    least, most = source.rows
    if not least <= rows <= most:
        raise Changed(
            "suspect",
            N_("{rows} rows came where {least} to {most} are plausible. Old values stay."),
            rows=rows,
            least=least,
            most=most,
        )
