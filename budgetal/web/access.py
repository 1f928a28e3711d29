"""The least role that each route needs, declared by what it depends on. A route that declares none is not served."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from budgetal.web.gate import is_public
from budgetal.web.roles import Role, RoleError
from budgetal.web.sessions import Session


@dataclass(frozen=True)
class Least:
    """Gives a route its session. Raises RoleError when that has less than `role`."""

    role: Role

    def __call__(self, request: Request) -> Session:
        """Who asks; the gate has let them in."""
        session: Session = request.scope["state"]["session"]
        if session.role < self.role:
            raise RoleError(f"This needs the role {self.role.word}, you are {session.role.word}: ask an owner for it")
        return session


OfAnnotator = Annotated[Session, Depends(Least(Role.ANNOTATOR))]
OfReviewer = Annotated[Session, Depends(Least(Role.REVIEWER))]
OfOwner = Annotated[Session, Depends(Least(Role.OWNER))]


def least_role(route: APIRoute) -> Role | None:
    """What `route` declares, the strictest where it declares several; None for nothing."""
    calls = [dependant.call for dependant in route.dependant.dependencies]
    return max((call.role for call in calls if isinstance(call, Least)), default=None)


def refuse_undeclared(routes: Iterable[BaseRoute]) -> None:
    """Raise RuntimeError for a route that neither is public nor says who may use it."""
    for route in routes:
        if isinstance(route, APIRoute) and least_role(route) is None and not is_public(route.path):
            raise RuntimeError(f"{route.path} says nobody who may use it: give it OfAnnotator, OfReviewer or OfOwner")
