"""What of an address reaches libpq."""

from __future__ import annotations

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._database.address import (
    AddressError,
    libpq_url,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._database.target import target
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)

URL = "postgresql+psycopg://mc:secret@db.example:5432/mc"


@pytest.mark.parametrize(
    "query",
    [
        "sslkey=/srv/mc/evil.so:key",
        "sslkey=engine:key",
        "sslcert=relative.crt",
        "sslrootcert=pkcs11:token",
        "sslcrl=system",
        "sslmode=require&sslkey=%2Fsrv%2Fevil.so%3Ak",
    ],
)
def test_an_address_loads_no_library(query: str) -> None:
    """OpenSSL takes a key's name with a colon for that of an engine, which is a program."""
    with pytest.raises(AddressError, match="not the absolute path of a file"):
        libpq_url(f"{URL}?{query}")
    with pytest.raises(DeploymentError) as refused:
        target(f"{URL}?{query}")
    assert refused.value.kind == "no_database" and "secret" not in refused.value.message


def test_what_libpq_may_know_stays() -> None:
    query = "sslmode=verify-full&sslrootcert=system&sslkey=%2Fetc%2Fssl%2Fmc.key&connect_timeout=3"
    assert libpq_url(f"{URL}?{query}&passfile=/root/.pgpass") == (
        f"postgresql://mc:secret@db.example:5432/mc?{query}"
    )
    told = target(f"{URL}?{query}&service=other")
    assert told.address == f"postgresql://mc@db.example:5432/mc?{query}" and told.password == "secret"
