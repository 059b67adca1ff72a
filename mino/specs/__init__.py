"""The spec engine, one concept a file. `mino.check` is what other code imports; nothing here imports torch on its own
account, except `models` and `tensors`, which a spec of modules or tensors needs.
"""
