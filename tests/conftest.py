"""Settings that hold before anything imports torch."""

import os

# The networks of the tests are small: on a shared machine two threads mostly wait for one another,
# and the same tests take five times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")
