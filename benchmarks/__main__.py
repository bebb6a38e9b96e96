"""Run every benchmark."""

from benchmarks import bench_slice

bench_slice.fit_part()
bench_slice.map_part()
