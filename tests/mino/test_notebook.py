"""Hy in a real Jupyter kernel: `%load_ext mino`, and where the carets of tracebacks stand."""

import re
from dataclasses import dataclass

import pytest
from jupyter_client.manager import start_new_kernel

SECONDS = 120
MAGIC = "%%hy\n"


@dataclass
class Ran:
    """What a cell gave: `ok` or `error`, its value's text, what it wrote, and its traceback."""

    status: str
    value: str
    written: str
    traceback: str

    def blamed(self) -> list[tuple[str, str]]:
        """The place and the marked source of each frame, PyTorch's left out; of a frame without a caret, its line.

        Before a caret, some versions of Python count a wide character as two: no line has both.
        """
        frames = re.findall(r"^  ((?:Cell|File) .*)\n    (.*)\n(?:    ( *[~^]+)$)?", self.traceback, re.M)
        return [
            (place, source[marks.index("^") : len(marks)] if marks else source)
            for place, source, marks in frames
            if "/torch/" not in place
        ]


class Notebook:
    """A kernel and its client; every wait ends."""

    def __init__(self, folder):
        self.manager, self.client = start_new_kernel(startup_timeout=SECONDS, cwd=str(folder))

    def __call__(self, cell):
        value, written, told = [], [], []

        def hear(message):
            content = message["content"]
            if message["msg_type"] == "execute_result":
                value.append(content["data"]["text/plain"])
            elif message["msg_type"] == "stream":
                written.append(content["text"])
            elif message["msg_type"] == "error":
                told.extend(content["traceback"])

        reply = self.client.execute_interactive(cell, timeout=SECONDS, output_hook=hear)
        return Ran(reply["content"]["status"], "".join(value), "".join(written), "\n".join(told))

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """A notebook with a model, in its cell 2, and a function outside of models, in cell 3."""
    made = Notebook(tmp_path_factory.mktemp("notebook"))
    try:
        for cell in ("%load_ext mino", MAGIC + MODEL, MAGIC + FUNCTION):
            ran = made(cell)
            assert ran.status == "ok", ran.traceback
        yield made
    finally:
        made.close()


MODEL = """\
(require mino.mu * mino.thread *)
(import torch)
(defn same [x #* _] x)
(defmu Model [x weights]
  (-> x (same "日本語")
      (same "é") (@ weights) (same "λ")
      same))
(setv model (Model :weights (torch.ones 3 3)))
"""
FUNCTION = '(defn ratio [x] (same "→λ") (-> "é" (same x) (/ x)))\n'
STEP = ("Cell In[2], line 7, in forward", "(@ weights)")


def after(text, place):
    """The place that a cell has, whatever its number."""
    return re.sub(r"In\[\d+\]", "In[N]", text) == place


def test_a_model_of_an_earlier_cell(notebook):
    ran = notebook(MAGIC + '"é" (model (torch.ones 2 2))')
    (place, source), step = ran.blamed()
    assert after(place, "Cell In[N], line 2, in <module>") and source == "(model (torch.ones 2 2))"
    assert step == STEP
    assert ran.status == "error" and ran.traceback.startswith("Traceback (most recent call last):\n  Cell In[")
    assert ran.traceback.endswith("\nRuntimeError: mat1 and mat2 shapes cannot be multiplied (2x2 and 3x3)")


def test_a_model_called_from_a_python_cell(notebook):
    (place, source), step = notebook("x = torch.ones(2, 2)\nmodel(x)").blamed()
    assert after(place, "Cell In[N], line 2, in <module>") and source == "model(x)"
    assert step == STEP


def test_the_caret_stands_under_the_step(notebook):
    lines = notebook("model(torch.ones(2, 2))").traceback.splitlines()
    at = lines.index('    (same "é") (@ weights) (same "λ")')
    assert lines[at + 1] == "               ^^^^^^^^^^^"


def test_code_outside_of_models(notebook):
    assert notebook(MAGIC + "(ratio 0)").blamed()[-1] == ("Cell In[3], line 2, in ratio", "(/ x)")


def test_the_model_of_a_cell_and_its_failure_in_one(notebook):
    ran = notebook(MAGIC + '\n(let [m (mu [x] (-> x (same "é") (/ 0)))]\n  (same "→λ" (m 1)))')
    (cell, call), (place, step) = ran.blamed()
    assert after(cell, "Cell In[N], line 4, in <module>") and call == "(m 1)"
    assert after(place, "Cell In[N], line 3, in forward") and step == "(/ 0)"


def test_lines_are_those_of_hy(notebook):
    _, (place, step) = notebook(MAGIC + "(setv z 1) \f \n(defn by-zero []\n (/ z 0))\n(by-zero)").blamed()
    assert after(place, "Cell In[N], line 4, in by_zero") and step == "(/ z 0)"


def test_an_error_that_led_to_another(notebook):
    ran = notebook('try:\n    ratio(0)\nexcept TypeError:\n    raise KeyError("é")')
    assert ("Cell In[3], line 2, in ratio", "(/ x)") in ran.blamed()
    assert "During handling of the above exception" in ran.traceback
    assert ran.traceback.endswith("KeyError: 'é'")


def test_a_hy_file(notebook, tmp_path):
    text = '(require mino.thread *)\n(defn halve [x] "é" (-> x (/ 0)))\n'
    (tmp_path / "of_a_notebook.hy").write_text(text, encoding="utf-8")
    notebook(f"import sys\nsys.path.insert(0, {str(tmp_path)!r})")
    *_, (place, source) = notebook("import of_a_notebook\nof_a_notebook.halve(1)").blamed()
    assert place.endswith('of_a_notebook.hy", line 2, in halve') and source == "(/ 0)"


WITHOUT = """\
import mino.columns, mino.notebook
kept = mino.columns.corrected, mino.notebook.correct
mino.columns.corrected, mino.notebook.correct = lambda code, canary: code, lambda tree, source: None
"""
AGAIN = "mino.columns.corrected, mino.notebook.correct = kept"


def test_without_the_correction_the_caret_is_elsewhere(notebook):
    wrong = MODEL.replace("Model", "Wrong").replace("model", "wrong")
    try:
        for cell in (WITHOUT, MAGIC + wrong, MAGIC + FUNCTION.replace("ratio", "wrong-ratio")):
            assert notebook(cell).status == "ok"
        (_, step) = notebook("wrong(torch.ones(2, 2))").blamed()[-1]
        (_, division) = notebook("wrong_ratio(0)").blamed()[-1]
    finally:
        assert notebook(AGAIN).status == "ok"
    assert step != "(@ weights)"
    assert division != "(/ x)"


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("(f 1", "  Cell In[N], line 2\n    (f 1\n       ^\nhy.PrematureEndOfInput: Premature end of input"),
        (
            '"é" (defmu Twice [x x] x)',
            '  Cell In[N], line 2\n    "é" (defmu Twice [x x] x)\n                        ^\n'
            "hy.errors.HySyntaxError: the component `x` is there twice: write each component once",
        ),
        (
            '(defmacro broken [x] (/ 1 0))\n"é" (broken 3)',
            'hy.errors.HyMacroExpansionError: \n  Cell In[N], line 3\n    "é" (broken 3)\n        ^--------^\n'
            "expanding macro broken\n  ZeroDivisionError: division by zero",
        ),
        (
            "(do 1\n  (require nowhere *))",
            "hy.errors.HyRequireError: \n  Cell In[N], line 3\n    (require nowhere *))\n    ^-----------------^\n"
            "No module named 'nowhere'",
        ),
        (
            "(eval-when-compile (/ 1 0))",
            "hy.errors.HyEvalError: \n  Cell In[N], line 2\n    (eval-when-compile (/ 1 0))\n"
            "    ^-------------------------^\ndivision by zero",
        ),
        ("(await 3)", "  Cell In[N], line 2\nSyntaxError: 'await' outside function"),
    ],
)
def test_a_cell_that_does_not_compile_is_told_with_the_place(notebook, cell, told):
    ran = notebook(MAGIC + cell)
    assert ran.status == "error"
    assert re.sub(r"In\[\d+\]", "In[N]", ran.traceback).startswith(told)


def test_nothing_of_a_cell_that_does_not_compile_is_run(notebook):
    assert notebook(MAGIC + '(print "run")\n(defmu A [x x] x)').written == ""


def test_macros_stay_for_later_cells(notebook):
    defined = "(require hyrule [unless])\n(defmacro twice [x] `(* 2 ~x))\n(defreader four 4)"
    assert notebook(MAGIC + defined).status == "ok"
    assert notebook(MAGIC + "(unless False (twice (-> #four (+ 1))))").value == "10"


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("(+ 40 2)", "42"),
        ('{"a" [1 2]}', "{'a': [1, 2]}"),
        ("(setv y 1)", ""),
        ("None", ""),
        ("(+ 1 1) ; two;", "2"),
        ('(defn g [#^ int x] x)\n(get g.__annotations__ "x")', "int"),
    ],
)
def test_the_value_of_the_last_form_is_shown_as_ipython_does(notebook, cell, value):
    assert notebook(MAGIC + cell).value == value


def test_names_are_those_of_the_notebook(notebook):
    assert notebook("from_python = 20").status == "ok"
    assert notebook(MAGIC + "(setv from-hy (* 2 from-python))").status == "ok"
    assert notebook("from_hy + 2").value == "42"
    assert notebook(MAGIC + "(+ _ 1)").value == "43"


def test_the_magic_stands_alone(notebook):
    ran = notebook("%%hy (+ 1 1)\n2")
    assert ran.status == "error"
    assert ran.written == "UsageError: %%hy stands alone on its line: write (+ 1 1) on the next\n"


def test_python_keeps_the_tracebacks_of_ipython(notebook):
    plain = re.sub(r"\x1b\[[\d;]*m", "", notebook("def f():\n    1/0\nf()").traceback)
    assert "ZeroDivisionError" in plain and "----> 2     1/0" in plain
    assert "SyntaxError" in notebook("x = (").traceback


def test_it_can_be_taken_away_and_brought_again(notebook):
    assert notebook("%unload_ext mino").status == "ok"
    assert notebook(MAGIC + "1").written == "UsageError: Cell magic `%%hy` not found.\n"
    assert STEP not in notebook("model(torch.ones(2, 2))").blamed()
    assert notebook("%load_ext mino").status == "ok"
    assert notebook("%reload_ext mino").status == "ok"
    assert notebook("model(torch.ones(2, 2))").blamed()[-1] == STEP


def test_neither_importing_mino_nor_its_macros_imports_ipython(python):
    text = "import hy, mino; hy.eval(hy.read('(require mino.mu * mino.thread * mino.spec *)'))"
    assert python(f"{text}\nimport sys; print({{'IPython', 'torch', 'mino.notebook'}} & {{*sys.modules}})") == "set()\n"
