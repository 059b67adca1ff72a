"""Expansion: the innermost macro call around a place, as far as asked, and without trust only what is pure."""

from __future__ import annotations

import importlib
from typing import Any

import hy
import pytest

from mino_lsp import types as t
from mino_lsp.syntax import read
from mino_lsp.worker.pure import NEEDS_TRUST, PURE
from tests.worker.conftest import Worker, wait_until

PATH = "/nowhere/a.hy"
HEAD = "(require mino.mu * mino.thread *)\n(import torch)\n"


def ask(worker: Worker, text: str, **more: Any) -> int:
    """Ask for the expansion at the place that the first `|` that is no part of a name marks. Returns the job."""
    offset, text = marked(text)
    forms = tuple(t.Span(form.start, form.end) for form in read(text).forms)
    job = worker.job()
    told = {"path": PATH, "text": text, "forms": forms, "offset": offset, "depth": "all", **more}
    worker.send(t.ExpandRequest(job, environment=t.Environment("/"), **told))
    return job


def expand(worker: Worker, text: str, depth: str = "all", **more: Any) -> Any:
    """The answer to `ask`."""
    return worker.collect(ask(worker, text, depth=depth, **more))[-1].result


def marked(text: str) -> tuple[int, str]:
    offset = text.index("|")
    return offset, text[:offset] + text[offset + 1 :]


TABLE = [
    ("(defmu L [x weights bias] (|-> x (@ weights) (+ bias)))", "all", "(+ (@ x weights) bias)"),
    ("(defn f [x] (-> x torch.sigm|oid))", "all", "(torch.sigmoid x)"),
    ("(-> x (f| 1) (g 2))", "step", "(g (f x 1) 2)"),
    ("(defmacro w [x] `(-> ~x inc))\n(|w 3)", "step", "(-> 3 inc)"),
    ("(defmacro w [x] `(-> ~x inc))\n(|w 3)", "one", "(inc 3)"),
    ("(defmacro w [x] `(print (-> ~x inc)))\n(|w 3)", "one", "(print (-> 3 inc))"),
    ("(defmacro w [x] `(print (-> ~x inc)))\n(|w 3)", "all", "(print (inc 3))"),
    ("(|-> x (f '(-> y z)))", "all", "(f x '(-> y z))"),
    ("(setv broken [(|-> x inc)])", "all", "(inc x)"),
]


IN_CONTEXT = [
    ("(defn f [] (defmacro w [x] `(-> ~x inc)) (|w 3))", "all", "(inc 3)"),
    ("(defn f [] (defmacro w [x] 1))\n(print (|w 3))", "all", None),
    ("(let [a 1] (defmacro w [x] `(g ~x)) (|w a))", "all", "(g a)"),
    ("(do (defmacro w [x] `(g ~x)) (w 1))\n(|w 2)", "all", "(g 2)"),
    ("(do (require hyrule [unless]) (|unless a b))", "one", "(if (not a) (do b) None)"),
    ("(defn f [] (require hyrule [unless]) (|unless a b))", "step", "(when (not a) b)"),
    ("(defn f [] (require hyrule [unless]))\n(|unless a b)", "step", None),
    ("(when True (require hyrule [unless :as w]))\n(|w a b)", "step", "(when (not a) b)"),
    ("(require hyrule)\n(|hyrule.unless a b)", "step", "(when (not a) b)"),
    ("(|hy.R.hyrule.unless a b)", "step", "(when (not a) b)"),
    ("(defmacro def-w [] `(defmacro w [x] `(g ~x)))\n(def-w)\n(|w 2)", "all", "(g 2)"),
    ("(defmacro w [x] 1)\n(defmacro w [x] 2)\n(|w 0)\n(defmacro w [x] 3)", "all", "2"),
    ("(defreader d (.parse-one-form &reader))\n(print (|-> #d x inc))", "all", "(inc x)"),
    ("(require hyrule :readers [%])\n(|-> (#%(+ %1 1) 2) inc)", "step", "(inc ((fn [%1] (+ %1 1)) 2))"),
    ("(setv x `(a ~(|-> b f) c))", "all", "(f b)"),
    ("(f #* (|-> b f))", "all", "(f b)"),
    ('(print f"{(|-> x inc) :>10}")', "all", "(inc x)"),
    ('(|do-twice-not-a-macro f"{(-> x inc)}")', "all", None),
    ('(|when a f"{(-> x inc) !r :>{(-> w g)}} é")', "all", '(if a (do f"{(inc x) !r :>{(g w)}} é") None)'),
    ("(match x (Point :x 1) (|-> x f))", "all", "(f x)"),
    ("(|when a (. b (when 1)))", "all", "(if a (do (. b (when 1))) None)"),
    ("(-> x (|when y))", "step", "(when x y)"),
]
"""What a call means depends on where it stands; None where it is no macro call there."""


@pytest.mark.parametrize(("text", "depth", "expansion"), IN_CONTEXT)
def test_in_its_context(worker, text, depth, expansion):
    told = expand(worker, HEAD + text, depth)
    if expansion is None:
        assert isinstance(told, t.Failed) and told.message == "There is no macro call here."
    else:
        assert isinstance(told, t.Expansion), told
        assert (told.text, told.problems) == (expansion, ())


def test_what_is_quoted_is_expanded_when_asked(worker):
    text = HEAD + "(setv x '(print (|-> y inc)))"
    assert isinstance(expand(worker, text), t.Failed)
    told = expand(worker, text, quoted=True)
    assert isinstance(told, t.Expansion) and told.text == "(inc y)"


def test_the_steps_are_a_tree(worker):
    told = expand(worker, HEAD + "(defmacro w [x] `(twice (-> ~x f)))\n(defmacro twice [x] `[~x (-> ~x g)])\n(|w 3)")
    assert isinstance(told, t.Expansion)

    def tree(steps):
        return [(step.call, step.text, tree(step.steps)) for step in steps]

    assert tree(told.steps) == [
        ("(w 3)", "(twice (-> 3 f))", []),
        (
            "(twice (-> 3 f))",
            "[(-> 3 f) (-> (-> 3 f) g)]",
            [("(-> 3 f)", "(f 3)", []), ("(-> (-> 3 f) g)", "(g (-> 3 f))", [("(-> 3 f)", "(f 3)", [])])],
        ),
    ]
    assert told.text == "[(f 3) (g (f 3))]"


def test_tokens_and_forms_know_where_they_come_from(worker):
    text = HEAD + 'é\n(print 1  (|-> x\n  (f 0xFF "two\nlines") .y))'
    told = expand(worker, text)
    assert isinstance(told, t.Expansion)
    plain = marked(text)[1]
    assert told.text == '(.y (f x 0xFF "two\nlines"))'
    tokens = [(told.text[a:b], plain[c:d]) for a, b, c, d in told.tokens]
    assert tokens == [(one, one) for one in (".y", "f", "x", "0xFF", '"two\nlines"')]
    forms = [(told.text[a:b], plain[c:d]) for a, b, c, d in told.forms]
    assert ('(f x 0xFF "two\nlines")', '(f 0xFF "two\nlines")') in forms


@pytest.mark.parametrize(
    ("text", "expansion"),
    [
        ("(|*-> (g x) [f h])", "(do (setv _step (g x)) [(f _step) (h _step)])"),
        ("(setv _step 1)\n(|*-> (g x) [f h])", "(do (setv _step2 (g x)) [(f _step2) (h _step2)])"),
        ("(|*-> (g _step) [f h])", "(do (setv _step2 (g _step)) [(f _step2) (h _step2)])"),
        ("(defmacro _step [x] x)\n(|*-> (g x) [f h])", "(do (setv _step2 (g x)) [(f _step2) (h _step2)])"),
        ("(defmacro m [] (setv a (hy.gensym) b (hy.gensym)) `(setv ~a 1 ~b 2))\n(|m)", "(setv _x 1 _x2 2)"),
    ],
)
def test_fresh_variables_have_short_names_that_clash_with_nothing(worker, text, expansion):
    told = expand(worker, HEAD + text)
    assert isinstance(told, t.Expansion) and told.text == expansion


ENDS = [
    ("(defmacro m [] (while True))", "preview-limit", "The expansion stopped here: it had used 1 s of CPU time."),
    ("(defmacro m [] (import time) (time.sleep 60))", "preview-limit", "The expansion stopped here: it had taken 2 s."),
    (
        "(defmacro m [] (* [0] (** 10 10)))",
        "preview-limit",
        "The expansion stopped here: it needed more than 2 GB of memory.",
    ),
    ("(defmacro m [] `(m))", "expansion-limit", "`m` is a macro call still after 1,000 steps"),
    ('(defmacro m [] (raise (ValueError "no")))', "exception", "The macro `m` raised ValueError: no."),
    ("(defmacro m [] (import os) (os._exit 3))", "exit", "A macro ended its process here with exit code 3"),
    ("(defmacro m [] (import os) (os.abort))", "crash", "A macro crashed here with SIGABRT"),
    (
        '(defmacro m [] (open "/tmp/mino-canary" "w"))',
        "preview-refused",
        "The expansion stopped here: it may not write",
    ),
    ("(defmacro m [] (f `(m)))", "exception", "The macro `m` raised NameError"),
]


@pytest.mark.parametrize(("definition", "code", "message"), ENDS)
def test_a_macro_that_does_not_end_well_is_a_problem_at_its_call(worker, definition, code, message):
    text = HEAD + definition + "\n(print 1 (m|))"
    told = expand(worker, text, limits=t.Limits(cpu=1, wall=2.0 if "sleep" in definition else 60.0))
    assert isinstance(told, t.Expansion), told
    (problem,) = told.problems
    assert (problem.code, problem.message[: len(message)]) == (code, message)
    plain = marked(text)[1]
    assert plain[problem.span.start : problem.span.end] == "(m)" == told.text
    # And the next one is answered as ever.
    again = expand(worker, HEAD + "(defmacro m [] 1)\n(m|)")
    assert isinstance(again, t.Expansion) and again.text == "1"


def test_expansions_leave_nothing_behind(worker):
    text = HEAD + "(eval-and-compile (setv n [0]))\n(defmacro m [] (.append n 0) (len n))\n(m|)"
    told = [expand(worker, text) for _ in range(4)]
    assert [one.text for one in told] == ["2"] * 4


def test_a_long_document_reaches_a_context_that_is_not_ready(worker):
    text = HEAD + "(eval-and-compile (import time) (time.sleep 0.3))\n" + "; text\n" * 100_000 + "(|-> x f)"
    told = expand(worker, text)
    assert isinstance(told, t.Expansion) and told.text == "(f x)"


@pytest.mark.needs_fork("contexts are processes that fork")
def test_contexts_are_few(worker):
    from mino_lsp.worker.contexts import MOST
    from tests.lsp.processes import below

    for number in range(MOST + 3):
        assert isinstance(expand(worker, f"(defmacro m [] {number})\n(m|)"), t.Expansion)
    # Each is a process and the child that it keeps ready.
    assert wait_until(lambda: len(below(worker.process.pid)) <= 2 * (MOST + 1))


@pytest.mark.needs_fork("contexts are processes that fork")
def test_a_closed_document_keeps_no_context(worker):
    from tests.lsp.processes import below

    assert isinstance(expand(worker, "(defmacro closed [] 1)\n(closed|)"), t.Expansion)
    assert below(worker.process.pid)
    worker.send(t.CloseRequest("/nowhere/a.hy"))
    assert wait_until(lambda: not below(worker.process.pid))
    # What it is at is wanted no more.
    job = ask(worker, ENDLESS)
    worker.send(t.CloseRequest(PATH))
    assert worker.collect(job)[-1].result == STOPPED
    assert wait_until(lambda: not below(worker.process.pid))


ENDLESS = HEAD + "(defmacro endless [] (while True))\n(print (endless|))"
FOR_EVER = t.Limits(cpu=1000, wall=1000.0)
STOPPED = t.Failed("It was stopped.")


def test_an_expansion_that_is_stopped_does_not_go_on(worker):
    """Neither do those that wait behind it wait for it, or end with it."""
    first = ask(worker, ENDLESS, limits=FOR_EVER)
    second = ask(worker, ENDLESS, limits=FOR_EVER)
    third = ask(worker, ENDLESS.replace("(print (endless|))", "(print (-> x| f))"), limits=FOR_EVER)
    worker.send(t.StopRequest(second, 0.0))
    assert worker.collect(second)[-1].result == STOPPED
    worker.send(t.StopRequest(first, 0.0))
    assert worker.collect(first)[-1].result == STOPPED
    assert worker.collect(third)[-1].result.text == "(f x)"


def test_a_survey_that_is_stopped_does_not_go_on(worker):
    plain = marked(ENDLESS)[1]
    forms = tuple(t.Span(form.start, form.end) for form in read(plain).forms)
    job = worker.job()
    worker.send(t.SurveyRequest(job, PATH, plain, forms, forms[-1:], t.Environment("/"), limits=FOR_EVER))
    worker.send(t.StopRequest(job, 0.05))
    assert worker.collect(job)[-1].result == STOPPED


def test_an_expansion_that_ends_in_time_keeps_its_context(worker):
    text = "(eval-and-compile (import os) (setv pid (os.getpid)))\n(defmacro m [] pid)\n(m|)"
    first = expand(worker, text)
    job = ask(worker, text)
    worker.send(t.StopRequest(job, 5.0))
    assert [worker.collect(job)[-1].result.text, expand(worker, text).text] == [first.text] * 2


BELOW = [
    ("(endless)\n(|-> x f)", "(f x)"),
    ("(do (endless) (|-> x f))", "(f x)"),
    ("(do (endless) (|when x (-> x f)))", "(if x (do (f x)) None)"),
    ("(let [a 1] (defmacro m [x] `(g ~x)) (endless) (|m a))", "(g a)"),
    ("(|when x (endless))", "(if x (do (endless)) None)"),
    ("(do (when x (endless)) (|-> x f))", "(f x)"),
]


@pytest.mark.parametrize(("text", "expansion"), BELOW)
def test_what_does_not_depend_on_a_macro_that_never_ends_is_expanded(worker, text, expansion):
    text = HEAD + "(defmacro endless [] (while True))\n" + text
    told = expand(worker, text, limits=t.Limits(cpu=1, wall=60.0))
    (problem,) = told.problems
    assert told.text == expansion
    assert marked(text)[1][problem.span.start : problem.span.end] == "(endless)"
    assert problem.message == (
        "`endless` was given up here: it had used 0.8 s of CPU time. What it defines is not known below."
    )


def test_what_is_data_of_a_macro_is_no_call_because_another_never_ends(worker):
    text = "(defmacro endless [] (while True))\n(do (quoting (|-> x f)) (endless))"
    told = expand(worker, "(defmacro quoting [form] `'~form)\n" + text, limits=t.Limits(cpu=1))
    assert (told.head, told.text) == ("quoting", "'(-> x f)")


def test_a_macro_above_that_cannot_be_interrupted_is_the_one_that_is_told(worker):
    stubborn = "(defmacro stubborn [] (sum (hy.I.itertools.repeat 0)))\n(stubborn)\n"
    told = expand(worker, HEAD + stubborn + "(|-> x f)", limits=t.Limits(cpu=1))
    assert (told.head, told.text) == ("stubborn", "(stubborn)")
    assert [problem.code for problem in told.problems] == ["preview-limit"]


def test_a_survey_tells_what_does_not_depend_on_a_macro_that_never_ends(worker):
    text = HEAD + "(defmacro endless [] (while True))\n(endless)\n(-> x f)"
    forms = tuple(t.Span(form.start, form.end) for form in read(text).forms)
    job = worker.job()
    worker.send(t.SurveyRequest(job, PATH, text, forms, forms, t.Environment("/"), limits=t.Limits(cpu=1)))
    calls = worker.collect(job)[-1].result.calls
    assert [(call.head, call.text) for call in calls] == [("endless", ""), ("->", "(f x)")]


def test_what_is_required_from_an_open_file_is_what_stands_there(worker, tmp_path):
    saved, typed = "(defmacro w [x] `(saved ~x))", "(defmacro w [x] `(typed ~x))"
    (tmp_path / "open_beside.hy").write_text(saved, "utf-8")
    where = {"path": str(tmp_path / "main.hy"), "root": str(tmp_path)}
    for text in (typed, saved, typed.replace("typed", "again"), ""):
        told = expand(
            worker,
            "(require open-beside [w])\n(w| 1)",
            texts=((str(tmp_path / "open_beside.hy"), text),) if text else (),
            **where,
        )
        assert told.text == (text or saved)[17:-1].replace("~x", "1")


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("(setv x [(|-> 1 (+ 2))|])", "1 + 2"),
        ("|(setv x-y (-> 1 (+ 2)))|", "x_y = 1 + 2"),
        ("(setv x [(-> 1| (+ 2))])", "1 + 2"),
        ("(defn f [] (defmacro w [x] `(g ~x)) (print (|w 3)|))", "g(3)"),
        ("|(setv a 1)\n(defmacro m [] `(g a))\n(m)|", "g(a)"),
        ("|(*-> (g x) [f h])|", "_step = g(x)\n[f(_step), h(_step)]"),
        ("(|raising-nothing|)", "raising_nothing"),
    ],
)
def test_python(worker, text, python):
    told = show_python(worker, HEAD + text)
    assert isinstance(told, t.PythonCode), told
    assert told.problems == () and told.text.endswith(python)


def test_python_of_what_does_not_compile(worker):
    told = show_python(worker, HEAD + "|(defn)|")
    assert isinstance(told, t.PythonCode)
    assert told.text == "" and [problem.severity for problem in told.problems] == ["error"]


def show_python(worker, text):
    """Of what is between two `|`, or of the form around one."""
    start, text = marked(text)
    end, text = marked(text) if "|" in text[start:] else (start, text)
    forms = tuple(t.Span(form.start, form.end) for form in read(text).forms)
    job = worker.job()
    worker.send(t.PythonRequest(job, "/a.hy", text, forms, t.Span(start, end), t.Environment("/")))
    return worker.collect(job)[-1].result


@pytest.mark.parametrize(("text", "depth", "expansion"), TABLE)
def test_expansion(worker, text, depth, expansion):
    told = expand(worker, HEAD + text, depth)
    assert isinstance(told, t.Expansion), told
    assert told.text == expansion


def test_the_range_is_that_of_the_call(worker):
    text = HEAD + "(setv é 1)\n(print (|-> x inc))"
    told = expand(worker, text)
    assert isinstance(told, t.Expansion)
    plain = text.replace("|", "")
    assert plain[told.span.start : told.span.end] == "(-> x inc)" and told.head == "->"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(print |1)", "There is no macro call here."),
        ("; | nothing", "There is no complete form here."),
    ],
)
def test_no_expansion_is_a_sentence(worker, text, message):
    offset, plain = text.index("|"), text.replace("|", "")
    forms = tuple(t.Span(form.start, form.end) for form in read(plain).forms)
    job = worker.job()
    worker.send(t.ExpandRequest(job, "/a.hy", plain, forms, offset, "all", t.Environment("/")))
    told = worker.collect(job)[-1].result
    assert isinstance(told, t.Failed) and told.message.startswith(message)


def test_a_macro_that_fails_is_a_problem_at_its_call(worker):
    told = expand(worker, HEAD + '(defmacro m [] (raise (ValueError "no")))\n(m|)')
    assert isinstance(told, t.Expansion)
    assert [problem.code for problem in told.problems] == ["exception"] and "no" in told.problems[0].message


CANARIES = [
    '(defmacro m [] (open "{canary}" "w"))\n(|m)',
    '(-> x (|do-mac (open "{canary}" "w")))',
    '(do-mac (open "{canary}" "w"))\n(|-> x inc)',
    '(eval-when-compile (open "{canary}" "w"))\n(|-> x inc)',
    "(require beside *)\n(|-> x inc)",
    '(|-> (do-mac (open "{canary}" "w")) inc)',
]


@pytest.fixture(scope="module")
def pure():
    worker = Worker("--pure")
    assert isinstance(worker.next(), t.Ready)
    yield worker
    worker.close()


@pytest.mark.parametrize("text", CANARIES)
def test_without_trust_no_code_of_the_document_runs(pure, tmp_path, text):
    canary = tmp_path / "canary"
    told = expand(pure, text.replace("{canary}", str(canary)), pure=True)
    assert not canary.exists()
    if text.count("(|->"):
        assert isinstance(told, t.Expansion) and told.text.startswith("(inc ")
    elif "(|m)" in text:
        assert isinstance(told, t.Failed) and told.message == NEEDS_TRUST


ALLOWED = [
    ("(require hyrule [unless])\n(|unless a b)", "(when (not a) b)"),
    ("(require hyrule [unless :as w])\n(|w a b)", "(when (not a) b)"),
    ("(require hyrule.control *)\n(|unless a (-> 1 f))", "(when (not a) (f 1))"),
    ("(require hyrule :as h)\n(|h.unless a b)", "(when (not a) b)"),
    ("(require hyrule)\n(|hyrule.unless a b)", "(when (not a) b)"),
    ("(|hy.R.hyrule.unless a b)", "(when (not a) b)"),
    ("(do (require hyrule [unless]))\n(|unless a b)", "(when (not a) b)"),
    ("(require mino.mu *)\n(|bind m :a 1)", "(hy.I.mino.bind m :a 1)"),
    ("(require hyrule [->])\n(|-> x (f 1) g)", "(g (f x 1))"),
    ("(require beside [->])\n(|-> x f)", None),
    ("(require hyrule [unless])\n(defmacro unless [a b] 1)\n(|unless a b)", None),
    ("(require hyrule [unless])\n(do (defmacro unless [a b] 1))\n(|unless a b)", None),
    ("(require beside [unless])\n(|unless a b)", None),
    ("(require hyrule [let+])\n(|let+ [a 1] a)", None),
    ("(|unless a b)", None),
]


@pytest.mark.parametrize(("text", "expansion"), ALLOWED)
def test_without_trust_pure_macros_are_known_by_what_is_required(pure, text, expansion):
    told = expand(pure, text, pure=True)
    if expansion is None:
        assert isinstance(told, t.Failed) and told.message == NEEDS_TRUST
    else:
        assert isinstance(told, t.Expansion) and told.text == expansion


def test_every_macro_that_is_called_without_trust_is_there():
    for module, names in PURE.items():
        macros = vars(importlib.import_module(module))["_hy_macros"]
        assert [name for name in names if hy.mangle(name) not in macros] == []


def test_a_pure_worker_does_nothing_else(pure, tmp_path):
    canary = tmp_path / "canary"
    path = tmp_path / "a.hy"
    path.write_text(f'(open "{canary}" "w")')
    for request in (
        t.PreviewRequest(pure.job(), str(path), path.read_text(), t.Environment("/")),
        t.RunRequest(pure.job(), str(path), "cpu", t.Environment("/")),
        t.ExpandRequest(pure.job(), str(path), "(m)", (t.Span(0, 3),), 1, "all", t.Environment("/")),
    ):
        pure.send(request)
        assert isinstance(pure.collect(request.job)[-1].result, t.Failed)
    assert not canary.exists()
