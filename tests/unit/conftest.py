"""What every unit test starts from, whichever ran before it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from ansible.module_utils import _internal
from ansible.module_utils.common import warnings
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")
# Tests read what Ansible's own callback says, whatever the checkout's ansible.cfg has.
os.environ["ANSIBLE_STDOUT_CALLBACK"] = "ansible.builtin.default"


@pytest.fixture(autouse=True)
def pristine_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Modules run in this process as they do on a host, and the environment is put back."""
    # Importing anything of the controller makes module code send its warnings to the terminal.
    monkeypatch.setattr(_internal, "is_controller", False)
    warnings._global_warnings.clear()
    warnings._global_deprecations.clear()
    environment = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(environment)
