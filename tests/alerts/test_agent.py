"""Applications for agents: what is taken from librdkafka's settings, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from alerts.agent import AgentProblem, make_app


def made(**kafka: Any) -> Any:
    return make_app("shop-agent", {"bootstrap.servers": "one:9092 , two:9093", **kafka}, partitions=3)


def test_brokers_and_times_are_those_of_the_configuration() -> None:
    app = made(**{"session.timeout.ms": "120000"})
    assert [str(url) for url in app.conf.broker] == ["aiokafka://one:9092", "aiokafka://two:9093"]
    assert app.conf.broker_session_timeout == 120
    # Faust refuses to start where a request may not take as long as a session.
    assert app.conf.broker_request_timeout >= 120
    assert app.conf.broker_credentials is None
    assert app.conf.topic_partitions == 3


@pytest.mark.parametrize(("protocol", "encrypted"), [("sasl_plaintext", False), ("SASL_SSL", True)])
def test_a_name_and_password_are_handed_on(protocol: str, *, encrypted: bool) -> None:
    credentials = made(
        **{
            "security.protocol": protocol,
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": "ann",
            "sasl.password": "a password",
        }
    ).conf.broker_credentials
    assert (credentials.username, credentials.password, credentials.mechanism.value) == (
        "ann",
        "a password",
        "SCRAM-SHA-512",
    )
    assert credentials.protocol.value == protocol.upper()
    assert (credentials.ssl_context is not None) is encrypted


def test_an_encrypted_connection_checks_the_broker() -> None:
    context = made(**{"security.protocol": "SSL"}).conf.broker_credentials.context
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"security.protocol": "TLS"}, "security.protocol"),
        ({"security.protocol": "SASL_SSL", "sasl.mechanism": "GSSAPI"}, "sasl.mechanism"),
        ({"security.protocol": "SASL_PLAINTEXT"}, "sasl.mechanism"),
        ({"security.protocol": "SSL", "ssl.ca.pem": "-----BEGIN"}, "ssl.ca.pem"),
        ({"security.protocol": "SSL", "ssl.ca.location": "absent.pem"}, "No such file"),
    ],
)
def test_what_agents_do_not_know_is_refused_in_words_and_not_passed_over(setting: dict[str, str], told: str) -> None:
    with pytest.raises(AgentProblem, match=told) as problem:
        made(**setting)
    assert "BEGIN" not in str(problem.value)


def test_a_certificate_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(AgentProblem, match="certificates cannot be read"):
        made(**{"security.protocol": "SSL", "ssl.ca.location": str(tmp_path / "ca.pem")})


@pytest.mark.parametrize("name", ["", "a/b", "a b", "a" * 201])
def test_a_name_that_no_topic_can_begin_with_is_refused(name: str) -> None:
    with pytest.raises(AgentProblem, match="letters, digits"):
        make_app(name, {"bootstrap.servers": "one:9092"}, partitions=1)
