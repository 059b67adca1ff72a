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


UNBOUND = Unbound()
