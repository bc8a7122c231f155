"""Seeds of the experiments, and the figures of every claim under each of them."""

from collections import defaultdict

import pytest

FIGURES = "figures"
"""What a test records: the claim's place, then a comparison's left side, its value, sign, right side and value."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(metafunc.config.getoption("--seeds")))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what every claim compares, with the values of all seeds one after the other."""
    values: dict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    for report in sorted(reports, key=lambda report: report.nodeid):
        for name, figures in getattr(report, "user_properties", ()):
            if name == FIGURES:
                for *what, left, right in figures:
                    values[tuple(what)].append((left, right))
    if not values:
        return
    terminalreporter.section("what the claims compare, seed by seed")
    experiment = ""
    for (of, claim, left, sign, right), seeds in values.items():
        if of != experiment:
            experiment = of
            terminalreporter.write_line(of)
        lefts, rights = (" ".join(side) for side in zip(*seeds, strict=True))
        beside = "" if _is_number(right) else f" [{rights}]"
        terminalreporter.write_line(f"  {claim}. {left} [{lefts}] {sign} {right}{beside}")


def _is_number(source: str) -> bool:
    try:
        float(source)
    except ValueError:
        return False
    return True
