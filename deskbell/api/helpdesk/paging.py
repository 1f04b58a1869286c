"""Pages by number, as Django REST framework's PageNumberPagination counts and links them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from rest_framework.exceptions import NotFound
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.utils.urls import remove_query_param, replace_query_param

DEFAULT_SIZE = 25
#: A longer page reads as one of this size (decision 38).
LONGEST = 5000
LAST = "last"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a counted list; ``number`` counts from 1."""

    number: int
    size: int
    count: int

    @property
    def pages(self) -> int:
        """How many pages there are; one where the list is empty."""
        return max(1, -(-self.count // self.size))

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    def links(self, url: str) -> tuple[str | None, str | None]:
        """The addresses of the next and the previous page, ``None`` where there is none.

        Every other parameter stays; page 1 is named by leaving ``page`` out.
        """
        after = (
            replace_query_param(url, "page", self.number + 1) if self.number < self.pages else None
        )
        if self.number == 1:
            return after, None
        if self.number == 2:
            return after, remove_query_param(url, "page")
        return after, replace_query_param(url, "page", self.number - 1)


def page_size(params: Mapping[str, Any]) -> int:
    """How long a page is to be; what makes no sense reads as the default."""
    try:
        size = int(params.get("page_size", ""))
    except ValueError:
        return DEFAULT_SIZE
    return min(size, LONGEST) if size > 0 else DEFAULT_SIZE


def requested(params: Mapping[str, Any], count: int) -> Page:
    """The page that was asked for. Raises :class:`NotFound` (``Invalid page.``)."""
    first = Page(1, page_size(params), count)
    word = params.get("page") or "1"
    if word == LAST:
        return Page(first.pages, first.size, count)
    try:
        number = int(word)
    except ValueError:
        number = 0
    if not 1 <= number <= first.pages:
        raise NotFound("Invalid page.")
    return Page(number, first.size, count)


class PageControls(PageNumberPagination):
    """The row of page numbers below a list of the browsable API."""

    def __init__(self, request: Request, page: Page) -> None:
        self.request = request
        self.page = Paginator(range(page.count), page.size).page(page.number)
        self.display_page_controls = page.pages > 1
