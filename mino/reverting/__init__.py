"""The parts of `mino.reversion`: each kind of thing that a model consists of, as a form."""
