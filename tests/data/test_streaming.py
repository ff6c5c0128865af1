"""Files larger than memory are read in bounded memory, again and again."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from detector.data.opening import open_data

MIB = 2**20
BOUNDS = {"a.parquet": 200 * MIB, "a.csv": 250 * MIB, "a.jsonl": 120 * MIB}
"""What reading may add to the process; each file holds more than twice as much."""

MEASURE = """
import resource, sys
import pyarrow.csv, pyarrow.json, pyarrow.parquet
from detector.data.opening import open_data
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
dataset = open_data(sys.argv[1])
rows = held = 0
for _ in range(2):
    for batch in dataset.batches():
        rows += batch.num_rows
        held += sum(column.nbytes for column in batch.columns)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(rows // 2, held // 2, (after - before) * 1024)
"""


def measured(path):
    """Return rows, decoded bytes of a pass and bytes added to the process by two passes."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True
    )
    return tuple(map(int, done.stdout.split()))


def write_parquet(path):
    values = np.arange(7_000_000) % 1_000
    columns = {f"x{place}": values + 0.5 + place for place in range(8)}
    parquet.write_table(pa.table(columns), path, row_group_size=len(values))
    return len(values)


def write_csv(path):
    block = "".join(f"{'lorem ipsum ' * 80}{i % 7},{i}.5\n" for i in range(2_000)).encode()
    with path.open("wb") as file:
        file.write(b"text,x\n")
        for _ in range(280):
            file.write(block)
    return 280 * 2_000


def write_json_lines(path):
    line = '{{"text": "{}{}", "x": {}.5}}\n'
    block = "".join(line.format("lorem ipsum " * 80, i % 7, i) for i in range(2_000)).encode()
    with path.open("wb") as file:
        for _ in range(130):
            file.write(block)
    return 130 * 2_000


WRITERS = {"a.parquet": write_parquet, "a.csv": write_csv, "a.jsonl": write_json_lines}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "write"), WRITERS.items(), ids=WRITERS)
def test_memory_does_not_grow_with_the_file(name, write, tmp_path):
    path = tmp_path / name
    rows = write(path)
    size = path.stat().st_size
    found, decoded, added = measured(path)
    path.unlink()
    assert found == rows
    assert max(size, decoded) > 2 * BOUNDS[name]
    assert added < BOUNDS[name]


def test_a_large_array_is_mapped_and_read_block_by_block(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((400_000, 30)))
    dataset = open_data(tmp_path / "x.npy")
    sizes = [batch.num_rows for batch in dataset.batches()]
    assert len(sizes) > 1
    assert sum(sizes) == dataset.n_rows == 400_000


def test_wide_rows_come_in_smaller_batches(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((3_000, 100, 100), np.float32))
    sizes = [batch.num_rows for batch in open_data(tmp_path / "x.npy").batches()]
    assert max(sizes) * 100 * 100 * 4 <= 64 * MIB
    assert sum(sizes) == 3_000
