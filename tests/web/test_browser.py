"""The workspace in a real browser: by keyboard, and with mail that means harm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.live import ADMIN_EMAIL, ADMIN_PASSWORD, LiveDesk

pytestmark = [pytest.mark.browser, pytest.mark.live, pytest.mark.once]

#: What the desk's own code does, in a process beside it: gives the ticket's id.
OPEN = """
from deskbell.kernel.actor import SYSTEM
from deskbell.kernel.clock import now
from deskbell.people.operations import find_or_create_customer
from deskbell.tickets.operations import NewArticle, NewTicket, open_ticket
from deskbell.tickets.vocabulary import ArticleType, Sender

def work(title, body, content_type="text/plain"):
    name = ("Kemal", "Y")
    customer = find_or_create_customer("kemal@example.com", name=name, actor=SYSTEM, at=now())
    article = NewArticle(
        body=body,
        content_type=content_type,
        type=ArticleType.EMAIL,
        sender=Sender.CUSTOMER,
        from_address="Kemal <kemal@example.com>",
        origin_by_id=customer.pk,
    )
    ticket = open_ticket(
        NewTicket(title=title, group_id=1, customer_id=customer.pk, article=article),
        actor=SYSTEM,
        at=now(),
    )
    return ticket.pk
"""

EVIL = """
<p>Dear support,</p>
<script>top.document.title = "owned"; parent.postMessage({owned: 1}, "*")</script>
<img src="x" onerror="top.document.title = 'owned'">
<svg onload="top.document.title = 'owned'"><script>top.document.title = 'owned'</script></svg>
<a href="javascript:top.document.title='owned'">click me</a>
<iframe srcdoc="<script>top.document.title = 'owned'</script>"></iframe>
<form action="/sign-out/" method="post"><button>Go</button></form>
<meta http-equiv="refresh" content="0;url=/sign-out/">
<style>body { background: url(https://tracker.example/x.gif) }</style>
<img src="https://tracker.example/pixel.gif" alt="pixel">
<div style="height: 1400px">a long way down</div>
"""


@pytest.fixture(scope="module")
def open_ticket(live_desk: LiveDesk) -> Iterator[Callable[..., int]]:
    """Opens a customer's ticket by its title, body and perhaps content type; gives its id."""
    with live_desk.beside(OPEN) as work:
        yield work


@pytest.fixture
def desk_page(live_desk: LiveDesk, page: Any) -> Any:
    """A page on which the administrator has signed in, by keyboard."""
    page.goto(live_desk.url + "/")
    page.keyboard.type(ADMIN_EMAIL)
    page.keyboard.press("Tab")
    page.keyboard.type(ADMIN_PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/tickets/")
    return page


class TestByKeyboard:
    def test_a_ticket_is_opened_answered_and_left(self, live_desk, open_ticket, desk_page):
        open_ticket("An older one", "Hello")
        open_ticket("Printer on fire", "It burns.")
        page = desk_page
        page.reload()

        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        assert page.evaluate("document.activeElement.textContent") == "Printer on fire"
        page.keyboard.press("o")
        page.wait_for_url("**/tickets/*/")
        page.keyboard.press("r")
        page.keyboard.type("Please use the extinguisher. r n j k / ?")
        page.keyboard.press("Control+Enter")
        page.wait_for_url("**#article-*")

        reply = page.locator("article.entry").last
        assert reply.get_attribute("data-kind") == "agent"
        assert "Please use the extinguisher. r n j k / ?" in reply.inner_text()
        assert page.locator("#reply-body").input_value() == ""
        assert "until then you can take it back" in page.locator('[role="status"]').inner_text()
        assert "Goes out in" in reply.inner_text()
        page.keyboard.press("z")
        page.wait_for_url("**#reply-body")
        restored = page.locator("#reply-body")
        assert restored.input_value() == "Please use the extinguisher. r n j k / ?"
        assert page.evaluate("document.activeElement.id") == "reply-body"
        assert page.locator('article.entry[data-kind="agent"]').count() == 0
        page.keyboard.press("Control+Enter")
        page.wait_for_url("**#article-*")
        page.keyboard.press("Escape")
        page.keyboard.press("u")
        page.wait_for_url("**/tickets/")

    def test_a_note_and_a_reply_are_kept_apart(self, live_desk, open_ticket, desk_page):
        number = open_ticket("Two fields", "Hello")
        page = desk_page
        page.goto(f"{live_desk.url}/tickets/{number}/")

        page.keyboard.press("n")
        page.keyboard.type("Mind the dog")
        page.keyboard.press("Escape")
        assert page.locator("#reply-body").is_hidden()
        page.keyboard.press("r")
        assert page.locator("#note-body").is_hidden()
        assert page.locator("#reply-body").input_value() == ""
        page.keyboard.press("Escape")
        page.keyboard.press("n")
        assert page.locator("#note-body").input_value() == "Mind the dog"
        page.keyboard.press("Control+Enter")
        page.wait_for_url("**#article-*")

        assert page.locator("article.entry").last.get_attribute("data-kind") == "note"

    def test_what_was_typed_survives_a_reload_until_it_is_sent(
        self, live_desk, open_ticket, desk_page
    ):
        number = open_ticket("A draft", "Hello")
        page = desk_page
        page.goto(f"{live_desk.url}/tickets/{number}/")
        page.locator("#reply-body").fill("Half a thought")

        page.reload()
        kept = page.locator("#reply-body").input_value()
        page.locator("#reply-body").press("Control+Enter")
        page.wait_for_url("**#article-*")
        page.reload()

        assert kept == "Half a thought"
        assert page.locator("#reply-body").input_value() == ""

    def test_the_keys_are_explained(self, desk_page):
        page = desk_page
        dialog = page.locator("#keys")

        page.keyboard.press("?")
        opened = dialog.is_visible()
        page.keyboard.press("Escape")

        assert opened
        assert dialog.is_hidden()
        page.keyboard.press("/")
        page.keyboard.type("printer ?")
        assert page.locator("#search").input_value() == "printer ?"
        assert dialog.is_hidden()

    def test_the_scheme_that_was_chosen_stays(self, desk_page):
        page = desk_page
        page.emulate_media(color_scheme="light")
        background = "getComputedStyle(document.documentElement).backgroundColor"
        light = page.evaluate(background)

        page.locator("[data-theme-button]").click()
        dark = page.evaluate(background)
        page.reload()

        assert light != dark
        assert page.evaluate(background) == dark


class TestMailThatMeansHarm:
    def test_runs_nothing_and_loads_nothing(self, live_desk, open_ticket, desk_page):
        number = open_ticket("Harm", EVIL, "text/html")
        page = desk_page
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.add_init_script(
            "window.owned = []; addEventListener('message', (event) => {"
            " if (event.data?.owned) window.owned.push(event.data); })"
        )

        page.goto(f"{live_desk.url}/tickets/{number}/")
        frame = page.frame_locator("iframe.frame")
        frame.get_by_text("a long way down").wait_for()
        frame.get_by_text("click me").click()
        page.wait_for_function("document.querySelector('iframe.frame').offsetHeight > 1400")
        inside = next(found for found in page.frames if "/html/" in found.url)

        assert page.title() == f"#10{number:03d} Harm · Deskbell"
        assert page.evaluate("window.owned") == []
        assert inside.evaluate("self.origin") == "null"
        assert frame.locator("form, iframe, svg, style ~ style").count() == 0
        assert [url for url in asked if not url.startswith(live_desk.url)] == []
        assert page.url.endswith(f"/tickets/{number}/")
        page.goto(live_desk.url + "/tickets/")
        assert page.url == live_desk.url + "/tickets/"

    def test_shows_images_from_elsewhere_when_asked(self, live_desk, open_ticket, desk_page):
        number = open_ticket("Images", EVIL, "text/html")
        page = desk_page
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{live_desk.url}/tickets/{number}/")
        page.frame_locator("iframe.frame").get_by_text("a long way down").wait_for()
        before = [url for url in asked if "tracker" in url]

        with page.expect_event(
            "requestfailed", lambda request: request.url == "https://tracker.example/pixel.gif"
        ):
            page.get_by_text("Show them").click()

        assert before == []
        assert "https://tracker.example/x.gif" not in asked


class TestWithoutScripts:
    def test_a_note_is_written(self, live_desk, open_ticket, browser):
        number = open_ticket("No scripts", "Hello")
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(live_desk.url + "/")
        page.fill("#username", ADMIN_EMAIL)
        page.fill("#password", ADMIN_PASSWORD)
        page.click("button[type=submit]")
        page.goto(f"{live_desk.url}/tickets/{number}/")

        hidden = page.locator("#note-body").is_hidden()
        page.locator('[data-mode="note"]').click()
        page.fill("#note-body", "Written by hand")
        page.click("text=Add note")
        kinds = [entry.get_attribute("data-kind") for entry in page.locator("article.entry").all()]
        context.close()

        assert hidden
        assert kinds == ["customer", "note"]
