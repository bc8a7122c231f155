"""Values that every part shares: settings, snapshots, series, the door to a run. Imports nothing else of ours, and no torch."""
