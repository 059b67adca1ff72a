"""What other files of the workspace tell of a document: which functions it calls, and what importing them does."""

from __future__ import annotations

from pathlib import Path

import pytest

from mino_lsp.analysis import Index
from mino_lsp.lint import lint
from mino_lsp.syntax import read
from mino_lsp.uris import uri_of

FILES = {
    "shapes_spec.hy": "(require mino.spec *)\n(spec/def :n int)",
    "gen_spec.hy": "(require mino.spec *)\n(spec/defgen :n (fn [] 1))",
    "all_specs.hy": "(import circle shapes_spec)",
    "circle.hy": "(import all_specs)",
    "lazy.hy": "(require mino.spec *)\n(defn register [] (spec/valid? :n 1))",
    "plain.hy": "(defn f [] 1)",
    "random.hy": "(defn choice [] 1)",
    "pkg/inner.hy": "(defn area [w h] (* w h))",
    "blind.hy": "(import nowhere *)\n(defn area [w h] (* w h))",
    "helpers.hy": """
        (defn area [w h] (* w h))
        (defn scale [x [by 1]] (* x by))
        (defn many [#* xs] xs)
        (defn twice [] 1)
        (setv twice max)
        (defn [print] decorated [] 1)
        (defn again [] (global changed) (setv changed max))
        (defn changed [] 1)
        (if True (defn either [] 1) (defn either [x] 2))
        (setv value max)
    """,
}


@pytest.fixture
def index(tmp_path: Path) -> Index:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = Index()
    found.prune([tmp_path])
    for _ in found.scan():
        pass
    return found


def told(index: Index, source: str) -> list[tuple[str, str]]:
    modules = index.modules(uri_of(str(index.roots[0] / "main.hy")))
    return [(one.code, source[one.start : one.end]) for one in lint(read(source), modules=modules)]


@pytest.mark.parametrize(
    "source",
    [
        "(import shapes_spec)",
        "(import shapes-spec :as specs)",
        "(import gen_spec)",
        "(import all_specs)",
        "(import .shapes_spec)",
    ],
)
def test_a_file_that_registers_specs_is_used(index: Index, source: str) -> None:
    assert told(index, source) == []
    assert [one.code for one in lint(read(source))] == ["unused-import"]


@pytest.mark.parametrize("name", ["plain", "lazy", "nowhere", "helpers"])
def test_another_is_not(index: Index, name: str) -> None:
    assert told(index, f"(import {name})") == [("unused-import", name)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("(import helpers [area]) (area 1 2 3)", [("call-arity", "area")]),
        ("(import helpers [area :as a]) (a 1)", [("call-arity", "a")]),
        ("(import helpers [scale]) (scale 1 :bi 3)", [("unknown-argument", ":bi")]),
        ("(import helpers) (helpers.area 1)", [("call-arity", "helpers.area")]),
        ("(import helpers :as h) (h.scale 1 :bi 3)", [("unknown-argument", ":bi")]),
        ("(import pkg.inner :as i) (i.area 1)", [("call-arity", "i.area")]),
        ("(import pkg.inner [area]) (area 1)", [("call-arity", "area")]),
    ],
)
def test_calls_that_do_not_fit(index: Index, source: str, expected: list[tuple[str, str]]) -> None:
    assert told(index, source) == expected
    assert lint(read(source)) == ()


@pytest.mark.parametrize(
    "source",
    [
        "(import helpers [area scale many]) (area 1 2) (area 1 :h 2) (scale 1) (scale 1 :by 2) (many 1 2)",
        "(import helpers [area]) (area #* [1])",
        "(import helpers [twice decorated changed]) (twice 1) (decorated 1) (changed 1)",
        "(import helpers [either value]) (either 1) (value 1)",
        "(import helpers) (helpers.area 1 2) (helpers.twice 1) (helpers.value 1) (helpers.area.x 1) (helpers.no 1)",
        "(import helpers [area]) (setv area max) (area 1)",
        "(import helpers [area]) (let [area max] (area 1)) (fn [area] (area 1)) (area 1 2)",
        "(try (import helpers [area]) (except [ImportError] (defn area [x] x))) (area 1)",
        "(import helpers) (setv helpers.area max) (helpers.area 1)",
        "(import pkg.inner) (pkg.area 1)",
        "(import blind [area]) (area 1)",
        "(import random [choice]) (choice [1 2])",
        "(defn f [] 1) (f.area 1)",
    ],
)
def test_calls_that_may_fit(index: Index, source: str) -> None:
    assert told(index, source) == []


def test_calls_follow_what_is_edited(index: Index) -> None:
    calls = "(area 1)\n" * 3
    assert len(told(index, "(import helpers [area])\n" + calls)) == 3
    assert told(index, "(import plain [area])\n" + calls) == []
    (index.roots[0] / "helpers.hy").write_text("(defn area [w] w)")
    index.update(str(index.roots[0] / "helpers.hy"))
    assert told(index, "(import helpers [area])\n" + calls) == []
