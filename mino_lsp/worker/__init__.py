"""The worker side: it runs under the user's interpreter, which has torch, hy and mino, and is started by path.

It loads `mino_lsp.types` and nothing else of the server.
"""
