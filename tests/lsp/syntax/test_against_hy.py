"""On every text that Hy's reader accepts, our forms and their positions are Hy's and there is no problem."""

from hypothesis import example, given, settings

from tests.lsp.syntax.fragments import texts
from tests.lsp.syntax.oracle import hy_shapes, our_shapes

from mino_lsp.syntax import read


def check(source: str) -> bool:
    """Whether Hy accepts the text; then we must agree. Where it doesn't, we say what is wrong."""
    expected = hy_shapes(source)
    problems = [problem.code for problem in read(source).problems]
    if expected is None:
        return False
    assert problems == []
    assert our_shapes(source) == expected
    return True


@settings(max_examples=400, deadline=None)
@given(texts())
def test_agrees_with_hy(source: str) -> None:
    check(source)
