"""Expected failures of the desk. Each dialect's ``errors.py`` says how its clients hear them."""

from __future__ import annotations


class DeskError(Exception):
    """Something the caller asked for cannot be done, and why."""


class Unknown(DeskError):
    """No such row. ``model`` is our word for it (``ticket``), ``key`` what was asked for."""

    def __init__(self, model: str, key: object) -> None:
        super().__init__(f"no {model} {key!r}")
        self.model = model
        self.key = key


class Forbidden(DeskError):
    """The row exists, but not for this actor; or the actor lacks ``permission``."""

    def __init__(self, model: str, key: object = None, permission: str | None = None) -> None:
        super().__init__(f"{model} {key!r} is not for this actor")
        self.model = model
        self.key = key
        self.permission = permission


class Invalid(DeskError):
    """A value makes no sense. ``field`` and ``code`` are ours, ``value`` is what was given.

    Codes: ``required``, ``unknown`` (no such row), ``not_selectable``, ``too_long`` (``limit`` in
    params), ``not_an_address``, ``taken``, ``in_use``, ``cycle``, ``self``, ``inactive``, ``bad``.
    """

    def __init__(self, field: str, code: str, value: object = None, **params: object) -> None:
        super().__init__(f"{field}: {code}")
        self.field = field
        self.code = code
        self.value = value
        self.params = params


class Refused(DeskError):
    """The state of things forbids it, for everyone; ``reason`` is ours: ``closed``, ``merged``."""

    def __init__(self, reason: str, **params: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.params = params
