"""The screens of the runs that are kept."""
