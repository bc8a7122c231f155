"""A copy in bfloat16 of a trained model, buffers too, for images in bfloat16."""

from tests.cases.case import Case
from tests.cases.data import digits, small_cnn
from tests.cases.fit import fit


def case() -> Case:
    model = fit(small_cnn(), digits(), 300).bfloat16()
    training = digits(change=lambda images: images.bfloat16())
    validation = digits("validation", change=lambda images: images.bfloat16())
    return Case(model, validation, training)
