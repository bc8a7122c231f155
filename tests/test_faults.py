"""Tests of the table of faults itself."""

import pytest

from tools.faults import BEGIN, END, Fault, with_table

CONFTEST = "from tests.conftest import fault, pytest_addoption, pytest_configure"


def test_a_table_is_put_between_the_comments() -> None:
    rows = [Fault("b", "cut", "a|b\nc", "nothing"), Fault("a", "cut", "x", "a second")]
    text = with_table(f"before\n{BEGIN}\nold\n{END}\nafter\n", rows)
    assert text == (
        f"before\n{BEGIN}\n\n"
        "| fault | injected | what the user saw | lost |\n| --- | --- | --- | --- |\n"
        "| a | cut | x | a second |\n| b | cut | a\\|b c | nothing |\n"
        f"\n{END}\nafter\n"
    )


def test_a_text_without_the_comments_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        with_table("text", [])


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_rows_come_from_tests_that_passed(pytester: pytest.Pytester, workers: list[str]) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("""
        import pytest

        @pytest.mark.fault("disk full", injected="1 MB of disk")
        def test_passes(fault):
            fault.saw, fault.lost = "a notice", "nothing"

        def test_without():
            pass
    """)
    readme = pytester.makefile(".md", readme=f"{BEGIN}\n{END}\n")
    result = pytester.runpytest_inprocess(f"--faults={readme}", "-p", "no:cacheprovider", *workers)
    assert result.ret == pytest.ExitCode.OK
    assert "| disk full | 1 MB of disk | a notice | nothing |" in readme.read_text()


def test_a_row_that_is_not_filled_in_is_an_error(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("""
        import pytest

        @pytest.mark.fault("disk full", injected="1 MB of disk")
        def test_passes(fault):
            fault.saw = "a notice"
    """)
    readme = pytester.makefile(".md", readme=f"{BEGIN}\n{END}\n")
    before = readme.read_text()
    result = pytester.runpytest_inprocess(f"--faults={readme}", "-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert readme.read_text() == before


@pytest.mark.parametrize(
    "chosen", [[], ["-k", "passes"], ["-k", "passes", "-n", "2"], ["{file}::test_passes"]]
)
def test_a_part_of_the_rows_leaves_the_table_alone(
    pytester: pytest.Pytester, chosen: list[str]
) -> None:
    pytester.makeconftest(CONFTEST)
    file = pytester.makepyfile("""
        import pytest

        @pytest.mark.fault("disk full", injected="1 MB of disk")
        def test_passes(fault):
            fault.saw, fault.lost = "a notice", "nothing"

        def test_without():
            pytest.skip("no sshd here")
    """)
    readme = pytester.makefile(".md", readme=f"{BEGIN}\n{END}\n")
    before = readme.read_text()
    words = [word.format(file=file) for word in chosen]
    result = pytester.runpytest_inprocess(f"--faults={readme}", "-p", "no:cacheprovider", *words)
    assert result.ret == pytest.ExitCode.OK
    assert readme.read_text() == before
