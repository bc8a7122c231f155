"""From a snapshot to a verdict: cause, evidence and remedies. Imports no torch."""
