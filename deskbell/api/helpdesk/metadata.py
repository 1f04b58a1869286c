"""What OPTIONS says: where clients discover fields, the desk's custom ones among them."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.metadata import SimpleMetadata
from rest_framework.request import Request, clone_request

from deskbell.kernel.errors import DeskError


class Metadata(SimpleMetadata):
    """The framework's description; forms only where the caller may write this very object."""

    def determine_actions(self, request: Request, view: Any) -> dict[str, Any]:
        actions = {}
        for method in ("POST", "PUT"):
            if method not in view.allowed_methods:
                continue
            view.request = clone_request(request, method)
            try:
                view.check_permissions(view.request)
                view.check_writable()
            except (APIException, DeskError):
                continue
            finally:
                view.request = request
            actions[method] = self.get_serializer_info(view.get_serializer())
        return actions
