"""Headless Chromium, driven over its own protocol through a pair of pipes: no port, no driver, no package."""

import json
import os
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from select import select
from typing import Any, Literal

CHROMIUM = shutil.which("chromium")
TIME_LIMIT = 60
"""Seconds for one answer of the browser: the machine may be busy."""

_START = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(each), fcntl.F_DUPFD, 10) for each in sys.argv[1:3]]
for number, each in zip((3, 4), ends):
    os.dup2(each, number)
os.execv(sys.argv[3], sys.argv[3:])
"""


@dataclass
class Page:
    """A page as it was opened: what it asked for besides itself, and what the browser complained of."""

    browser: "Browser"
    session: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def call(self, method: str, **params: Any) -> Any:
        return self.browser.call(method, self.session, **params)

    def value(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def picture(self, path: Path, *, whole: bool = True) -> Path:
        """A screenshot."""
        made = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(b64decode(made["data"]))
        return path


class Browser:
    """A running browser. `events` are what it told without being asked."""

    def __init__(self, process: subprocess.Popen[bytes], to: int, back: int) -> None:
        self.process, self._to, self._back = process, to, back
        self._read = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **params: Any) -> Any:
        self._number += 1
        message = {
            "id": self._number,
            "method": method,
            "params": params,
            **({"sessionId": session} if session else {}),
        }
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def wait_for(self, event: str) -> None:
        while not any(each.get("method") == event for each in self.events):
            self._next()

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            ready, _, _ = select([self._back], [], [], TIME_LIMIT)
            assert ready, "the browser does not answer"
            more = os.read(self._back, 1 << 20)
            assert more, "the browser ended"
            self._read += more
        line, self._read = self._read.split(b"\0", 1)
        message: dict[str, Any] = json.loads(line)
        if "id" not in message:
            self.events.append(message)
        return message

    def open(self, path: Path, *, width: int, scheme: Literal["light", "dark"] = "light") -> Page:
        """The page of a file in a window so wide, after it was loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        page = Page(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        for domain in ("Page", "Network", "Log", "Runtime"):
            page.call(f"{domain}.enable")
        page.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        page.call("Page.navigate", url=path.as_uri())
        self.wait_for("Page.loadEventFired")
        for each in self.events:
            told = each["params"]
            if each["method"] == "Network.requestWillBeSent":
                page.requests.append(told["request"]["url"])
            elif each["method"] == "Log.entryAdded":
                page.complaints.append(told["entry"]["text"])
            elif each["method"] in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
                page.complaints.append(str(told))
        return page


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser that keeps its things in the folder `profile`, and ends with the block."""
    assert CHROMIUM is not None
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank",
    ]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", _START, str(theirs_in), str(theirs_out), *command],
        pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(profile)},
    )  # fmt: skip
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        made = Browser(process, ours_out, ours_in)
        yield made
        made.call("Browser.close")
        process.wait(TIME_LIMIT)
    finally:
        process.kill()
        process.wait()
        os.close(ours_out)
        os.close(ours_in)
