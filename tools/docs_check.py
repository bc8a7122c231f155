"""Are the links and the commands in README and docs true? `make docs-check`.

Nothing is run and nothing is fetched. A link within the repository must lead to a file and, behind
`#`, to one of its headings. A command in a code block or in inline code is parsed as the program
would parse it: its options exist and their values are judged; a target of `make` is in the Makefile.
Inline code may name a command without its arguments, as in `bntui show`.
"""

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from itertools import chain, product, takewhile
from pathlib import Path

import click

from bntui.cli.main import cli
from bntui.core.text import ConfigError
from bntui.experiments.library import find

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("*.md", "docs/*.md", "examples/*.md", "bntui/**/*.md")
HISTORY = "CHANGELOG.md"
"""Whose commands are those of its day."""
TOOLS = ("tests", "tools", "benchmarks", "examples")
"""Where the programs behind `make` get their options."""

FENCE = re.compile(r"^ *(```|~~~)(\w*)[^\n]*\n(.*?)^ *\1 *$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:\A|(?<=\n\n))(?:(?: {4}|\t)[^\n]*\n?)+")
INLINE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
LINK = re.compile(
    r"!?\[[^\]]*\]\(<?([^)\s>]+)>?[^)]*\)|<(?:a|img)\b[^>]*\b(?:href|src)=\"([^\"]+)\""
)
REFERENCE = re.compile(r"^\[[^\]]+\]: *(\S+)", re.MULTILINE)
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
SHELLS = ("", "sh", "bash", "shell", "console")
"""The languages of code blocks that hold commands; one without a language may."""
PYTHON_FILE = re.compile(r"[\w.]+(?:/[\w.]+)+\.py")
CUT_SHORT = {"…", "..."}
ENDS = re.compile(r"\d?[<>|&;]")
"""How a word begins that is the shell's, and the end of a command."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a document that is not true."""

    file: Path
    line: int
    says: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.says}: {self.why}"


def problems(root: Path = ROOT) -> list[Problem]:
    """Return what is wrong in the documents below `root`, file by file and line by line."""
    files = sorted({file for pattern in DOCUMENTS for file in root.glob(pattern)})
    return [problem for file in files for problem in _of_file(file, root)]


def _of_file(file: Path, root: Path) -> Iterator[Problem]:
    text = file.read_text(encoding="utf-8")
    prose = _without(text, FENCE, INDENTED, INLINE)
    found: list[tuple[int, str, str]] = []
    for match in chain(LINK.finditer(prose), REFERENCE.finditer(prose)):
        target = next(filter(None, match.groups()))
        found.append((match.start(), target, wrong_link(target, file)))
    if file.name != HISTORY:
        found += [(at, said, wrong_code(said, root)) for at, said in blocks(text)]
        found += [(at, said, wrong_code(said, root, named=True)) for at, said in inline(text)]
    for at, said, why in sorted(found):
        if why:
            yield Problem(file.relative_to(root), text.count("\n", 0, at) + 1, said, why)


def _without(text: str, *patterns: "re.Pattern[str]") -> str:
    """Return the text with blanks in the place of what matches, so that positions stay."""
    for pattern in patterns:
        text = pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    return text


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line of the code blocks that hold commands, with its position."""
    for block in FENCE.finditer(text):
        if block[2] in SHELLS:
            yield from _lines(block[3], block.start(3))
    for block in INDENTED.finditer(_without(text, FENCE)):
        yield from _lines(block[0], block.start())


def inline(text: str) -> Iterator[tuple[int, str]]:
    """Yield each piece of inline code, with its position."""
    for piece in INLINE.finditer(_without(text, FENCE, INDENTED)):
        yield piece.start(), " ".join(piece[2].split())


def _lines(block: str, start: int) -> Iterator[tuple[int, str]]:
    for line in block.splitlines(keepends=True):
        if line.strip():
            yield start, line.strip()
        start += len(line)


def wrong_link(target: str, file: Path) -> str:
    """Return why a link in `file` leads nowhere, empty if it doesn't."""
    if re.match(r"(https?|mailto):", target):
        return ""
    path, _, anchor = target.partition("#")
    there = (file.parent / path) if path else file
    if not there.exists():
        return "there is no such file"
    if anchor and anchor not in anchors(there.read_text(encoding="utf-8")):
        return "there is no such heading"
    return ""


def anchors(text: str) -> set[str]:
    """Return what GitHub calls the headings of a document."""
    found: set[str] = set()
    for match in HEADING.finditer(FENCE.sub("", text)):
        title = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", match[1])
        name = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        number = next(
            n for n in range(len(found) + 1) if (f"{name}-{n}" if n else name) not in found
        )
        found.add(f"{name}-{number}" if number else name)
    return found


def wrong_code(said: str, root: Path = ROOT, *, named: bool = False) -> str:
    """Return why a piece of code is not true, empty if it is, or is none of ours.

    Where a command is only `named`, it may lack arguments.
    """
    if PYTHON_FILE.fullmatch(said):
        known = any((root / base / said).exists() for base in ("", "bntui"))
        return "" if known else "there is no such file"
    if said.startswith("--"):
        flag = re.split(r"[ =…]", said)[0]
        return "" if flag in _bntui_flags() | tool_flags(root) else "there is no such option"
    try:
        words = shlex.split(said.removeprefix("$ "), comments=True)
    except ValueError:
        return ""  # no command: an apostrophe in a piece of a text
    words = [word for word in words if word not in CUT_SHORT]
    while words and re.fullmatch(r"\w+=.*", words[0]):
        words = words[1:]
    words = list(takewhile(lambda word: not ENDS.match(word), words)) or [""]
    name, rest = words[0], words[1:]
    if name in {"bntui", ".venv/bin/bntui"}:
        whys = (wrong_bntui(words, named=named) for words in _alternatives(rest))
        return next(filter(None, whys), "")
    if name == "make":
        return wrong_make(rest, root)
    return ""


def _alternatives(words: list[str]) -> list[list[str]]:
    """Return the commands that `--format csv|svg` stands for."""
    return [list(chosen) for chosen in product(*(word.split("|") for word in words))]


def wrong_bntui(words: list[str], *, named: bool = False) -> str:
    """Return why `bntui` would refuse these words, empty if it would not."""
    command: click.Command = cli
    if words and not words[0].startswith("-"):
        if words[0] not in cli.commands:
            return f"there is no command {words[0]}"
        command, words = cli.commands[words[0]], words[1:]
    try:
        with redirect_stdout(None):  # of --help and --version
            context = command.make_context(command.name, list(words))
        name = context.params.get("experiment")
        if name and not name.endswith(".toml"):
            find(name)
    except click.exceptions.Exit:
        return ""  # --help, --version
    except click.MissingParameter as error:
        return "" if named else error.format_message()
    except click.ClickException as error:
        return error.format_message()
    except ConfigError as error:
        return str(error)
    return ""


def wrong_make(words: list[str], root: Path = ROOT) -> str:
    """Return why `make` would refuse these words, empty if it would not."""
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):(?!=)", makefile, re.MULTILINE))
    variables = dict(word.split("=", 1) for word in words if re.match(r"\w+=", word))
    asked = [word for word in words if not re.match(r"\w+=|-", word)]
    for target in asked:
        if target not in targets:
            return f"there is no target {target}"
    for variable in variables:
        if not re.search(rf"^{variable} *\?=", makefile, re.MULTILINE):
            return f"there is no variable {variable}"
    arguments = [w for w in shlex.split(variables.get("ARGS", "")) if w not in CUT_SHORT]
    if asked == ["run"]:
        return wrong_bntui(arguments) if arguments else ""
    for flag in arguments:
        if flag.startswith("--") and flag.split("=")[0] not in tool_flags(root):
            return f"there is no option {flag}"
    return ""


@cache
def _bntui_flags() -> frozenset[str]:
    commands = (cli, *cli.commands.values())
    options = (param for command in commands for param in command.params)
    known = {flag for option in options for flag in (*option.opts, *option.secondary_opts)}
    return frozenset(known | {"--help"})


@cache
def tool_flags(root: Path = ROOT) -> frozenset[str]:
    """Return the options of pytest's and of the programs behind `make`, as their sources name them."""
    sources = [
        file.read_text(encoding="utf-8") for name in TOOLS for file in (root / name).rglob("*.py")
    ]
    made_up = re.findall(r"for what, number in \((.*?)\):$", "\n".join(sources), re.MULTILINE)
    return frozenset(
        {
            *re.findall(r'add(?:option|_argument)\(\s*"(--[\w-]+)"', "\n".join(sources)),
            *(f"--{name}" for row in made_up for name in re.findall(r'"([\w-]+)"', row)),
        }
    )


def main() -> None:
    """Print what is wrong; the exit status says whether anything is."""
    found = problems()
    for problem in found:
        print(problem)
    print(f"{len(found)} problems in README and docs" if found else "README and docs are true")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
