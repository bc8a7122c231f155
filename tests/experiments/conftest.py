"""Seeds of the experiments, and the figures of every claim under each of them."""

from collections import defaultdict

import pytest

FIGURES = "figures"
"""What a test records of every comparison: the experiment, the claim's place, the left side, the sign,
the right side, and the values of both sides."""


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
    in_order = sorted(values.items(), key=lambda item: item[0][0])  # claims stay in their own
    for (of, claim, left, sign, right), seeds in in_order:
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
