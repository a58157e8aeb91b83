"""What most people would write first: Starlette, httpx.AsyncClient with its defaults, the body passed on."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_NOT_PASSED = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "host",
    "content-length",
}


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    async with httpx.AsyncClient(base_url=os.environ.get("UPSTREAM", "")) as client:
        app.state.client = client
        yield


async def _passed(request: Request) -> Response:
    headers = [(name, value) for name, value in request.headers.items() if name not in _NOT_PASSED]
    path = request.url.path.replace("/v2/", "/v2.1/", 1)
    answer = await request.app.state.client.request(
        request.method, path, content=await request.body(), headers=headers
    )
    kept = {name: value for name, value in answer.headers.items() if name not in _NOT_PASSED}
    return Response(answer.content, answer.status_code, kept)


async def _hello(_: Request) -> Response:
    return JSONResponse({"hello": "world"}, 201)


app = Starlette(routes=[Route("/{path:path}", _passed, methods=["GET", "POST"])], lifespan=_lifespan)
"""The naive proxy."""
hello = Starlette(routes=[Route("/{path:path}", _hello, methods=["GET", "POST"])])
"""A Starlette app that calls nobody."""
