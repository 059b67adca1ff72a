"""Specs of functions: checked while they are instrumented, and exercised on generated arguments."""

import threading

import pytest
import torch

from mino import check

LINEAR = """
(import torch)
(spec/defun linear [x w [b None]]
  "A linear map."
  :args (spec/cat :x (spec/tensor [batch n]) :w (spec/tensor [n m]) :b (spec/nilable (spec/tensor [m])))
  :ret (spec/tensor [batch m])
  (let [y (@ x w)] (if (is b None) y (+ y b))))
(spec/defun grow [n] :args (spec/cat :n int) :ret int :fn (fn [call] (> (:ret call) (:n (:args call)))) (- n 1))
(spec/defun wrong [x] :args (spec/cat :x (spec/tensor [n])) :ret (spec/tensor [n]) (torch.cat [x x]))
"""


@pytest.fixture
def functions(run):
    with check.temporary():
        run(LINEAR)
        yield run
        check.unstrument()


BROKEN = [
    (
        "(linear (torch.ones 2 3) (torch.ones 4 5))",
        """The arguments of linear do not conform to its :args.
  w: expected (spec/tensor [n m]); found Tensor [4 5] float32, rank 2 (n is 3 by x, 4 by w)
    expected [n m]
    found    [4 5]
              ^ n is 3 by x, 4 by w""",
    ),
    (
        "(linear :w (torch.ones 3 5) :x [1 2])",
        """The arguments of linear do not conform to its :args.
  x: expected (spec/tensor [batch n]); found list of 2 items""",
    ),
    (
        "(grow 3)",
        """What grow returned does not fit its arguments.
  expected (> (:ret call) (:n (:args call))); found the result 2""",
    ),
    (
        "(wrong (torch.ones 3))",
        """What wrong returned does not conform to its :ret.
  result: expected (spec/tensor [n]); found Tensor [6] float32, rank 1 (n is 3 by x, 6 by result)
    expected [n]
    found    [6]
              ^ n is 3 by x, 6 by result""",
    ),
]


@pytest.mark.parametrize(("call", "text"), BROKEN)
def test_a_call_that_breaks_its_spec(functions, call, text):
    with functions("(spec/instrument)"), pytest.raises(check.SpecError) as caught:
        functions(call)
    assert str(caught.value) == text


def test_calls_are_checked_only_while_instrumented(functions):
    plain = functions("linear")
    with pytest.raises(RuntimeError):
        functions("(linear (torch.ones 2 3) (torch.ones 4 5))")
    assert functions("(spec/instrument linear)") == (f"{plain.__module__}.linear",)
    assert functions("(spec/instrument linear)") == ()
    assert functions("linear") is not plain and functions("linear").__doc__ == "A linear map."
    assert functions("(linear (torch.ones 2 3) (torch.ones 3 5))").shape == (2, 5)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'w'"):
        functions("(linear 1)")
    assert functions('(spec/unstrument "lin*")') == (f"{plain.__module__}.linear",)
    assert functions("linear") is plain
    assert functions("(spec/unstrument)") == ()


def test_a_function_may_be_specified_before_it_is_defined_and_defined_anew(functions):
    functions("(spec/defun later :args (spec/cat :x int))")
    functions("(defn later [x] x)")
    with functions("(spec/instrument later)"):
        with pytest.raises(check.SpecError):
            functions('(later "a")')
        functions("(spec/defun later :args (spec/cat :x str))")
        assert functions('(later "a")') == "a"
        functions("(defn later [x] 3)")
        assert functions("(later 1)") == 3
    assert functions("(later 1)") == 3


def test_a_name_that_has_no_specs(functions):
    with pytest.raises(LookupError, match=r"nothing with specs of its calls is named lineer; did you mean linear\?"):
        functions('(spec/instrument "lineer")')
    functions("(defn other [])")
    with pytest.raises(LookupError, match="other has no spec of its arguments and its result"):
        functions("(spec/exercise other)")


def test_exercise_calls_a_function_on_what_its_spec_makes(functions):
    pairs = functions("(spec/exercise linear 5 :seed 3)")
    assert len(pairs) == 5
    for (x, w, b), result in pairs:
        assert x.shape[1] == w.shape[0] and result.shape == (x.shape[0], w.shape[1])
        torch.testing.assert_close(result, x @ w if b is None else x @ w + b)
    again = functions("(spec/exercise linear 5 :seed 3)")
    assert all(torch.equal(one, other) for (_, one), (_, other) in zip(pairs, again, strict=True))


@pytest.mark.parametrize(("name", "text"), [("grow", "does not fit its arguments"), ("wrong", "n is")])
def test_exercise_finds_what_is_wrong_and_tells_the_arguments(functions, name, text):
    with pytest.raises(check.SpecError, match=text) as caught:
        functions(f"(spec/exercise {name} :seed 1)")
    assert caught.value.__notes__[0].startswith(f"spec/exercise had called {name} with ")


def test_exercise_of_a_spec_pairs_values_with_what_they_conform_to(functions):
    for value, (tag, same) in functions("(spec/exercise (spec/or :i int :s str) 20 :seed 0)"):
        assert value == same and tag.name == ("i" if isinstance(value, int) else "s")


def test_python_uses_the_functions_under_the_macros():
    import tests.mino.test_spec_functions as here

    check.define_function(here.__name__, "doubled", args=check.cat((":n", int)), ret=int)
    with check.instrument(here.doubled), pytest.raises(ValueError, match="n: expected int; found 'a'"):
        here.doubled("a")
    assert here.doubled("a") == "aa"


def doubled(n):
    return n * 2


def test_instrumenting_from_many_threads_leaves_nothing_behind(functions):
    plain = functions("linear")
    namespace = functions.module

    def work():
        for _ in range(30):
            check.instrument(f"{namespace.__name__}.*")
            check.unstrument(f"{namespace.__name__}.*")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check.unstrument()
    assert functions("linear") is plain
