"""The value of a component that a call was not given. This module imports nothing."""


class Unbound:
    """The class of `UNBOUND`, its only instance: copies and pickles of it are itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNBOUND"

    def __reduce__(self) -> str:
        return "UNBOUND"

    def __copy__(self) -> "Unbound":
        return self

    def __deepcopy__(self, memo: object) -> "Unbound":
        return self

    def __fx_create_arg__(self, tracer: object) -> object:
        """Called by `torch.fx` for the defaults of the procedure that it traces, all of whose components it feeds."""
        raise TypeError(
            "torch.fx takes every component of the mu that it traces for an input, also those that are bound: "
            "trace (torch.nn.Sequential m), in which they are m's own"
        )


UNBOUND = Unbound()
