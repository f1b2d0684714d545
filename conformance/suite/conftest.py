"""Makes the cases of the campaign: one per known finding, per directed check, per capability and shard."""

from __future__ import annotations

import pytest

from conformance.suite.runner import campaign_of, cases, checks_of, known_of, pending_of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "share" in metafunc.fixturenames:
        found = list(cases(metafunc.config))
        metafunc.parametrize("share", found, ids=[f"{s.capability}-{s.shard + 1}of{s.shards}" for s in found])
    if "check" in metafunc.fixturenames:
        checks = list(checks_of(metafunc.config))
        metafunc.parametrize("check", checks, ids=[c.id for c in checks])
    if "known" in metafunc.fixturenames:
        known = list(known_of(metafunc.config))
        metafunc.parametrize("known", known, ids=[k.fingerprint for k in known])
    if "pending" in metafunc.fixturenames:
        metafunc.parametrize("pending", list(pending_of(metafunc.config)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # pytest puts a skipped case where there is nothing to do; between two workers it would take the place of a share.
    if campaign_of(config) is not None:
        items[:] = [item for item in items if not _nothing(item)]


def _nothing(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("skip")
    return mark is not None and str(mark.kwargs.get("reason", "")).startswith("got empty parameter set")


@pytest.fixture(scope="session")
def campaign(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    found = campaign_of(request.config)
    if found is None:
        pytest.skip("name a target: --dynoracle-target moto, or --dynoracle-endpoint URL")
    return found
