"""The browser of the tests: it runs scripts, and it can reach this machine only."""

from __future__ import annotations

import http.server
import threading

import pytest

pytestmark = pytest.mark.browser

PAGE = b"<!doctype html><title>Desk</title><p id=said></p><script>said.textContent = 6 * 7</script>"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def address():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


class TestTheBrowser:
    def test_runs_the_scripts_of_a_page(self, page, address):
        page.goto(address)

        assert page.title() == "Desk"
        assert page.text_content("#said") == "42"

    def test_finds_no_other_host(self, page):
        from playwright.sync_api import Error

        with pytest.raises(Error) as refused:
            page.goto("http://desk.example.com/")

        assert "ERR_NAME_NOT_RESOLVED" in str(refused.value)
