"""What a cell gives to the program of a notebook, and the law: how a notebook came to be what it is does not matter."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mino_lsp.cells import part, speech
from mino_lsp.notebooks import PRELUDE, Notebook, cell_at
from mino_lsp.submitted import difference
from mino_lsp.syntax import read
from mino_lsp.types import Span


def program(*cells: tuple[str, str]) -> Notebook:
    """A notebook of cells, each told by its language and its text."""
    notebook = Notebook("file:///w/a.ipynb")
    for number, (language, text) in enumerate(cells):
        notebook.put(f"cell:{number}", language, 1, text)
    notebook.splice(0, 0, [(f"cell:{number}", True) for number in range(len(cells))])
    notebook.compose()
    return notebook


@pytest.mark.parametrize(
    ("language", "text", "spoken"),
    [
        ("hy", "(print 1)", "hy"),
        ("hy", "%%time\n(print 1)", "hy"),
        ("python", "x = 1", "python"),
        ("python", "%%time\nx = 1", "python"),
        ("python", "%%hy\n(print 1)", "hy"),
        ("python", "\n  %%hy\n(print 1)", "hy"),
        ("python", "%%hyperbole\n(print 1)", ""),
        ("hy", "%%bash\nls", ""),
        ("julia", "x = 1", ""),
    ],
)
def test_what_a_cell_is_written_in(language: str, text: str, spoken: str) -> None:
    assert speech(language, text) == spoken == part(language, text, None).speech


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("%%hy\n(f)", ";%hy\n(f)"),
        ('%cd a(b\n!ls "x\n(f)', ';cd a(b\n;ls "x\n(f)'),
        ("  %time\n(f)", "  ;time\n(f)"),
        ("(f\n%x)\n%x", "(f\n%x)\n;x"),
        ("(f)\n% 2", "(f)\n% 2"),
        ("(% 5 2)", "(% 5 2)"),
        ('"a\n%b"', '"a\n%b"'),
        ("'\n%b", "'\n%b"),
    ],
)
def test_lines_that_are_no_hy_are_comments_of_the_same_length(text: str, seen: str) -> None:
    found = part("hy", text, None)
    assert found.tree.source == seen and len(seen) == len(text)
    assert part("hy", text, part("hy", "(g) %x\n", None)).tree.same(found.tree)


@pytest.mark.parametrize(
    ("text", "executed"),
    [
        ("x = (5\n % 3)", "x = (5\n % 3)"),
        ("%load_ext mino\nx = 5", "#load_ext mino\nx = 5"),
        ("x = ]python]", "x = ]python]"),
    ],
)
def test_python_is_executed_without_magics(text: str, executed: str) -> None:
    notebook = program(("hy", "(f)"), ("python", text), ("hy", "(g)"))
    assert f"[{executed}]python" in notebook.tree.source
    forms = [form.text for form in notebook.tree.forms]
    assert [len(forms), forms[1], forms[2][:5], forms[3]] == [4, "(f)", "(pys ", "(g)"]
    python = notebook.cells[1]
    assert notebook.tree.source[python.span.start : python.span.end] == executed


def test_what_is_broken_in_a_cell_stays_there() -> None:
    notebook = program(("hy", '(f "'), ("hy", ")"), ("hy", "(g"), ("hy", "#_"), ("hy", "(h)\r"), ("hy", "(i)"))
    assert [form.text for form in notebook.tree.forms][1:] == ['(f "', "(g", "(h)", "(i)"]
    cells = [cell_at(notebook.cells, Span(one.start, one.end)) for one in notebook.tree.problems]
    assert [int(found[0].uri[5:]) for found in cells if found is not None] == [0, 1, 2, 3]
    assert notebook.tree.source == PRELUDE + '(f "\n)\n(g\n#_\n(h)\r \n(i)\n'


def test_what_stands_in_no_cell_of_hy_leads_to_the_next_form() -> None:
    notebook = program(("python", "x = 1"), ("hy", "%%hy\n; words\n(f)"), ("python", "y = 1"))
    second = notebook.cells[1]
    for offset in (0, len(PRELUDE) + 2, notebook.cells[0].span.start):
        found = cell_at(notebook.cells, Span(offset, offset + 1))
        assert found is not None and found[0] is second
        assert second.position(found[1].start) == (2, 0) and found[1].end == found[1].start
    whole = cell_at(notebook.cells, Span(second.span.start, second.span.end + 5))
    assert whole == (second, second.span)
    assert cell_at(notebook.cells, notebook.cells[2].span) is None
    first, _, last = program(("hy", "(f)"), ("python", "x = 1"), ("hy", "(g)")).cells
    assert cell_at([first, last], Span(first.span.end + 1, last.span.start - 1)) == (
        last,
        Span(last.span.start, last.span.start),
    )


# ---- the law

BITS = [
    "(f x)",
    "(",
    ")",
    '"',
    "\n",
    "%x",
    "!y ",
    "%%hy\n",
    "%%bash\n",
    "; c",
    "'",
    "#_",
    "\r",
    "é𝒳",
    " ",
    "(setv a 1)\n",
    "]python]",
]
texts = st.lists(st.sampled_from(BITS), max_size=6).map("".join)
languages = st.sampled_from(["hy", "hy", "hy", "python"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), st.integers(0, 9), st.integers(0, 30), st.integers(0, 9), texts),
        st.tuples(st.just("insert"), st.integers(0, 9), languages, texts),
        st.tuples(st.just("remove"), st.integers(0, 9)),
        st.tuples(st.just("move"), st.integers(0, 9), st.integers(0, 9)),
        st.tuples(st.just("turn"), st.integers(0, 9), st.booleans()),
        st.tuples(st.just("speak"), st.integers(0, 9), languages),
        st.tuples(st.just("look")),
    ),
    max_size=20,
)


class Model:
    """What the cells are, and the same told to a notebook change by change."""

    def __init__(self) -> None:
        self.notebook = Notebook("file:///w/a.ipynb")
        self.cells: list[tuple[str, bool]] = []
        self.texts: dict[str, tuple[str, str]] = {}
        self.made = 0

    def take(self, step: tuple[Any, ...]) -> None:
        kind, *rest = step
        if kind == "look":
            self.notebook.compose()
        elif kind == "insert":
            at, language, text = rest
            self.made += 1
            uri, at = f"cell:{self.made}", min(at, len(self.cells))
            self.texts[uri] = (language, text)
            self.notebook.put(uri, language, 1, text)
            self.splice(at, 0, [(uri, True)])
        elif self.cells:
            self.take_of(kind, rest[0] % len(self.cells), rest[1:])

    def take_of(self, kind: str, at: int, rest: list[Any]) -> None:
        uri = self.cells[at][0]
        language, text = self.texts[uri]
        if kind == "edit":
            start = rest[0] % (len(text) + 1)
            end = min(start + rest[1], len(text))
            self.texts[uri] = (language, text[:start] + rest[2] + text[end:])
            self.notebook.edit(uri, 2, [lambda _: (start, end, rest[2])])
        elif kind == "remove":
            self.splice(at, 1, [])
            del self.texts[uri]
            self.notebook.documents.pop(uri)
        elif kind == "move":
            cells = list(self.cells)
            cells.insert(rest[0] % len(cells), cells.pop(at))
            self.splice(0, len(cells), cells)
        elif kind == "turn":
            self.cells[at] = (uri, rest[0])
            self.notebook.turn(uri, rest[0])
        else:
            self.texts[uri] = (rest[0], text)
            self.notebook.put(uri, rest[0], 3, text)

    def splice(self, start: int, deleted: int, cells: list[tuple[str, bool]]) -> None:
        self.cells[start : start + deleted] = cells
        self.notebook.splice(start, deleted, cells)


@settings(max_examples=300, deadline=None)
@given(steps)
def test_a_notebook_does_not_depend_on_how_it_was_made(told: list[tuple[Any, ...]]) -> None:
    model = Model()
    for step in told:
        model.take(step)
    model.notebook.compose()
    anew = Notebook("file:///w/a.ipynb")
    for uri, (language, text) in model.texts.items():
        anew.put(uri, language, 1, text)
    anew.splice(0, 0, model.cells)
    anew.compose()
    assert model.notebook.tree.source == anew.tree.source and model.notebook.tree.same(anew.tree)
    shown = [(one.uri, one.part.speech, one.span) for one in model.notebook.cells]
    assert shown == [(one.uri, one.part.speech, one.span) for one in anew.cells]
    for cell in anew.cells:
        code = anew.tree.source[cell.span.start : cell.span.end]
        text = model.texts[cell.uri][1]
        assert len(code) == len(text)
        assert not cell.is_hy or [form.text for form in read(code).forms] == [
            form.text for form in anew.tree.forms if cell.span.start <= form.start <= cell.span.end
        ]


@given(texts, texts)
def test_a_difference_makes_the_other_text(one: str, other: str) -> None:
    start, end, new = difference(one, other)
    assert one[:start] + new + one[end:] == other
