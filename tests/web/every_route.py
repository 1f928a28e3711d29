"""Every route of the app as it is registered, so that a test of all of them forgets none."""

import re

from fastapi.routing import APIRoute
from starlette.routing import Mount

from budgetal.web.access import least_role

PARAMETERS = {"path": "base.css"}


def routes(app):
    """Every (method, path, least role) that the app answers; the role is None where none is declared."""
    found = set()
    for route in _registered(app.routes):
        if isinstance(route, Mount):
            found.add(("GET", f"{route.path}/{{path}}", None))
        else:
            methods = set(route.methods) - {"HEAD"}
            role = least_role(route) if isinstance(route, APIRoute) else None
            found |= {(method, route.path, role) for method in methods}
    return sorted(found, key=lambda one: one[:2])


def call(client, method, path, **options):
    """Ask for a route, with something in the place of its parameters."""
    concrete = re.sub(r"{(\w+)}", lambda found: PARAMETERS.get(found[1], "0" * 32), path)
    return client.request(method, concrete, **options)


def _registered(routes):
    """The routes of a router, and of those that are included in it."""
    for route in routes:
        if isinstance(route, Mount) or hasattr(route, "path"):
            yield route
        else:
            yield from _registered(route.original_router.routes)
