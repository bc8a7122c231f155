"""README and docs are true, and `make docs-check` finds it out when they are not."""

import re
from functools import partial
from pathlib import Path

import pytest

from bntui.probe.causes import Cause
from tools import docs_check
from tools.docs_check import (
    ROOT,
    anchors,
    blocks,
    inline,
    main,
    problems,
    wrong_bntui,
    wrong_code,
    wrong_make,
)


def test_the_documents_are_true() -> None:
    assert [str(problem) for problem in problems()] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 165


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with a Makefile, a page and a README that is true."""
    (tmp_path / "Makefile").write_text("ARGS ?=\n\nrun: stamp  ## open it\n\ntest:\n")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/page.md").write_text("# A page\n\n## Its `own` words, twice\n")
    (tmp_path / "README.md").write_text(
        "# It\n\nSee [the page](docs/page.md#its-own-words-twice) and [above](#it), `make test`,\n"
        "`bntui run --width 0.5` and\n\n"
        '    make run ARGS="--momentum 0.9"   # as ever\n'
        "    BNTUI_STORE=a.sqlite bntui export last --format csv|svg > a | head -1\n\n"
        "```python\nmake(nonsense)\n```\n"
    )
    return tmp_path


def test_a_true_readme_has_no_problem(project: Path) -> None:
    assert problems(project) == []


@pytest.mark.parametrize(
    ("true", "false", "why"),
    [
        ("docs/page.md#", "docs/pages.md#", "there is no such file"),
        ("#its-own-words-twice", "#its-own-words", "there is no such heading"),
        ("(#it)", "(#that)", "there is no such heading"),
        ("make test", "make tests", "there is no target tests"),
        ("make run", "make rum", "there is no target rum"),
        ("ARGS=", "ARG=", "there is no variable ARG"),
        ("--momentum 0.9", "--momenta 0.9", "No such option"),
        ("--momentum 0.9", "--momentum 1.9", "momentum 1.9"),
        ("--width", "--widths", "No such option"),
        ("bntui run", "bntui train", "there is no command train"),
        ("csv|svg", "csv|pdf", "format 'pdf' is unknown"),
        (" --format csv|svg", "", "Missing option '--format'"),
    ],
)
def test_what_is_not_true_is_found_where_it_stands(
    project: Path, true: str, false: str, why: str
) -> None:
    readme = project / "README.md"
    text = readme.read_text()
    assert true in text
    readme.write_text(text.replace(true, false))
    (problem,) = problems(project)
    assert why in problem.why
    line = text.count("\n", 0, text.index(true)) + 1
    assert str(problem).startswith(f"README.md:{line}: ")


@pytest.mark.parametrize(("false", "status"), [("", 0), (" `make nonsense`", 1)])
def test_its_exit_status_says_whether_all_is_true(
    project: Path, monkeypatch: pytest.MonkeyPatch, false: str, status: int
) -> None:
    with (project / "README.md").open("a") as readme:
        readme.write(false)
    monkeypatch.setattr(docs_check, "problems", partial(problems, project))
    with pytest.raises(SystemExit) as ended:
        main()
    assert int(ended.value.code or 0) == status


@pytest.mark.parametrize(
    "said",
    [
        "bntui",
        "bntui --experiment 1",
        "bntui experiments mine.toml",
        "bntui run --experiment every-momentum",
        "bntui run … --no-bn",
        "bntui run --help",
        "bntui <&-",
        "$ bntui runs --filter 'momentum=0.9 digits'",
        "--hindsight",
        "--seeds",
        "train/runner.py",
        "the reader's own",
        'make test-experiments ARGS="--seeds 10"',
    ],
)
def test_what_the_program_takes_is_true(said: str) -> None:
    assert wrong_code(said) == ""


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("bntui run --experiment every-momenta", "every-momenta"),
        ("bntui run --at 97:momentm=0.9", "momentm"),
        ("bntui show", "Missing argument"),
        ("--hindsights", "there is no such option"),
        ("train/runer.py", "there is no such file"),
        ('make test-experiments ARGS="--seed 10"', "there is no option --seed"),
        ('make run ARGS="--batchsize 64"', "No such option"),
    ],
)
def test_what_it_would_refuse_is_not(said: str, why: str) -> None:
    assert why in wrong_code(said)


def test_words_of_other_programs_are_left_alone() -> None:
    assert wrong_code("pip install 'bntui[tensorboard]'") == ""
    assert wrong_bntui([]) == wrong_make([]) == ""


def test_headings_have_the_names_that_github_gives_them() -> None:
    text = "# A, b & `c`\n## Twice\n### Twice\n```\n# none\n```\n## [Link](x.md) here\n"
    assert anchors(text) == {"a-b--c", "twice", "twice-1", "link-here"}


def test_code_is_found_in_blocks_of_a_shell_and_in_lines() -> None:
    text = "a `b  c`\n\n    make x\n\n```sh\nmake y\n```\n\n```toml\nmake = 1\n```\n"
    assert sorted(said for _, said in blocks(text)) == ["make x", "make y"]
    assert [said for _, said in inline(text)] == ["b c"]


def test_a_command_may_be_named_without_its_arguments() -> None:
    assert wrong_code("bntui export", named=True) == ""
    assert "no such option" in wrong_code("bntui export --formats csv", named=True).lower()


def test_every_cause_of_a_check_has_a_section_in_the_order_of_severity() -> None:
    page = (ROOT / "docs/check.md").read_text()
    causes = page.partition("\n## Causes\n")[2].partition("\n## ")[0]
    titles = re.findall(r"^### (.+)$", causes, re.MULTILINE)
    assert [name for title in titles for name in title.split(", ")] == list(Cause)
