"""The same route in FastAPI: prometheus-fastapi-instrumentator with its defaults, one JSON line a request on stdout."""

import logging
import sys
import time

from fastapi import FastAPI
from prometheus_fastapi_instrumentator import Instrumentator
from pythonjsonlogger.json import JsonFormatter

handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(JsonFormatter("{asctime}{levelname}{name}{message}", style="{"))
log = logging.getLogger("access")
log.addHandler(handler)
log.setLevel(logging.INFO)
log.propagate = False


class AccessLog:
    """Plain ASGI: Starlette's BaseHTTPMiddleware would cost more than the line."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = time.perf_counter()
        status = 500

        async def watched(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            route = scope.get("route")
            fields = {
                "method": scope["method"],
                "route": getattr(route, "path", None),
                "path": scope["path"],
                "status": status,
                "duration_seconds": time.perf_counter() - started,
            }
            log.info("request", extra=fields)


app = FastAPI()


@app.get("/hello/{name}")
async def hello(name: str):
    return {"message": f"Hello, {name}!"}


Instrumentator().instrument(app).expose(app)
app.add_middleware(AccessLog)
