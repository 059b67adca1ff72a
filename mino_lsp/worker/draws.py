"""Random numbers on shapes alone: whether those that are drawn are those of a run.

A generator stands where it does in a run as long as all that was drawn from it was drawn really. What is too much for
that is passed over; from then on nothing is known of the values that are drawn, until the generator is seeded anew. In
a program that seeds none, no run has the same numbers as the next, and one's are as good as another's.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.data import _utils, dataloader, dataset, sampler

from mino_lsp.worker import unknown
from mino_lsp.worker.patches import Patches

REALLY = 1 << 20
"""How many numbers are drawn in all for no other reason than to have a generator where it would be: milliseconds."""

_BY_VALUE = frozenset({"multinomial", "poisson", "binomial", "_standard_gamma", "_sample_dirichlet"})
"""How much these draw depends on what they are given."""


class Draws:
    """The generators of one evaluation."""

    def __init__(self) -> None:
        self._left = REALLY
        self._seeded = False
        self._astray: dict[int, Any] = {}
        self._any = False

    @property
    def vague(self) -> bool:
        """Whether something was shuffled in an order that need not be that of a run."""
        return self._any

    def follow(self, generator: Any) -> bool:
        """Whether what is drawn next is what a run draws, or may stand for it."""
        return _identity(generator) not in self._astray

    def pass_over(self, func: Any, generator: Any, count: int, really: Callable[[], object]) -> None:
        """An operator draws, and its values are not wanted. `really` would draw them."""
        if not self.follow(generator) or not self._matters(generator):
            return
        if count <= self._left and func._schema.name.partition("::")[2] not in _BY_VALUE:
            self._left -= count
            with contextlib.suppress(RuntimeError):
                really()
                return
        self.lose(generator)

    def lose(self, generator: Any) -> None:
        """More or less was drawn than in a run."""
        if self._matters(generator):
            self._astray[_identity(generator)] = generator  # which is kept, so that no other has its identity

    def _matters(self, generator: Any) -> bool:
        return self._seeded or _identity(generator) != _DEFAULT

    def enter(self, patches: Patches) -> None:
        """Watch the default generator be seeded; shuffle in any order where that of a run is not known."""
        given, drawn = self._seeding(torch.manual_seed, True), self._seeding(torch.seed, False)
        for module in (torch, torch.random):
            patches.set(module, "manual_seed", given)
            patches.set(module, "seed", drawn)
        split, iterate, start = dataset.random_split, sampler.RandomSampler.__iter__, dataloader._BaseDataLoaderIter
        begin, fetch = start.__init__, _utils.fetch._BaseDatasetFetcher

        def random_split(*args: Any, **options: Any) -> Any:
            with self._in_any_order():
                return split(*args, **options)

        def shuffled(shuffler: Any) -> Iterator[int]:
            if shuffler.generator is None:
                with self._in_any_order():
                    seed = int(torch.empty((), dtype=torch.int64).random_().item())
                shuffler = copy.copy(shuffler)
                shuffler.generator = torch.Generator().manual_seed(seed)
            yield from iterate(shuffler)

        def begun(iterator: Any, loader: Any) -> None:
            with self._in_any_order():
                begin(iterator, loader)

        for module in (torch.utils.data, dataset):
            patches.set(module, "random_split", random_split)
        patches.set(sampler.RandomSampler, "__iter__", shuffled)
        patches.set(start, "__init__", begun)
        patches.set(fetch, "__init__", self._comparing(fetch.__init__))

    def _seeding(self, seed: Callable[..., Any], known: bool) -> Callable[..., Any]:
        def seeding(*number: Any, **named: Any) -> Any:
            self._astray.pop(_DEFAULT, None)
            self._seeded = known
            return seed(*number, **named)

        return seeding

    @contextlib.contextmanager
    def _in_any_order(self) -> Iterator[None]:
        """What is drawn within it may be anything: what it decides is which item comes when."""
        lost = self._astray.pop(_DEFAULT, self)
        self._any = self._any or lost is not self
        try:
            yield
        finally:
            if lost is not self:
                self._astray[_DEFAULT] = lost

    def _comparing(self, begin: Callable[..., None]) -> Callable[..., None]:
        """Of items that are not alike, the sizes of a batch depend on which they are."""

        def begun(fetcher: Any, *args: Any) -> None:
            begin(fetcher, *args)
            collate, first = fetcher.collate_fn, list[Any]()

            def collated(data: Any) -> Any:
                for item in data if fetcher.auto_collation and isinstance(data, list) else [data]:
                    sizes = _sizes(item)
                    first[:] = first or [sizes]
                    if self.vague and sizes != first[0]:
                        unknown.assumed()
                return collate(data)

            fetcher.collate_fn = collated

        return begun


_DEFAULT = 0


def _identity(generator: Any) -> int:
    return _DEFAULT if generator is None or generator is torch.default_generator else id(generator)


def _sizes(item: Any) -> Any:
    if isinstance(item, (list, tuple)):
        return tuple(map(_sizes, item))
    if isinstance(item, dict):
        return {name: _sizes(value) for name, value in item.items()}
    return tuple(getattr(item, "shape", ())) if not isinstance(item, str) else len(item)
