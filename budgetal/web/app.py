"""The app: routes, what they share, and the gate around them."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from budgetal.desk import Desk
from budgetal.pictures import Pictures
from budgetal.reviewing import Reviewing
from budgetal.steering import Steering
from budgetal.web.access import refuse_undeclared
from budgetal.web.gate import Gate
from budgetal.web.problems import explain_problems
from budgetal.web.records import Problem
from budgetal.web.routes import events, figures, images, items, pages, review, settings
from budgetal.web.sessions import Sessions
from budgetal.web.site import Site
from budgetal.web.watcher import Watcher

STATIC = Path(__file__).parent / "static"
REFUSALS: dict[int | str, dict[str, object]] = {
    status: {"model": Problem} for status in (400, 401, 403, 404, 409, 413, 422, 503)
}


def make_app(desk: Desk, sessions: Sessions, hosts: Iterable[str]) -> FastAPI:
    """The app that serves one project to whoever names one of `hosts` ("127.0.0.1:8000")."""
    project = desk.project
    pictures = Pictures(project.workspace, project.samples)
    shared = Reviewing(project, desk.turn), Steering(project, desk.turn)
    site = Site(desk, pictures, sessions, Watcher(project.logbook), *shared)
    app = FastAPI(
        title="budgetal",
        version=version("budgetal"),
        lifespan=_watching,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        middleware=[Middleware(Gate, sessions=sessions, hosts=tuple(hosts))],
        responses=REFUSALS,
    )
    app.state.site = site
    for module in (items, figures, images, events, review, settings, pages):
        refuse_undeclared(module.router.routes)
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    explain_problems(app)
    return app


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
