# SPDX-License-Identifier: GPL-3.0-or-later
"""One line at the bottom of a terminal that is drawn in place, below whatever else is written there.

Ansible writes through one object, its Display, whose lock it also holds while it forks. So everything here
happens under that lock, and what others write is preceded by taking the line away.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from .texts import fit

_ERASE = "\r\x1b[K"
_WRITERS = ("display",)
_PROMPTS = ("prompt_until", "do_var_prompt")


class Ticker:
    """Does something every so often, beside the run, under the lock of Ansible's Display."""

    def __init__(self, display: Any, interval: float, tick: Callable[[], None]) -> None:
        self._display = display
        self._interval = interval
        self._tick = tick
        self._over = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="progress", daemon=True).start()

    def stop(self) -> None:
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(self._interval):
            with self._display._lock:
                if not self._over.is_set():
                    self._tick()


class Screen(Ticker):
    """Draws what `line` returns, every `interval` seconds."""

    def __init__(self, display: Any, interval: float, line: Callable[[], str]) -> None:
        super().__init__(display, interval, self._draw)
        self._line = line
        self._process = os.getpid()
        self._drawn = ""
        # Somebody asks the operator: nothing may be drawn over the question.
        self._asking = 0

    def start(self) -> None:
        for name in _WRITERS:
            setattr(self._display, name, self._after_erasing(getattr(self._display, name)))
        for name in _PROMPTS:
            setattr(self._display, name, self._undisturbed(getattr(self._display, name)))
        super().start()

    def stop(self) -> None:
        """Take the line away for good."""
        super().stop()
        with self._display._lock:
            self._erase()

    def _here(self) -> bool:
        """Ansible's workers are forks, which hand over what they write."""
        return os.getpid() == self._process

    def _after_erasing(self, write: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(write)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if not self._here():
                return write(*args, **kwargs)
            with self._display._lock:
                self._erase()
                return write(*args, **kwargs)

        return wrapper

    def _undisturbed(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(ask)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if not self._here():
                return ask(*args, **kwargs)
            with self._display._lock:
                self._asking += 1
                self._erase()
            try:
                return ask(*args, **kwargs)
            finally:
                with self._display._lock:
                    self._asking -= 1

        return wrapper

    def _erase(self) -> None:
        if self._drawn:
            self._write(_ERASE)
            self._drawn = ""

    def _draw(self) -> None:
        if self._asking:
            return
        text = fit(self._line(), columns() - 1)
        if text != self._drawn:
            self._write(f"{_ERASE}{text}" if text else _ERASE)
            self._drawn = text

    def _write(self, text: str) -> None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except (OSError, ValueError):
            # The terminal is gone; the run is not.
            self._over.set()


def columns() -> int:
    """How many letters a line of the terminal has."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def is_terminal() -> bool:
    """Whether something can be drawn in place where the output goes."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def marks() -> tuple[str, str, str]:
    """For what is done, what failed, and, letter by letter, what is going on."""
    encoding = (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "")
    # The console of the kernel has few letters.
    if encoding != "utf8" or os.environ.get("TERM") == "linux":
        return "+", "x", "|/-\\"
    return "✓", "✗", "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
