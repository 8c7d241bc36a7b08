"""How long the sandbox waits is for its caller to say."""

from __future__ import annotations

import pytest
from sandbox_hosts import common


def test_a_slow_machine_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SANDBOX_PATIENCE", raising=False)
    assert common.patience() == 1
    monkeypatch.setenv("SANDBOX_PATIENCE", "3")
    assert common.patience() == 3
    monkeypatch.setenv("SANDBOX_PATIENCE", "long")
    with pytest.raises(common.SandboxError, match="SANDBOX_PATIENCE is not a number"):
        common.patience()
