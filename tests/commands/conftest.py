"""Instances for the tests of the commands: one that most of them share, one in a deep folder, and some of a test's own."""

from collections.abc import Iterator

import pytest

from tests.commands.instances import Instance, free_port


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A running Plaza with two web processes, in a folder whose name has a space."""
    instance = Instance(tmp_path_factory.mktemp("a plaza"), free_port())
    try:
        instance.up("--web", "2")
        yield instance
    finally:
        instance.plaza("down")


@pytest.fixture(scope="session")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A running Plaza with one web process, too deep for a socket path of 107 bytes."""
    instance = Instance(tmp_path_factory.mktemp("d" * 60) / ("e" * 60) / "var", free_port())
    try:
        instance.up("--web", "1")
        yield instance
    finally:
        instance.plaza("down")


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance that has not been started."""
    instance = Instance(tmp_path_factory.mktemp("var"), free_port())
    yield instance
    instance.plaza("down")


@pytest.fixture
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A running site of its own: what happens in it must not meet other tests."""
    instance = Instance(tmp_path_factory.mktemp("first"), free_port())
    try:
        instance.up("--web", "1")
        yield instance
    finally:
        instance.plaza("down")
