"""Check RO-Crates by roc-validator without a network: the one document that it asks for is in `tests/data`."""

from __future__ import annotations

import io
from pathlib import Path

import requests
from requests.adapters import BaseAdapter
from requests_cache import CachedSession
from rocrate_validator.services import ValidationSettings, validate
from urllib3 import HTTPResponse

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
STORED = Path(__file__).parent / "data" / "ro-crate-1.1-context.jsonld"


class StoredContext(BaseAdapter):
    """Answers for the web: every request gets the stored context."""

    def send(self, request, **_):
        response = requests.Response()
        response.status_code, response.url, response.request = 200, request.url, request
        response.headers["Content-Type"] = "application/ld+json"
        body = io.BytesIO(STORED.read_bytes())
        response.raw = HTTPResponse(body, response.headers, status=200, preload_content=False)
        return response

    def close(self):
        pass


def unmet_requirements(folder: Path, scratch: Path) -> list[str]:
    """List what Workflow Run Crate 0.5, and what it extends, require and a crate does not have.

    The validator is offline: whatever it, or rdflib, asks the web for comes from a cache that holds the context alone.
    """
    cache = scratch / "web"
    with CachedSession(str(cache), backend="sqlite", expire_after=-1) as session:
        session.mount(CONTEXT, StoredContext())
        session.get(CONTEXT)
    settings = ValidationSettings(
        rocrate_uri=str(folder), profile_identifier="workflow-run-crate", offline=True, cache_path=cache
    )
    return [f"{issue.check.identifier}: {issue.message}" for issue in validate(settings).get_issues()]
