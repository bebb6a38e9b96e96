"""GeoParquet: measured before it is unpacked, as a few bytes can stand for gigabytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geodata.archives import DEFAULT_LIMITS
from geodata.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

VALUE_BYTES = 8  # of a number, or of the reference to a text, in a frame
ROWS_AT_ONCE = 8_192
MOST_COLUMNS = 10_000
FAULTS = (ValueError, OSError, KeyError, TypeError, RecursionError, pa.ArrowException)


def read_parquet(path: Path, label: str) -> gpd.GeoDataFrame:
    """Read GeoParquet that is not larger than any export of a map layer.

    Raises
    ------
    DataError
        If it is no GeoParquet, or too large when unpacked.
    """
    try:
        check_parquet(path, label)
        return gpd.read_parquet(path)
    except FAULTS as error:
        msg = f"{label}: is not GeoParquet ({str(error)[:200]}); export it with its geometry"
        raise DataError(msg) from error


def check_parquet(path: Path, label: str, most_bytes: int = DEFAULT_LIMITS.total_bytes) -> None:
    """Refuse a file that unpacks to more than ``most_bytes``.

    What its footer says comes first. That counts packed values, and a text that comes a million
    times is packed once: texts are then read as references into their dictionary and added up.

    Raises
    ------
    DataError
        If it is too large when unpacked.
    """
    with path.open("rb") as handle:
        file = pq.ParquetFile(handle)
        about = file.metadata
        if about.num_columns > MOST_COLUMNS:
            msg = f"{label}: has more than {MOST_COLUMNS:,} columns; export those that are needed"
            raise DataError(msg)
        stated, values = 0, 0
        for number in range(about.num_row_groups):
            group = about.row_group(number)
            stated += group.total_byte_size
            values += sum(group.column(i).num_values for i in range(group.num_columns))
            _require_small(max(stated, values * VALUE_BYTES), path, label, most_bytes)
        texts = [field.name for field in file.schema_arrow if _is_text(field.type)]
        nested = [field.name for field in file.schema_arrow if pa.types.is_nested(field.type)]
        handle.seek(0)
        file = pq.ParquetFile(handle, read_dictionary=texts)
        total = values * VALUE_BYTES
        for columns, rows in ((texts, ROWS_AT_ONCE), (nested, ROWS_AT_ONCE // 64)):
            for batch in file.iter_batches(batch_size=rows, columns=columns) if columns else ():
                total += sum(_unpacked(column) for column in batch.columns)
                _require_small(total, path, label, most_bytes)


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_dictionary(kind)
    )


def _unpacked(column: Any) -> int:
    """Return how many bytes a column holds when every value is written out."""
    if not pa.types.is_dictionary(column.type) or pa.types.is_primitive(column.type.value_type):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary)
    return int(pc.sum(pc.take(lengths, column.indices)).as_py() or 0)


def _require_small(total: int, path: Path, label: str, most_bytes: int) -> None:
    if total > most_bytes:
        packed = path.stat().st_size
        msg = (
            f"{label}: unpacks to more than {most_bytes / 1e6:,.0f} MB from {packed / 1e6:,.1f} MB,"
            " which no export of a map layer does; export fewer rows or columns"
        )
        raise DataError(msg)
