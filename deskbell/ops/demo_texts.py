"""The people and the words of the example, read from ``demo.toml`` beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

_FILE = Path(__file__).with_name("demo.toml")


class Agent(msgspec.Struct, frozen=True):
    """Somebody of staff; ``groups`` are those with full access, by key."""

    login: str
    firstname: str
    lastname: str
    groups: tuple[str, ...]


class Company(msgspec.Struct, frozen=True):
    """An organization. ``shared``: members see each other's tickets."""

    name: str
    domain: str
    shared: bool
    vip: bool


class Customer(msgspec.Struct, frozen=True):
    """Somebody who writes, in which language."""

    firstname: str
    lastname: str
    email: str
    language: str


class Topic(msgspec.Struct, frozen=True):
    """A kind of concern: how it begins, what is said on the way, and how it ends.

    ``answers`` and ``replies`` alternate (agent, customer); ``notes`` are internal; ``fields`` are
    names of custom fields that such a ticket has. ``priority`` counts from 1 (critical) to 5.
    """

    group: str
    language: str
    titles: tuple[str, ...]
    tags: tuple[str, ...]
    fields: tuple[str, ...]
    opening: tuple[str, ...]
    answers: tuple[str, ...]
    replies: tuple[str, ...]
    resolution: str
    notes: tuple[str, ...] = ()
    priority: int = 3


class Recall(msgspec.Struct, frozen=True):
    """The ticket that holds others together."""

    title: str
    text: str


class Texts(msgspec.Struct, frozen=True):
    """The whole file; groups and fields as the operations take them."""

    domain: str
    models: tuple[str, ...]
    cities: tuple[str, ...]
    signature: str
    group: tuple[Mapping[str, Any], ...]
    field: tuple[Mapping[str, Any], ...]
    agent: tuple[Agent, ...]
    organization: tuple[Company, ...]
    customer: tuple[Customer, ...]
    topic: tuple[Topic, ...]
    recall: Recall
    again: Mapping[str, str]


@cache
def texts() -> Texts:
    """The words of the example."""
    return msgspec.toml.decode(_FILE.read_bytes(), type=Texts)
