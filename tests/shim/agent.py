"""An agent with one migrated plugin, as FastAPI serves it: what `rehook migrate` makes of a webhook
that verifies GitHub's signature of the raw bytes."""

import hashlib
import hmac
import json
import socket

import uvicorn
from fastapi import APIRouter, FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import StreamingResponse

SECRET = b"It's a Secret to Everybody"
router = APIRouter()


@router.api_route("/github", methods=["POST"])
async def github(request: Request):
    body = await request.body()
    expected = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    given = request.headers.get("x-hub-signature-256", "")
    if not hmac.compare_digest(expected, given):
        raise HTTPException(status_code=403, detail="Invalid signature")
    payload = json.loads(body)
    return {"event": request.headers.get("x-github-event"), "name": payload["name"]}


@router.get("/stream")
async def stream():
    async def pieces():
        for number in range(3):
            yield f"piece {number}\n"

    return StreamingResponse(pieces())


@router.websocket("/echo")
async def echo(socket: WebSocket):
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()


app = FastAPI()
app.include_router(router, prefix="/plugins/KroMiose.github")

if __name__ == "__main__":
    # The port is the system's choice, and is told to whoever started this.
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
