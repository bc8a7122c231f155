"""All benchmarks, one after the other: `make bench`, `make bench-quick`."""

from benchmarks import (
    check,
    growth,
    observing,
    recommendation,
    start,
    store,
    sweeps,
    terminal,
    throughput,
    watch,
)
from benchmarks.common import main

if __name__ == "__main__":
    main(
        throughput.tables,
        observing.tables,
        check.tables,
        watch.tables,
        terminal.tables,
        start.tables,
        growth.tables,
        store.tables,
        recommendation.tables,
        sweeps.tables,
    )
