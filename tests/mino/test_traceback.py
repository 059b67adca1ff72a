"""Tracebacks of procedures: file, line and columns of the failing step, in files, notebooks and corrected trees."""

import ast
import linecache
import subprocess
import sys
import traceback
import types
from pathlib import Path

import hy
import pytest
from hy.compiler import hy_compile

from mino import columns
from mino.importing import correct

PROGRAM = """\
(require mino.mu * mino.thread *)
(defn same [x #* _] x)
(defmu Model [x weights]
  (-> x (same "日本語")
      (same "é") FAILING (same "λ")
      same))
"""

# Every kind of step: a call, a bare symbol, a dotted name, a macro's form, a form in a nested function.
FAILING = ["(@ weights)", "weights", "same.nowhere", '(same (+ 1 "é"))', "((fn [y] (/ y 0)))"]
BLAMED = ["(@ weights)", "weights", "same.nowhere", '(+ 1 "é")', "(/ y 0)"]


def frame_text(error, lines):
    """The source that the innermost frame of a traceback points at; its columns are bytes."""
    (frame, (_, _, start, end)) = [
        (frame, position)
        for frame, position in zip(traceback.walk_tb(error.__traceback__), _positions(error), strict=True)
        if frame[0].f_code.co_filename.endswith(".hy")
    ][-1]
    return lines[frame[1] - 1].encode()[start:end].decode()


def _positions(error):
    for frame, _ in traceback.walk_tb(error.__traceback__):
        tb = error.__traceback__
        while tb.tb_frame is not frame:
            tb = tb.tb_next
        yield list(frame.f_code.co_positions())[tb.tb_lasti // 2]


def failing_model(text, filename, correct=False):
    """An instance of the model in `text`, compiled as `hy FILE` does; `correct`ed as a tool may do it."""
    module = types.ModuleType("failing")
    sys.modules["failing"] = module
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    tree = hy_compile(hy.read_many(text, filename), module, filename=filename, source=text)
    if correct:
        lines = text.splitlines()
        # Hy puts some nodes into the tree twice.
        for node in {id(node): node for node in ast.walk(tree)}.values():
            if hasattr(node, "end_col_offset"):
                node.col_offset = len(lines[node.lineno - 1][: max(0, node.col_offset - 1)].encode())
                node.end_col_offset = len(lines[node.end_lineno - 1][: node.end_col_offset].encode())
    exec(compile(tree, filename, "exec"), module.__dict__)
    return module.Model(weights=3)


@pytest.mark.parametrize("correct", [False, True])
@pytest.mark.parametrize(("step", "blamed"), list(zip(FAILING, BLAMED, strict=True)))
def test_the_innermost_frame_points_at_the_step(step, blamed, correct):
    text = PROGRAM.replace("FAILING", step)
    model = failing_model(text, "<cell 1>.hy", correct)
    with pytest.raises((TypeError, AttributeError, ZeroDivisionError)) as caught:
        model(1)
    assert frame_text(caught.value, text.splitlines()) == blamed


def test_a_mu_that_does_not_begin_its_line_is_corrected_too():
    text = PROGRAM.replace("FAILING", "(@ weights)").replace("(defmu", '(do "é" (defmu') + ")"
    with pytest.raises(TypeError) as caught:
        failing_model(text, "<cell 4>.hy")(1)
    assert frame_text(caught.value, text.splitlines()) == "(@ weights)"


def test_only_torch_stands_between_the_call_and_the_step():
    model = failing_model(PROGRAM.replace("FAILING", "(@ weights)"), "<cell 2>.hy")
    with pytest.raises(TypeError) as caught:
        model(1)
    files = [Path(frame.f_code.co_filename).name for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert files == ["test_traceback.py", "module.py", "module.py", "<cell 2>.hy"]


def test_a_missing_component_points_at_it_in_the_list():
    text = PROGRAM.replace("FAILING", "(@ weights)")
    model = type(failing_model(text, "<cell 3>.hy"))()
    with pytest.raises(ValueError, match="without its component weights") as caught:
        model(1)
    assert frame_text(caught.value, text.splitlines()) == "weights"


FUNCTION = PROGRAM.replace("(defmu Model", "(defn model") + "(model 1 3)\n"


@pytest.mark.parametrize("program", [PROGRAM + "((Model :weights 3) 1)\n", FUNCTION])
def test_a_run_of_a_file_shows_the_caret_under_the_step(tmp_path, program):
    file = tmp_path / "program.hy"
    file.write_text(program.replace("FAILING", "(@ weights)"), encoding="utf-8")
    run = subprocess.run(
        [str(Path(sys.executable).with_name("hy")), str(file)], capture_output=True, text=True, encoding="utf-8"
    )
    lines = run.stderr.splitlines()
    at = lines.index('    (same "é") (@ weights) (same "λ")')
    assert lines[at - 1].endswith('program.hy", line 5, in ' + ("model" if program is FUNCTION else "forward"))
    assert lines[at + 1].strip("~ ") == "^" * len("(@ weights)")
    assert lines[at + 1].index("^") == lines[at].index("(@ weights)")


def test_forms_that_a_macro_read_from_elsewhere_are_left_where_they_are():
    text = (
        '(require mino.thread *)\n(defmacro read-here [] (hy.read "\\n\\n\\n\\n(-> 1\\n (+ 2))"))\n(setv x (read-here))'
    )
    module = types.ModuleType("elsewhere")
    sys.modules["elsewhere"] = module
    tree = hy_compile(hy.read_many(text), module)
    correct(tree, text)
    exec(compile(tree, "<elsewhere>", "exec"), module.__dict__)
    assert module.x == 3


@pytest.mark.parametrize(
    "function", [columns._converted.__wrapped__, test_a_missing_component_points_at_it_in_the_list]
)
def test_the_table_that_is_written_is_read_as_the_same_positions(function):
    code = function.__code__
    copy = code.replace(co_linetable=columns.table(code.co_positions(), code.co_firstlineno))
    assert list(copy.co_positions()) == list(code.co_positions())


def test_the_table_knows_every_kind_of_position():
    positions = [(3, 3, 0, 4)] * 11 + [(None,) * 4] * 2 + [(5, 5, None, None), (4, 90, 70, 5000), (1, 1, 1, 2)]
    code = compile("0", "", "eval").replace(co_code=bytes(2 * len(positions)), co_firstlineno=4)
    assert list(code.replace(co_linetable=columns.table(positions, 4)).co_positions()) == positions
