"""The floor: a pygls server that answers a hover with nothing, and symbols and tokens with those of a file."""

import json
import sys
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

server = LanguageServer("empty", "1")


@server.feature(lsp.TEXT_DOCUMENT_HOVER)
def hover(params: lsp.HoverParams) -> None:
    return None


if len(sys.argv) > 1:
    told: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    convert = server.protocol._converter.structure
    symbols = convert(told["symbols"], list[lsp.DocumentSymbol])
    tokens = lsp.SemanticTokens(told["tokens"])

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def document_symbol(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        return symbols

    @server.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL)
    def semantic_tokens(params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
        return tokens


server.start_io()
