"""The machine underneath: device, memory, paths, clock, signals."""
