"""Measures networks with batch norm: statistics, drift, evaluations, every momentum in hindsight."""
