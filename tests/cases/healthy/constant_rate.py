"""SGD with a constant rate, stopped where it was: the weights still move, and statistics follow."""

from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train


def case() -> Case:
    model = train(small_cnn(), digits(), 400, rate=0.02).eval()
    return Case(model, digits("validation"), digits())
