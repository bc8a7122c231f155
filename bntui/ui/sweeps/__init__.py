"""The screen of a sweep: its phase diagram, and the runs behind each tile."""
