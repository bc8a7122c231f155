"""From a snapshot to a verdict: cause, evidence and remedy. Imports no torch."""
