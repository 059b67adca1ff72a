"""The syntax of Hy as an editor needs it: a text with positions, and a tree that any text has.

``Text(source)`` is an immutable document text::

    text.source, len(text), text.line_count
    text.slice(start, end)                          -> str
    text.line_span(line)                            -> (start, end without the line ending)
    text.position(offset, encoding="utf-16")        -> (line, character), 0-based as in LSP
    text.offset(line, character, encoding="utf-16") -> offset; clamps, never raises
    text.hy_offset(line, column)                    -> offset of a position of Hy's reader (1-based)
    text.hy_position(offset)                        -> (line, column)
    text.edit(start, end, new)                      -> Text

``read(source) -> Tree`` cannot fail::

    tree.is_read    False where the text is too long: then there is nothing in the tree (and ``TOO_LONG`` says why)
    tree.forms      the top-level forms that Hy would see
    tree.nodes      everything at the top level, white space too
    tree.problems   tuple[SyntaxProblem(start, end, code, message), ...], in the order of the text
    tree.walk()     (start, end, Form) of every node, parents before children
    tree.path_at(offset)  -> tuple[Form, ...], outermost first; at a boundary what starts there, else what ends there
    tree.form_at(offset)  -> Form | None, the last of that path
    tree.text(form) or tree.text(start, end) -> str;  tree.source;  len(tree)
    tree.edit(start, end, new) -> Tree, which shares all top-level text that the edit leaves alone
    joined(trees)   -> Tree of several texts in a row, each read by itself
    tree.pieces()   (start, piece) of that text; the same piece object in both trees, so what was found out of it can be
                    kept beside it

``Form`` is a node at its place; all offsets are absolute code points::

    form.kind (a ``Kind``), form.start, form.end, form.text
    form.children   all nodes right below    form.forms      only forms: no comments, discards (``#_``) or errors
    form.parent     Form | None              form.ancestors  innermost first
    form.head       the first form of a list, or None       form.head_name  its text where it is a symbol, else ""
    form.walk()     this node and all below  form.is_form, form.is_sequence, form.is_prefix

Nodes: white space has none below the top level; of an f-string's text only the fields ``{…}`` do. A dotted name is one
symbol. ``#name`` of an unknown reader macro is a node by itself and no problem: whoever knows the macros can tell. A
list that lacks its closer ends where indentation or the next ``(`` in column 0 shows it must have.

Codes of problems: unclosed, mismatched, unexpected-closer, unterminated-string, invalid-prefix, invalid-escape,
invalid-bytes, invalid-fstring, invalid-bracket-string, invalid-identifier, invalid-keyword, missing-form,
dangling-hash.
"""

from mino_lsp.syntax.columns import Encoding
from mino_lsp.syntax.form import Form
from mino_lsp.syntax.kinds import TOO_LONG, Kind, SyntaxProblem
from mino_lsp.syntax.text import Text
from mino_lsp.syntax.tree import Tree, joined, read

__all__ = ["TOO_LONG", "Encoding", "Form", "Kind", "SyntaxProblem", "Text", "Tree", "joined", "read"]
