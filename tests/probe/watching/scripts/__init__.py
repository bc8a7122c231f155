"""Small real trainings, run as programs: unwatched, with the two lines, and by `bntui watch`.

Each is called as `SCRIPT FILE [--watch]`: it prints every loss to its last digit, and saves weights,
buffers, the optimisers' state and the random streams in the file at its end.
"""
