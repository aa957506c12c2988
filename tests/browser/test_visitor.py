"""The tests share one browser: what a page remembers in one is unknown to the next, and a fault is one test's own."""

import pytest
from visitor import Visitor

pytestmark = pytest.mark.browser

REMEMBER = """async () => {
  const asked = indexedDB.open("known");
  await new Promise((resolve) => (asked.onsuccess = resolve));
  asked.result.close();
  await (await caches.open("known")).put("/known", new Response("known"));
  document.cookie = "known=1; max-age=1000";
  localStorage.setItem("known", "1");
  sessionStorage.setItem("known", "1");
}"""
KNOWN = """async () => ({
  databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length, cookie: document.cookie,
  local: localStorage.length, session: sessionStorage.length,
  clipboard: (await navigator.permissions.query({ name: "clipboard-read" })).state, width: innerWidth,
})"""
NOTHING = {"databases": 0, "caches": 0, "cookie": "", "local": 0, "session": 0, "clipboard": "denied", "width": 1440}


def test_a_visitor_is_new(profile, server):
    address = f"{server.url}/healthz"
    with Visitor(profile, server.url) as first:
        page = profile.new_page()
        page.goto(address)
        assert page.evaluate(KNOWN) | {"clipboard": "denied"} == NOTHING
        page.context.grant_permissions(["clipboard-read"])
        page.set_viewport_size({"width": 390, "height": 844})
        profile.route("**/readyz", lambda route: route.fulfill(body="mine"))
        page.evaluate(REMEMBER)
        assert page.evaluate(KNOWN) == {"databases": 1, "caches": 1, "cookie": "known=1", "local": 1, "session": 1,
                                        "clipboard": "granted", "width": 390}  # fmt: skip
        page.evaluate("console.error('mine')")
    with Visitor(profile, server.url) as second:
        page = profile.new_page()
        page.goto(address)
        assert page.evaluate(KNOWN) | {"clipboard": "denied"} == NOTHING
        assert page.evaluate("fetch('/readyz').then((reply) => reply.text())") != "mine"
        page.evaluate("console.error('yours')")
    assert [said for said in first.faults if said in ("console: mine", "console: yours")] == ["console: mine"]
    assert [said for said in second.faults if said in ("console: mine", "console: yours")] == ["console: yours"]


def test_what_a_page_must_not_do_is_seen(profile, server):
    with Visitor(profile, server.url) as visitor:
        page = profile.new_page()
        page.goto(server.url)
        page.evaluate("setTimeout(() => { throw new Error('thrown'); })")
        page.evaluate("alert('asked')")
        page.evaluate("fetch('http://127.0.0.1:9/away').catch(() => null)")
        awaited = ("page error: thrown", "dialog: asked", "CSP: connect-src blocks")
        for _ in range(100):  # a browser tells these in its own time
            page.wait_for_timeout(100)
            if all(word in " ".join(visitor.faults) for word in awaited):
                break
    said = " ".join(visitor.faults)
    assert all(word in said for word in awaited), said
