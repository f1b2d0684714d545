"""Makes the cases of the campaign: one per capability and shard."""

from __future__ import annotations

import pytest

from conformance.suite.runner import campaign_of, cases


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "share" in metafunc.fixturenames:
        found = list(cases(metafunc.config))
        metafunc.parametrize("share", found, ids=[f"{s.capability}-{s.shard + 1}of{s.shards}" for s in found])


@pytest.fixture(scope="session")
def campaign(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    found = campaign_of(request.config)
    if found is None:
        pytest.skip("name a target: --dynoracle-target moto, or --dynoracle-endpoint URL")
    return found
