"""Deskbell: one set of tickets behind three public APIs, e-mail and a web workspace."""

__version__ = "0.1.0"
