"""The formatter: pure functions of a tree, which answer with edits.

``document(tree)``, ``lines(tree, start, end)`` and ``newline(tree, offset)`` give tuples of ``Edit``, in the order of
the text and without overlap; ``apply(source, edits)`` carries them out. Only white space between tokens changes, and
closers that stand alone move up. Line breaks, comments, strings and what Hy reads stay as they are. Text that cannot be
read, or that a reader macro of unknown habits may read in its own way, is left alone.
"""

from mino_lsp.format.edits import Edit, apply
from mino_lsp.format.layout import document, lines, newline

__all__ = ["Edit", "apply", "document", "lines", "newline"]
