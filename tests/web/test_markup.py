"""Every page is well formed, can be operated without eyes or mouse, and runs nothing inline."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from deskbell.kernel.actor import SYSTEM
from deskbell.mail.intake.channels import NewChannel, save_channel
from deskbell.mail.intake.ignoring import NewRule, save_rule
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.operations import NewArticle, merge, update_ticket
from deskbell.tickets.vocabulary import ArticleType
from tests import cast
from tests.web.conftest import sign_in

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr", "path"}
NAMED = {"a", "button"}


class Page(HTMLParser):
    """Reads a page as strictly as a person who wants to find fault with it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self.fields: list[tuple[str, dict[str, str | None], bool]] = []
        self.pointed: list[str] = []
        self.headings: list[int] = []
        self.landmarks: list[str] = []
        self.names: list[tuple[str, list[str]]] = []
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag, _attributes in self.open]
        self.faults += [f"id {i} stands twice" for i in self.ids if self.ids.count(i) > 1]
        self.faults += [f"nothing has the id {i}" for i in self.pointed if i not in self.ids]
        for tag, attributes, inside_label in self.fields:
            named = attributes.get("aria-label") or attributes.get("id") in self.labels
            if not named and not inside_label:
                self.faults.append(f"{tag} {attributes.get('name')} has no label")
        if self.headings.count(1) != 1:
            self.faults.append(f"{self.headings.count(1)} headings of the first level")
        for before, after in zip(self.headings, self.headings[1:], strict=False):
            if after > before + 1:
                self.faults.append(f"h{after} follows h{before}")
        if self.landmarks.count("main") != 1:
            self.faults.append("there is not one main part")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if len(attributes) != len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        for name in attributes:
            if name.startswith("on") or name == "style":
                self.faults.append(f"<{tag}> has {name}, which the policy forbids")
        if tag == "style" or (tag == "script" and not attributes.get("src")):
            self.faults.append(f"<{tag}> stands inline, which the policy forbids")
        if attributes.get("id"):
            self.ids.append(str(attributes["id"]))
        for name in ("aria-describedby", "aria-labelledby", "aria-controls"):
            self.pointed += (attributes.get(name) or "").split()
        href = attributes.get("href") or ""
        if href.startswith("#") and len(href) > 1:
            self.pointed.append(href[1:])
        leaves = tag == "a" and attributes.get("target") == "_blank" and "http" in href
        if leaves and "noopener" not in (attributes.get("rel") or ""):
            self.faults.append("a link out of the desk tells where it stood")
        if tag == "label" and attributes.get("for"):
            self.labels.add(str(attributes["for"]))
            self.pointed.append(str(attributes["for"]))
        if tag in ("select", "textarea") or (
            tag == "input" and attributes.get("type") not in ("hidden", "submit")
        ):
            inside = any(parent == "label" for parent, _attributes in self.open)
            self.fields.append((tag, attributes, inside))
        if tag == "iframe" and not attributes.get("title"):
            self.faults.append("a frame without a title")
        if tag == "img" and "alt" not in attributes:
            self.faults.append("an image without a text")
        if tag == "form" and attributes.get("method") == "post":
            self.names.append(("form", []))
        if tag in ("main", "header", "nav", "aside", "footer"):
            self.landmarks.append(tag)
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.headings.append(int(tag[1]))
        if tag in NAMED:
            self.names.append((tag, []))
        if tag not in VOID:
            self.open.append((tag, attributes))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.handle_starttag(tag, attrs)
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open[-1][0] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1:]}")
            return
        self.open.pop()
        if tag in NAMED and self.names and not "".join(self.names[-1][1]).strip():
            self.faults.append(f"a <{tag}> without words")

    def handle_data(self, data: str) -> None:
        hidden = any(attributes.get("aria-hidden") == "true" for _tag, attributes in self.open)
        if self.names and not hidden:
            self.names[-1][1].append(data)


@pytest.fixture
def pages(db: None) -> dict[str, Any]:
    """Every kind of page, with everything on it that there can be."""
    kemal, nora = cast.kemal(organization=cast.organization()), cast.nora()
    for name, type_ in (("asset", "varchar"), ("when", "datetime"), ("ok", "boolean")):
        cast.custom_field(name, type_, help_text="Look below.", required=name == "asset")
    cast.custom_field("kind", "list", choices=["a", "b"])
    ticket = cast.ticket(kemal, tags=["hot"], ccs=["b@example.test"], custom={"asset": "7"})
    bare = cast.ticket(body=None)
    acting = cast.acting(nora)
    for kwargs in (
        {"internal": True},
        {"type": ArticleType.EMAIL, "to": "kemal@example.test", "subject": "Other"},
        {"content_type": "text/html", "body": "<img src=https://t.example/x.gif>"},
        {"files": [NewFile("a.png", b"x", "image/png")]},
    ):
        article = NewArticle(**{"body": "See https://a.example/\n> a\n> b"} | kwargs)  # type: ignore[arg-type]
        update_ticket(ticket.pk, None, article, actor=acting, at=cast.MONDAY_10AM)
    gone = cast.ticket(kemal)
    merge(gone.pk, ticket.pk, actor=acting, at=cast.MONDAY_10AM)
    channel = save_channel(
        NewChannel(name="Mail", kind="imap", group_id=1, settings={"host": "mail.example"}),
        actor=SYSTEM,
        at=cast.MONDAY_9AM,
    )
    channel.alarm, channel.alarm_since = "It is down.", cast.MONDAY_10AM
    channel.save()
    rule = save_rule(
        NewRule(what="domain", pattern="spam.example"), actor=SYSTEM, at=cast.MONDAY_9AM
    )
    admin = sign_in(cast.ada())
    desk, portal = sign_in(nora), sign_in(kemal)
    stranger = sign_in(nora)
    stranger.cookies.clear()
    return {
        "sign in": stranger.get("/"),
        "sign in again": stranger.post("/", {"username": "x", "password": "y"}),
        "not found": stranger.get("/nowhere/"),
        "list": desk.get("/tickets/"),
        "nothing": desk.get("/tickets/?view=mine"),
        "found": desk.get("/tickets/?q=printer"),
        "not understood": desk.get("/tickets/?q=(printer"),
        "ticket": desk.get(f"/tickets/{ticket.pk}/"),
        "bare ticket": desk.get(f"/tickets/{bare.pk}/"),
        "merged ticket": desk.get(f"/tickets/{gone.pk}/"),
        "reply": desk.post(f"/tickets/{ticket.pk}/replies/", {"state": "999"}),
        "note": desk.post(f"/tickets/{ticket.pk}/notes/", {"body": "x"}),
        "facts": desk.post(f"/tickets/{ticket.pk}/facts/", {"was-custom_asset": "7"}),
        "new": desk.get("/tickets/new/"),
        "notifications": desk.get("/notifications/"),
        "new again": desk.post("/tickets/new/", {}),
        "channels": admin.get("/admin/channels/"),
        "channel": admin.get(f"/admin/channels/{channel.pk}/"),
        "channel again": admin.post(f"/admin/channels/{channel.pk}/", {}),
        "new channel": admin.get("/admin/channels/new/?kind=listener"),
        "ignored mail": admin.get("/admin/mail/ignored/"),
        "no rule": admin.get("/admin/mail/ignored/?q=nothing"),
        "rule": admin.get(f"/admin/mail/ignored/{rule.pk}/"),
        "rule again": admin.post(f"/admin/mail/ignored/{rule.pk}/", {}),
        "rules of mail": admin.get("/admin/mail/rules/"),
        "rules again": admin.post("/admin/mail/rules/", {"own_addresses": "x"}),
        "own": portal.get("/my/tickets/"),
        "own ticket": portal.get(f"/my/tickets/{ticket.pk}/"),
        "own reply": portal.post(f"/my/tickets/{ticket.pk}/replies/", {}),
        "ask": portal.get("/my/tickets/new/"),
        "ask again": portal.post("/my/tickets/new/", {}),
    }


class TestEveryPage:
    def test_is_without_fault(self, pages):
        faults = {
            name: found
            for name, page in pages.items()
            if (found := Page(page.content.decode()).faults)
        }

        assert faults == {}

    def test_can_be_skipped_to_its_content(self, pages):
        for name, page in pages.items():
            first = re.search(r"<(a|button|input|select|textarea)\b[^>]*>", page.content.decode())
            assert first is not None
            assert first[0] == '<a class="skip" href="#main">', name

    def test_says_in_which_language_it_is(self, pages):
        assert all(b'<html lang="en">' in page.content for page in pages.values())

    def test_sends_no_form_without_its_secret(self, pages):
        for name, page in pages.items():
            html = page.content.decode()
            posts = html.count('method="post"')
            assert html.count('name="csrfmiddlewaretoken"') == posts, name


class TestTheReader:
    """The fault-finder finds faults."""

    @pytest.mark.parametrize(
        "html",
        [
            "<main><h1>x</h1><p></main>",
            "<main><h1>x</h1><i id=a></i><i id=a></i></main>",
            "<main><h1>x</h1><input name=a></main>",
            "<main><h1>x</h1><a href=/x></a></main>",
            "<main><h1>x</h1><button><svg aria-hidden=true>x</svg></button></main>",
            "<main><h1>x</h1><p style='x'></p></main>",
            "<main><h1>x</h1><p onclick='x'></p></main>",
            "<main><h1>x</h1><script>x</script></main>",
            "<main><h1>x</h1><h3>x</h3></main>",
            "<main></main>",
            "<h1>x</h1>",
            "<main><h1>x</h1><label for=nothing>x</label></main>",
            "<main><h1>x</h1><p class=a class=b></p></main>",
        ],
    )
    def test_finds(self, html):
        assert Page(html).faults

    def test_finds_nothing_where_nothing_is(self):
        assert Page("<main><h1>x</h1><label>a<input name=a></label></main>").faults == []
