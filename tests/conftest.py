"""The way in which the worker does its jobs in the tests."""

from __future__ import annotations

import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--without-fork", action="store_true", help="workers do as on a system that has no fork")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--without-fork"):
        os.environ["MINO_WITHOUT_FORK"] = "1"


LONG = {
    *("test_truth", "test_bad_text", "test_idioms", "test_against_hy", "test_thread_laws", "test_wheel"),
    *("test_examples", "test_reversion", "test_thread", "test_terminal", "test_diagnosis", "test_expressions"),
}
"""Files that take long go first, so that the last of several processes does not end long after the others."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem not in LONG)
    if config.getoption("--without-fork"):
        for item in items:
            for marker in item.iter_markers("needs_fork"):
                item.add_marker(pytest.mark.skip(reason=f"needs fork: {marker.args[0]}"))
