"""The app: routes, what they share, and the gate around them."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from budgetal.desk import Desk
from budgetal.pictures import Pictures
from budgetal.reviewing import Reviewing
from budgetal.steering import Steering
from budgetal.web.access import refuse_undeclared
from budgetal.web.attempts import Attempts
from budgetal.web.gate import Gate
from budgetal.web.insights import Insights
from budgetal.web.maps import Maps
from budgetal.web.outlook import Outlooks
from budgetal.web.problems import explain_problems
from budgetal.web.records import Problem
from budgetal.web.routes import (
    accounts,
    entering,
    events,
    figures,
    help,
    images,
    insights,
    items,
    map,
    pages,
    people,
    review,
    settings,
    start,
)
from budgetal.web.sessions import Sessions
from budgetal.web.site import Site
from budgetal.web.starting import Starting
from budgetal.web.watcher import Watcher

STATIC = Path(__file__).parent / "static"
REFUSALS: dict[int | str, dict[str, object]] = {
    status: {"model": Problem} for status in (400, 401, 403, 404, 409, 413, 422, 503)
}


def make_app(desk: Desk, sessions: Sessions, origins: Collection[str]) -> FastAPI:
    """The app that serves one project under `origins` ("http://127.0.0.1:8000")."""
    project = desk.project
    pictures = Pictures(project.workspace, project.samples)
    shared = Reviewing(project, desk.turn), Steering(project, desk.turn), Outlooks(project.folder), Maps(desk)
    site = Site(desk, pictures, sessions, Attempts(), Watcher(project.logbook), *shared, Insights(project))
    app = _gated(sessions, origins, lifespan=_watching)
    app.state.site = site
    modules = (items, help, figures, images, events, insights, map, review, settings, people, pages, entering, accounts)
    _serve(app, [module.router for module in modules])
    return app


def make_start_app(starting: Starting, sessions: Sessions, origins: Collection[str]) -> FastAPI:
    """The app that makes a project, for as long as there is none."""
    app = _gated(sessions, origins)
    app.state.starting = starting
    _serve(app, [start.router, start.pages, entering.router])
    return app


def _gated(sessions: Sessions, origins: Collection[str], **options: Any) -> FastAPI:
    app = FastAPI(
        title="budgetal",
        version=version("budgetal"),
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        middleware=[Middleware(Gate, sessions=sessions, origins=tuple(origins))],
        responses=REFUSALS,
        **options,
    )
    app.state.sessions = sessions
    return app


def _serve(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    for router in routers:
        refuse_undeclared(router.routes)
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    explain_problems(app)


@asynccontextmanager
async def _watching(app: FastAPI) -> AsyncIterator[None]:
    watcher: Watcher = app.state.site.watcher
    watcher.begin()
    await watcher.refresh()
    task = asyncio.create_task(watcher.watch())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        app.state.site.outlook.close()
