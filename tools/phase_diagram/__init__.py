"""Makes docs/phase-diagram.md and its picture from a sweep's data: `make phase-diagram`."""
