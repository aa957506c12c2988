"""A visitor of the pages in a browser that several tests share: who forgets, and what their pages must not do."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Dialog, Request

REMEMBERED = "cookies,local_storage,indexeddb,cache_storage,service_workers,shared_storage,storage_buckets,file_systems"


class Visitor:
    """Somebody who was never here before, and what their pages do that a page must not."""

    def __init__(self, profile: BrowserContext, url: str) -> None:
        self.profile = profile
        self.faults: list[str] = []
        self._home = urlsplit(url).netloc
        self._watched = (
            ("console", lambda said: said.type == "error" and self.faults.append(f"console: {said.text}")),
            ("weberror", lambda error: self.faults.append(f"page error: {error.error}")),
            ("request", self._asked),
            ("dialog", self._asks),
        )

    def __enter__(self) -> "Visitor":
        for event, heard in self._watched:
            self.profile.on(event, heard)
        return self

    def __exit__(self, *_: object) -> None:
        """Closes what was opened and forgets it, all but the files that were loaded."""
        blank, *opened = self.profile.pages
        for page in opened:
            page.close()
        for event, heard in self._watched:
            self.profile.remove_listener(event, heard)
        self.profile.unroute_all()
        self.profile.clear_cookies()
        self.profile.clear_permissions()
        session = self.profile.new_cdp_session(blank)
        session.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": REMEMBERED})
        session.detach()

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob", "about") and address.netloc != self._home:
            self.faults.append(f"request to {request.url}")

    def _asks(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()
