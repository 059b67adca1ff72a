"""What the macros know about Hy's models: source ranges, and errors that point at a form.

Positions of models are Hy's own: lines and character columns from 1, the end included.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from hy.errors import HySyntaxError
from hy.models import Expression, Object, Sequence, Symbol

Model = TypeVar("Model", bound=Object)


def place(model: Model, like: Object) -> Model:
    """Gives `model` the source range of `like`, and leaves what is inside of it alone."""
    for name in Object.properties:
        if hasattr(like, name):
            setattr(model, name, getattr(like, name))
    return model


def opening(call: Object) -> Object:
    """A model whose range is the opening bracket of `call`: the place of code that no user wrote."""
    mark = place(Symbol("_"), call)
    if hasattr(call, "_start_line"):
        mark.end_line, mark.end_column = call.start_line, call.start_column
    return mark


def generated(model: Any, call: Object) -> Any:
    """Puts `model`, and everything in it that has no range yet, at the opening bracket of `call`."""
    mark = opening(call)
    return model.replace(mark, recursive=True) if isinstance(model, Sequence) else model.replace(mark)


def call(head: str, *arguments: Object) -> Expression:
    """The form `(head arguments…)`; a dotted `head` is read as Hy reads it, as `(. a b)`."""
    return Expression([dotted(head), *arguments])


def method(name: str, target: Object, *arguments: Object) -> Expression:
    """The form `(.name target arguments…)`."""
    return Expression([Expression([Symbol("."), Symbol("None"), Symbol(name)]), target, *arguments])


def dotted(name: str) -> Object:
    """The model of a name: a symbol, or `(. a b)` for `a.b`."""
    parts = name.split(".")
    if len(parts) == 1:
        return Symbol(name)
    return Expression([Symbol("."), *(Symbol(part) for part in parts)])


def is_dotted(form: object) -> bool:
    """Whether `form` is a name with dots (`torch.sigmoid`, `.size`): a head, not a call to thread into."""
    return (
        isinstance(form, Expression)
        and len(form) > 2
        and isinstance(form[0], Symbol)
        and not str(form[0]).strip(".")
        and all(isinstance(part, Symbol) for part in form)
    )


def text(form: Object) -> str:
    """`form` as it is written, without the quote that `hy.repr` puts in front."""
    import hy

    return str(hy.repr(form)).removeprefix("'")


def form_error(compiler: Any, form: Object, sentence: str) -> NoReturn:
    """Raises a `HySyntaxError` that says `sentence` and points at `form`, to its last character."""
    error = HySyntaxError(sentence, form, compiler.filename, compiler.source, form.start_line, form.start_column)
    error.end_lineno, error.end_offset = form.end_line, form.end_column + 1
    raise error
