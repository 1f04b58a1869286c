"""Addresses that agents, customers and holders of public links share."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView

from deskbell.web.shared import contents, signing_in

urlpatterns: list[URLPattern | URLResolver] = [
    path("", signing_in.home, name="home"),
    path("sign-out/", signing_in.sign_out, name="sign-out"),
    path("favicon.ico", RedirectView.as_view(url="/static/shared/favicon.svg", permanent=True)),
    path("attachments/<int:attachment_id>/", contents.attachment),
    path("attachments/<int:attachment_id>/<path:name>", contents.attachment, name="attachment"),
    path(
        "attachments/signed/<int:attachment_id>/<path:name>",
        contents.signed_attachment,
        name="signed-attachment",
    ),
    path("articles/<int:article_id>/html/", contents.article_html, name="article-html"),
    path("articles/<int:article_id>/text/", contents.article_text, name="article-text"),
    path("articles/<int:article_id>/source/", contents.article_source, name="article-source"),
    path(
        "articles/signed/<int:article_id>/html/",
        contents.signed_article_html,
        name="signed-article-html",
    ),
    path(
        "articles/signed/<int:article_id>/text/",
        contents.signed_article_text,
        name="signed-article-text",
    ),
]
