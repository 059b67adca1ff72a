"""The names that Hy, hyrule and mino give a meaning."""

from __future__ import annotations

FUNCTIONS = frozenset({"defn", "defn/a", "defn+", "defun", "spec/defun"})
MACROS = frozenset({"defmacro", "defmacro!", "defmacro/g!", "defmacro-kwargs", "defreader"})
CLASSES = frozenset({"defclass", "defmu"})
LAMBDAS = frozenset({"fn", "fn/a", "fn+", "mu", "defmain"})
BINDERS = frozenset({"let", "let+", "for", "for+", "with", "with/a", "lfor", "gfor", "sfor", "dfor", "cfor"})
SETTERS = frozenset({"setv", "setx", "setv+"})

KEYWORDS = frozenset(
    {
        *("if", "cond", "when", "unless", "while", "do", "match", "try", "except", "except*", "else", "finally"),
        *("return", "yield", "yield-from", "await", "raise", "assert", "break", "continue", "del", "pass", "del"),
        *("import", "require", "export", "global", "nonlocal", "quote", "quasiquote", "unquote", "unquote-splice"),
        *("and", "or", "not", "is", "is-not", "in", "not-in", "annotate", "deftype", "pragma", "chainc", "py", "pys"),
        *("do-mac", "eval-and-compile", "eval-when-compile", "get", "cut", "hy", "."),
        *FUNCTIONS,
        *MACROS,
        *CLASSES,
        *LAMBDAS,
        *BINDERS,
        *SETTERS,
    }
)
KNOWN_MACROS = frozenset(
    {
        *("->", "->>", "*->", "*->>", "|->", "|->>", "=->", "=->>", "cond->", "cond->>", "some->", "as->", "doto"),
        *("bind", "geta", "mino/apply", "mino/live", "branch", "ebranch", "case", "ecase", "do-n", "list-n", "loop"),
        *("ap-if", "ap-each", "ap-map", "ap-filter", "ap-reject", "ap-reduce", "ap-first", "ap-last", "ap-when"),
        *("comment", "pun", "meth", "ameth", "of", "assoc", "ncut", "block", "lif", "macrolet", "smacrolet"),
    }
)
OPERATORS = frozenset(
    {
        *("+", "-", "*", "/", "//", "%", "**", "@", "<<", ">>", "&", "|", "^", "bnot"),
        *("=", "!=", "<", "<=", ">", ">="),
        *("+=", "-=", "*=", "/=", "//=", "%=", "**=", "@=", "<<=", ">>=", "&=", "|=", "^="),
    }
)
CONSTANTS = frozenset({"None", "True", "False", "Ellipsis", "..."})
