"""The language server of Mino.

The package imports nothing: `types` is shared with the worker, which runs under another interpreter, and loading
it must cost neither the server's dependencies nor torch.
"""
