"""Whatever is sent to the API, it answers in its own words: no request makes it fail. Cases by Schemathesis."""

from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core import NOT_SET

from budgetal.web.roles import Role

SETTINGS = {"derandomize": True, "deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@pytest.fixture
def owner(app, stranger, sessions):
    """Somebody who may do everything. Streams end at once."""
    app.state.site.watcher.is_closing = lambda: True
    stranger.headers["authorization"] = f"Bearer {sessions.token('olga', Role.OWNER)}"
    return stranger


def send(client, case):
    """Send a generated case; headers that no client can send are left out."""
    body = (
        {} if case.body is NOT_SET else {"content": case.body} if isinstance(case.body, bytes) else {"json": case.body}
    )
    headers = {name: value for name, value in case.headers.items() if value.isascii() and value.isprintable()}
    headers.pop("authorization", None)
    query = {name: str(value) for name, value in (case.query or {}).items()}
    return client.request(case.method, case.formatted_path, params=query, headers=headers, **body)


def failures(client, operation, mode, n_examples):
    """Requests that the server failed at, and how many were sent."""
    failed, statuses = [], []

    @settings(max_examples=n_examples, **SETTINGS)
    @given(case=operation.as_strategy(mode))
    def one(case):
        reply = send(client, case)
        statuses.append(reply.status_code)
        if reply.status_code >= 500:
            failed.append((operation.label, case.path_parameters, case.query, case.body, reply.text[:300]))

    one()
    return failed, statuses


def operations(client):
    schema = schemathesis.openapi.from_dict(client.get("/api/v1/openapi.json").json())
    return [result.ok() for result in schema.get_all_operations()]


def fuzz(client, n_examples):
    """Statuses of all replies, by operation, after none of them was a failure of the server."""
    found, failed = {}, []
    for operation in operations(client):
        for mode in MODES:
            # Where nothing is asked for, nothing can be asked wrongly.
            with suppress(Unsatisfiable):
                wrong, statuses = failures(client, operation, mode, n_examples)
                failed += wrong
                found.setdefault(operation.label, []).extend(statuses)
    assert failed == []
    return found


def test_no_request_makes_the_api_fail(owner):
    found = fuzz(owner, 4)
    assert len(found) > 20
    # The cases reach what they are meant to test, not only its door.
    assert not any(status in (401, 403) for statuses in found.values() for status in statuses)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_no_request_of_many_makes_the_api_fail(owner):
    assert sum(len(statuses) for statuses in fuzz(owner, 150).values()) > 2000
