"""Hy in notebooks: the cell magic `%%hy`, and tracebacks that point at the failing step of a Hy cell.

IPython's own printer takes every source for Python: it marks a line, and finds what failed in it by parsing Python.
So a traceback that passes through Hy text is printed by Python's `traceback`, with the columns that `mino.importing`
corrects; every other is left to IPython. Nothing imports this module but `%load_ext mino`.
"""

from __future__ import annotations

import ast
import functools
import linecache
import re
import traceback
import types
from collections.abc import Iterator
from typing import Any

import hy
from hy.compiler import HyASTCompiler, hy_compile
from hy.errors import HyLanguageError
from IPython.core.error import UsageError

from mino.importing import correct

_cells: set[str] = set()


def load(shell: Any) -> None:
    """Gives a shell of IPython the magic `%%hy` and the tracebacks of Hy."""
    reader = hy.HyReader()

    def magic(line: str, cell: str) -> Any:
        """Evaluates the cell as Hy in the notebook's namespace, and shows the value of its last form."""
        if line.strip():
            raise UsageError(f"%%hy stands alone on its line: write {line.strip()} on the next")
        return evaluate(shell, cell, reader)

    shell.register_magic_function(magic, "cell", "hy")
    for printer in (shell.InteractiveTB, shell.SyntaxTB):
        printer.structured_traceback = _printing(shell, printer)


def unload(shell: Any) -> None:
    """Takes both away again."""
    shell.magics_manager.magics["cell"].pop("hy", None)
    for printer in (shell.InteractiveTB, shell.SyntaxTB):
        vars(printer).pop("structured_traceback", None)


def evaluate(shell: Any, cell: str, reader: Any) -> Any:
    """The value of the last form of a cell.

    The cell is compiled as a whole: where Hy cannot read or compile it, nothing of it is run but its macros. Those
    that it defines or requires stay in the notebook's module, reader macros in `reader`.
    """
    # Notebooks count the line of the magic too.
    source = "\n" + cell
    name = shell.compile.cache(source, shell.displayhook.prompt_count)
    _cells.add(name)
    # Hy counts lines at newlines only; IPython has cut them at form feeds and other signs too.
    linecache.cache[name] = (len(source), None, [f"{line}\n" for line in source.split("\n")], name)
    module, value = _compiled(source, name, shell.user_module, reader)
    exec(compile(module, name, "exec", dont_inherit=True), shell.user_ns)
    return eval(compile(value, name, "eval", dont_inherit=True), shell.user_ns)


def _compiled(source: str, name: str, module: types.ModuleType, reader: Any) -> tuple[ast.Module, ast.Expression]:
    """What is to be executed of a cell, and its last value, with CPython's columns."""
    compiler = HyASTCompiler(module, filename=name, source=source)
    forms = hy.read_many(source, name, reader=reader)
    try:
        body, value = hy_compile(forms, module, get_expr=True, compiler=compiler, filename=name, source=source)
    except HyLanguageError as error:
        # What `require` and `eval-when-compile` raise has no place: theirs is the form that was being compiled.
        if not error.text:
            error.compute_lineinfo(compiler.this, name, source, 1, 1)
        raise
    # As one tree, because a node may be in both, and is corrected once.
    correct(ast.Module([*body.body, ast.Expr(value.body)], []), source)
    return body, value


def _printing(shell: Any, printer: Any) -> Any:
    """The method by which a printer of IPython makes the text of a traceback, for those that concern Hy ours."""
    original = printer.structured_traceback

    @functools.wraps(original)
    def structured_traceback(kind: Any, error: Any, *rest: Any, **named: Any) -> Any:
        if isinstance(error, BaseException) and _concerns_hy(error):
            return [_shown(error, shell.compile.format_code_name)]
        return original(kind, error, *rest, **named)

    return structured_traceback


def _concerns_hy(error: BaseException | None) -> bool:
    """Whether an error, or one that led to it, came through Hy text or from a cell that did not compile."""
    while error is not None:
        if any(_is_hy(link) or _evaluates(link) for link in _links(error.__traceback__)):
            return True
        error = error.__cause__ or error.__context__
    return False


def _shown(error: BaseException, cell: Any) -> str:
    """The text of a traceback, from the notebook's own code on; `cell` gives IPython's name of a cell for its file."""
    links = list(_links(error.__traceback__))
    started = next((index + 1 for index, link in enumerate(links) if _evaluates(link)), None)
    if started is None:
        # A Python cell.
        first = next((link for link in links if cell(link.tb_frame.f_code.co_filename)), error.__traceback__)
    elif isinstance(error, HyLanguageError) and not any(map(_is_hy, links[started : started + 1])):
        # The cell does not compile, and the error has its place in it.
        first = None
    else:
        first = next(filter(_is_hy, links[started:]), None)
    lines = traceback.format_exception(type(error), error, first, chain=first is not None)

    def named(match: re.Match[str]) -> str:
        return " ".join(cell(match[1]) or (match[0],))

    return re.sub(r'File "([^"\n]+)"', named, "".join(lines)).rstrip()


def _is_hy(link: types.TracebackType) -> bool:
    name = link.tb_frame.f_code.co_filename
    return name in _cells or name.endswith(".hy")


def _evaluates(link: types.TracebackType) -> bool:
    return link.tb_frame.f_code is evaluate.__code__


def _links(tb: types.TracebackType | None) -> Iterator[types.TracebackType]:
    while tb is not None:
        yield tb
        tb = tb.tb_next
