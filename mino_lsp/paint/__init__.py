"""What each word of a piece of text is, for colouring: read off the syntax alone, at once and without waiting.

``paint(piece)`` gives ``Stroke``s, relative to the piece; ``TYPES`` and ``MODIFIERS`` are LSP's standard names.
"""

from mino_lsp.paint.roles import MODIFIERS, TYPES, Stroke, paint

__all__ = ["MODIFIERS", "TYPES", "Stroke", "paint"]
