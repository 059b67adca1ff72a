"""What is said of models and specs that a person asks for."""

from __future__ import annotations

import re

from mino_lsp.types import Model, Problem


def drawn(model: Model, depth: int = 0) -> str:
    """A model as lines of text: each part with its size, below what it is part of."""
    head = f"{'  ' * depth}{model.name}"
    if model.kind in ("parameter", "buffer"):
        shape = " ".join(map(str, model.shape)) if model.shape is not None else "?"
        return f"{head} [{shape}] {model.dtype}" + (" (buffer)" if model.kind == "buffer" else "")
    kind = f" {model.kind}" if model.kind != model.name else ""
    plural = "" if model.parameters == 1 else "s"
    line = f"{head}{kind} · {model.parameters:,} parameter{plural}"
    return "\n".join([line, *(drawn(part, depth + 1) for part in model.components)])


def concerns(problem: Problem, keyword: str) -> bool:
    """Whether a problem is that the spec of a keyword is broken."""
    whole = re.compile(rf"(?<![^\s`(,;]){re.escape(keyword)}(?![^\s`),;.?])")
    return problem.code == "spec" and any(
        whole.search(text) for text in (problem.message, *(related.message for related in problem.related))
    )
