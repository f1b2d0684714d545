"""pytest options ``--dynoracle-*``; imports nothing heavy, so that it costs other projects' test runs nothing."""

from __future__ import annotations

import pytest

OPTIONS = (
    ("target", None, "what to test: a catalogue name such as moto, or an http(s) URL"),
    ("budget", "60", "seconds of search"),
    ("seed", "0", "seed of the campaign"),
    ("capability", "", "comma list of capabilities to search; all by default"),
    ("rule", "", "comma list of rules whose directed checks to run; all by default"),
    ("out", None, "run folder to write to; runs/<time>-<target>-<seed> by default"),
    ("endpoint", None, "the same as --dynoracle-target with a URL"),
    ("command", "", "the command line to show in reports"),
    ("timeout", "10", "seconds to wait for one answer"),
    ("allow-host", "", "comma list of hosts that may be tested besides loopback"),
    ("ca-file", None, "certificate file for an https endpoint"),
    ("account-id", "", "the account that pays, with --dynoracle-allow-aws"),
    ("region", "", "AWS region"),
    ("max-cost", "1", "USD that a run on AWS may cost, by estimate"),
    ("shard", "1/1", "i/n: search the i-th of n disjoint parts"),
    ("schema", None, "file of your own tables: DescribeTable JSON, or a CloudFormation template"),
    ("baseline", None, "file of accepted findings; they are replayed first and do not fail the run"),
    ("previous", None, "folder of an earlier run, whose findings are replayed first"),
    ("fail-on", "any", "severities of findings that fail the run: a comma list, any, none"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("dynoracle", "conformance with DynamoDB")
    for name, default, text in OPTIONS:
        group.addoption(f"--dynoracle-{name}", default=default, help=text)
    group.addoption("--dynoracle-allow-aws", action="store_true", default=False, help="the target is paid for")
    group.addoption("--dynoracle-recording", action="store_true", default=False, help="keep what checks are answered")
    group.addoption("--dynoracle-insecure", action="store_true", default=False, help="accept any https certificate")


def pytest_configure(config: pytest.Config) -> None:
    """Load the campaign only when a target is named."""
    if config.getoption("--dynoracle-target") or config.getoption("--dynoracle-endpoint"):
        from conformance.suite.runner import Campaign

        config.pluginmanager.register(Campaign(config), "dynoracle-campaign")
