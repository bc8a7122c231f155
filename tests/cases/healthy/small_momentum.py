"""torch's momentum at 0.01, and enough updates for it."""

from tests.cases.case import Case
from tests.cases.data import digits, small_cnn
from tests.cases.fit import fit


def case() -> Case:
    model = fit(small_cnn(momentum=0.01), digits(batch=32), 800)
    return Case(model, digits("validation"), digits(batch=32))
