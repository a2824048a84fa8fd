"""Errors as replies: one shape for all of them, the sentence in the language that was asked for."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError as PydanticValidationError
from starlette.exceptions import HTTPException

from nekro_agent.schemas.errors import AppError, ValidationError
from nekro_agent.schemas.i18n import SupportedLang


def register_exception_handlers(app: FastAPI) -> None:
    app.add_exception_handler(AppError, app_error)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(PydanticValidationError, invalid)
    app.add_exception_handler(HTTPException, http_error)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, any_other)


async def app_error(request: Request, error: AppError) -> JSONResponse:
    language = SupportedLang.from_accept_language(request.headers.get("accept-language", ""))
    return JSONResponse(error.to_response(language), status_code=error.http_status)


async def invalid(request: Request, error) -> JSONResponse:
    found = []
    for part in error.errors():
        place = ".".join(map(str, part["loc"]))
        found.append(f"{place}: {part['msg']}" if place else part["msg"])
    return await app_error(request, ValidationError(reason="; ".join(found)))


async def http_error(_request: Request, error: HTTPException) -> JSONResponse:
    # The headers of the error are not passed on.
    content = {
        "error": "HTTPException",
        "message": str(error.detail),
        "detail": None,
        "data": None,
    }
    return JSONResponse(content, status_code=error.status_code)


async def any_other(request: Request, _error: Exception) -> JSONResponse:
    return await app_error(request, InternalServerError())


class InternalServerError(AppError):
    pass
