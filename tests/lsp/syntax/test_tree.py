"""Laws of the tree: it loses nothing, an edit equals reading anew, and no text is too deep or too long."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mino_lsp.syntax import Form, Kind, Tree, read

from .fragments import SCRAPS, texts

_LINES = [
    *(
        "(defn f [x]\n  (g x))\n",
        "(a\n",
        "(b))\n",
        "\n(c)\n",
        "'\n(d)\n",
        '"s\n(',
        "; c\n(e)\n",
        "(do\n(x)\n)\n",
        "x (y)\n",
    ),
    *("(f [a)\n  b)\n", "#!z\n", 'f"{(a}"\n', "#[[\n(z)\n]]\n", "(g (h\n  i)\n", "  (j))\n", "]\n", "#[", '"'),
]
documents = st.lists(st.one_of(st.sampled_from(_LINES), st.sampled_from(SCRAPS)), max_size=20).map("".join)
sizes = st.sampled_from([0, 0, 1, 2, 5, 40])
edits = st.lists(st.tuples(st.integers(0, 150), sizes, documents), min_size=1, max_size=5)


def assert_sound(tree: Tree, source: str) -> None:
    """What holds of every tree: nothing is lost, children lie in their parents in order, problems in the text."""
    assert tree.source == source and len(tree) == len(source)
    assert "".join(node.text for node in tree.nodes) == source
    for start, end, form in tree.walk():
        assert (start, end) == (form.start, form.end) and start < end
        assert form.text == source[start:end] == tree.text(start, end)
        inside = form.children
        assert all(child.parent == form and start <= child.start and child.end <= end for child in inside)
        assert all(before.end <= after.start for before, after in pairwise(inside))
        gaps = [form.start, *(edge for child in inside for edge in (child.start, child.end)), form.end]
        if form.kind is Kind.LIST:
            between = "".join(source[a:b] for a, b in zip(gaps[::2], gaps[1::2], strict=True))
            assert between.strip(" \t\n\r\f\v").lstrip("(").strip(" \t\n\r\f\v") in ("", ")", "]", "}")
    assert all(0 <= problem.start < problem.end <= len(source) for problem in tree.problems)
    assert list(tree.problems) == sorted(tree.problems, key=lambda problem: (problem.start, problem.end))


@settings(max_examples=300, deadline=None)
@given(st.one_of(texts(), documents))
def test_nothing_is_lost(source: str) -> None:
    assert_sound(read(source), source)


@settings(max_examples=300, deadline=None)
@given(documents, edits, st.sampled_from([1, 2, 64]))
@example('#""s\n(  \n(c)\n', [(12, 0, '"s\n(  \n(c)\n')], 1)  # a block that is kept is not taken for another
def test_edits_equal_reading_anew(source: str, changes: list[tuple[int, int, str]], group: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mino_lsp.syntax.blocks._GROUP", group)
        tree = read(source)
        for start, size, new in changes:
            start = min(start, len(source))
            source = source[:start] + new + source[start + size :]
            tree = tree.edit(start, start + size, new)
            fresh = read(source)
            assert tree.source == source
            assert tree.same(fresh)
            assert tree.problems == fresh.problems


@settings(max_examples=100, deadline=None)
@given(documents)
def test_paths(source: str) -> None:
    tree = read(source)
    for offset in range(len(source) + 1):
        path = tree.path_at(offset)
        assert set(path) <= {form for _, _, form in tree.walk()}
        assert [form.parent for form in path] == [None, *path[:-1]][: len(path)]
        assert all(form.start <= offset <= form.end for form in path)
        starting = [form for start, _, form in tree.walk() if start == offset]
        if starting:
            assert path[-1] == starting[-1]
        else:
            inside = [form for start, end, form in tree.walk() if start < offset < end]
            assert [form for form in path if form.end > offset] == inside


def test_an_edit_shares_what_it_does_not_touch() -> None:
    source = "".join(f"(def-{n} [x]\n  (+ x {n}))\n" for n in range(500))
    tree = read(source)
    place = source.index("(+ x 250)") + 1
    changed = tree.edit(place, place, "\n")
    before, after = [[piece for _, piece in one.pieces()] for one in (tree, changed)]
    assert sum(old is not new for old, new in zip(before, after, strict=True)) == 1


def test_same_can_say_no() -> None:
    assert read("(a b)").same(read("(a b)"))
    assert not read("(a b)").same(read("(a c)"))
    assert not read("a b").same(read("a b "))


@pytest.mark.parametrize(
    ("source", "problems"),
    [
        ("(" * 100_000, 100_000),
        ("(\n" * 20_000, 20_000),
        (")" * 20_000, 20_000),
        ("(" * 20_000 + "]" * 20_000, 20_000),
        ("'" * 100_000 + "x", 0),
        ('f"{' * 20_000 + "x" + '}"' * 20_000, 0),
        ("(do\n(a)\n" * 10_000 + ")" * 10_000, 0),
        ("(defn f [x]\n  (foo x\n" * 5_000, 10_000),
        ("#[x[" * 100_000, 1),
        ("(the-layer the-input-of-the-model) " * 28_000, 0),
        ("a" * 1_000_000, 0),
        ('"' + "\\n" * 499_999 + '"', 0),
        ("1" * 1_000_000, 0),
    ],
    ids=lambda value: value[:8] if isinstance(value, str) else str(value),
)
def test_nothing_is_too_deep_or_too_long(source: str, problems: int) -> None:
    tree = read(source)
    assert len(tree.problems) == problems
    assert tree.path_at(len(source) // 2)
    assert tree.source == source


def test_a_text_that_no_person_wrote_is_kept_and_not_read() -> None:
    """It is read as soon as it is short enough, and no more when it is not."""
    short = "(f x)\n" * 160_000
    long = read(short + "(g x)\n" * 10_000)
    assert long.is_read is False and list(long.forms) == [] and long.problems == () and long.path_at(9) == ()
    assert long.source == short + "(g x)\n" * 10_000 and long.edit(0, 1, "[").source[:7] == "[f x)\n("
    assert long.edit(len(short), len(long), "").same(read(short))
    assert read(short).edit(3, 3, "y" * 50_000).is_read is False


def test_a_deep_tree_is_edited_and_dropped() -> None:
    tree = read("(" * 50_000 + ")" * 50_000)
    assert tree.problems == ()
    assert len(tree.edit(50_000, 50_000, "x").path_at(50_000)) == 50_001
    assert [problem.code for problem in tree.edit(0, 1, "").problems] == ["unexpected-closer"]


def test_a_form_at_its_place() -> None:
    form = next(read("; note\n(-> x #_ y (f 1) ; end\n  g)").forms)
    assert isinstance(form, Form)
    assert form.head_name == "->" and form.head is not None and form.head.kind is Kind.SYMBOL
    assert [part.text for part in form.forms] == ["->", "x", "(f 1)", "g"]
    assert [part.text for part in form.children] == ["->", "x", "#_ y", "(f 1)", "; end", "g"]
    inner = form.forms[2].forms[1]
    assert [above.text[:3] for above in inner.ancestors] == ["(f ", "(->"]
    assert [part.text for part in form.forms[2].walk()] == ["(f 1)", "f", "1"]
    assert form == inner.ancestors.__next__().parent and hash(form) == hash(form.forms[0].parent)
