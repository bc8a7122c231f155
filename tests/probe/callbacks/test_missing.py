"""Callbacks whose library is not installed, and what the rest of bntui loads of libraries."""

import pytest

from tests.children import python

BLOCKED = """
import sys
for name in ("lightning", "pytorch_lightning", "keras", "transformers", "fastai"):
    sys.modules[name] = None  # as if it were not installed
import bntui
"""


@pytest.mark.parametrize(
    ("callback", "package"),
    [
        ("LightningCallback", "lightning"),
        ("KerasCallback", "keras"),
        ("TransformersCallback", "transformers"),
        ("FastaiCallback", "fastai"),
    ],
)
def test_a_sentence_names_the_package(callback: str, package: str) -> None:
    done = python(f"""{BLOCKED}
try:
    from bntui import {callback}
except ImportError as error:
    print(isinstance(error, bntui.ProbeError), error)
""")
    said = f"True bntui.{callback} needs the package {package}: pip install {package}.\n"
    assert done.stdout == said, done.stderr


def test_watching_needs_none_of_them() -> None:
    done = python(f"{BLOCKED}print(bntui.watch.__name__)")
    assert done.stdout == "watch\n", done.stderr
