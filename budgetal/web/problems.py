"""Errors as JSON, or as a page in a browser's window: what failed and what to do next, never a traceback."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response

from budgetal.errors import BudgetalError, BudgetError, DataError, InputError, LeaseError, ProjectError, StorageError
from budgetal.web.gate import BodyTooLargeError
from budgetal.web.roles import RoleError
from budgetal.web.templating import render

STATUS: dict[type[BudgetalError], int] = {
    RoleError: 403,
    LeaseError: 409,
    BudgetError: 409,
    ProjectError: 409,
    DataError: 404,
    InputError: 400,
    StorageError: 503,
    BudgetalError: 500,
}
NAMES = {RoleError: "role", LeaseError: "stale", BudgetError: "budget", ProjectError: "conflict", DataError: "unknown"}


def explain_problems(app: FastAPI) -> None:
    """Answer each kind of error in its own way."""
    app.add_exception_handler(BudgetalError, _own_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(BodyTooLargeError, _too_large)


async def _own_error(request: Request, error: Exception) -> Response:
    if isinstance(error, RoleError) and not request.url.path.startswith("/api/"):
        return render("refused.html.j2", STATUS[RoleError], message=str(error))
    kind = next(kind for kind in type(error).__mro__ if kind in STATUS)
    return _problem(STATUS[kind], NAMES.get(kind, "failed"), str(error))


async def _bad_request(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return _problem(422, "invalid", f"Cannot use {where}: {first['msg']}")


async def _too_large(_request: Request, _error: Exception) -> JSONResponse:
    return _problem(413, "refused", "The request is too large")


def _problem(status: int, error: str, message: str) -> JSONResponse:
    return JSONResponse({"error": error, "message": message}, status_code=status)
