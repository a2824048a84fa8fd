"""Handlers as authors write them, all of whose lines the search for requests has to reach.

A table: what each is about, what stands above its handler, and the handler. In the context dialect
`headers` and `body` are there already, and `config`; in the request dialect `request` and `config`.
"""

from dataclasses import dataclass, field
from pathlib import Path

import template
from program import run

PLUGIN = (
    """import base64, hashlib, hmac, json, re, time
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Dict, List, Literal, Optional
from urllib.parse import parse_qs

from fastapi import Depends, Header, HTTPException, Query, Request
from pydantic import BaseModel, Field
from nekro_agent.api import core
from nekro_agent.api.plugin import ConfigBase, NekroPlugin
from nekro_agent.api.schemas import AgentCtx

"""
    + template.HEAD
    + """
{top}
"""
    + template.CONFIG
    + """    SECRET: str = ""
{config}


config = plugin.get_config(Config)
said = core.logger.info


@plugin.mount_webhook_method("{endpoint}", "hook")
async def hook({parameters}):
{body}
"""
)

CONTEXT = "headers, body = _ctx.webhook_request.headers, _ctx.webhook_request.body\n"


@dataclass
class Handler:
    """A plugin with one handler."""

    name: str
    body: str
    top: str = ""
    config: str = ""
    # Those of the request dialect; none for the context dialect.
    parameters: str = ""
    # Text of the lines that no request reaches.
    missed: list[str] = field(default_factory=list)

    def text(self) -> str:
        body = self.body.strip("\n")
        if not self.parameters:
            body = CONTEXT + body
        return PLUGIN.format(
            name=self.name,
            top=self.top.strip("\n"),
            config=indented(self.config),
            endpoint=f"/{self.name}" if self.parameters else self.name,
            parameters=self.parameters or "_ctx: AgentCtx",
            body=indented(body),
        )


def indented(text: str) -> str:
    return "\n".join("    " + line for line in text.strip("\n").split("\n"))


HANDLERS = [
    Handler(
        "fresh_header",
        """
stamp = headers.get("x-timestamp")
if not stamp:
    return
if abs(time.time() - int(stamp)) > 300:
    said("too old")
    return
said("fresh")
""",
    ),
    Handler(
        "fresh_number",
        """
sent = body.get("timestamp", 0)
if abs(time.time() - sent) < 300:
    said("fresh")
else:
    said("old")
""",
    ),
    Handler(
        "fresh_milliseconds",
        """
sent = int(body.get("ts") or 0)
now = int(time.time() * 1000)
if now - sent > 60_000 or sent > now + 60_000:
    said("old")
    return
said("fresh")
""",
    ),
    Handler(
        "stripe",
        """
raw = await request.body()
given = request.headers.get("stripe-signature", "")
parts = dict(one.split("=", 1) for one in given.split(",") if "=" in one)
stamp, signature = parts.get("t"), parts.get("v1")
if not stamp or not signature:
    raise HTTPException(400, "no signature")
if abs(time.time() - int(stamp)) > 300:
    raise HTTPException(400, "too old")
made = hmac.new(config.SECRET.encode(), f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
if not hmac.compare_digest(made, signature):
    raise HTTPException(401, "signature")
event = json.loads(raw)
if event["type"] == "invoice.paid":
    said(event["data"]["object"]["id"])
return {"received": True}
""",
        parameters="request: Request",
    ),
    Handler(
        "slack",
        """
raw = await request.body()
stamp = request.headers.get("X-Slack-Request-Timestamp", "0")
if abs(time.time() - int(stamp)) > 60 * 5:
    return {"error": "old"}
base = b"v0:" + stamp.encode() + b":" + raw
made = "v0=" + hmac.new(config.SECRET.encode(), base, hashlib.sha256).hexdigest()
if not hmac.compare_digest(made, request.headers.get("X-Slack-Signature", "")):
    return {"error": "signature"}
data = await request.json()
if data.get("type") == "url_verification":
    return {"challenge": data["challenge"]}
if data.get("event", {}).get("type") == "message":
    said(data["event"]["text"])
return {"ok": True}
""",
        parameters="request: Request",
    ),
    Handler(
        "dingtalk",
        """
stamp, sign = headers.get("timestamp"), headers.get("sign")
if not stamp or not sign:
    return
if abs(int(time.time() * 1000) - int(stamp)) > 3600 * 1000:
    said("old")
    return
text = f"{stamp}\\n{config.SECRET}"
made = base64.b64encode(hmac.new(config.SECRET.encode(), text.encode(), hashlib.sha256).digest())
if made.decode() != sign:
    said("wrong")
    return
if body.get("msgtype") == "text":
    said(body["text"]["content"].strip())
""",
    ),
    Handler(
        "wecom",
        """
token = config.SECRET
parts = sorted([token, request.query_params.get("timestamp", ""), request.query_params.get("nonce", "")])
made = hashlib.sha1("".join(parts).encode()).hexdigest()
if request.query_params.get("signature") != made:
    return {"error": "signature"}
if request.method == "GET":
    return {"echo": request.query_params.get("echostr", "")}
data = await request.json()
if data["MsgType"] == "event":
    return {"event": data["Event"]}
return {"ok": True}
""",
        parameters="request: Request",
    ),
    Handler(
        "feishu",
        """
if body.get("type") == "url_verification" and body.get("token") == config.SECRET:
    said(body["challenge"])
    return
header = body.get("header", {})
if header.get("event_type") == "im.message.receive_v1":
    content = json.loads(body["event"]["message"]["content"])
    if content.get("text") == "help":
        said("help")
""",
    ),
    Handler(
        "iso_date",
        """
at = datetime.fromisoformat(body["at"])
if at.tzinfo is None:
    said("naive")
else:
    said("aware")
if at.year < 2000:
    said("long ago")
""",
        missed=['said("long ago")'],
    ),
    Handler(
        "iso_date_z",
        """
at = datetime.fromisoformat(body["alerts"][0]["startsAt"].replace("Z", "+00:00"))
said(at.isoformat())
if datetime.now(timezone.utc) - at < timedelta(hours=1):
    said("recent")
else:
    said("old")
""",
    ),
    Handler(
        "strptime",
        """
try:
    at = datetime.strptime(body["at"], "%Y-%m-%d %H:%M:%S")
except ValueError:
    said("no date")
    return
said(at.strftime("%d.%m.%Y"))
""",
    ),
    Handler(
        "from_timestamp",
        """
at = datetime.fromtimestamp(body["time"])
if (datetime.now() - at).total_seconds() < 60:
    said("now")
else:
    said("before")
""",
    ),
    Handler(
        "ref_by_pattern",
        """
found = re.match(r"refs/(heads|tags)/(.+)", body["ref"])
if not found:
    return
if found.group(1) == "tags":
    said("tag")
else:
    said("branch")
""",
    ),
    Handler(
        "pattern_of_its_own",
        """
found = VERSION.fullmatch(body.get("tag", ""))
if found is None:
    said("no version")
elif found["stage"]:
    said("before it")
else:
    said("release")
""",
        top=r'VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)(?P<stage>-(?:alpha|beta)\d*)?")',
    ),
    Handler(
        "pattern_found_anywhere",
        """
text = body.get("message", "")
if re.search(r"#(\\d+)", text):
    said("issue")
for name, number in re.findall(r"(\\w+)-(\\d+)", text):
    said(name)
if re.search("error|fail", text, re.IGNORECASE):
    said("error")
""",
    ),
    Handler(
        "cut_by_hand",
        """
ref = body.get("ref", "")
kind, _, rest = ref.partition("/")
if kind == "refs":
    said("ref")
branch = ref.split("/")[-1]
if branch == "main":
    said("main")
if ref.removeprefix("refs/heads/") == "dev":
    said("dev")
name, slash, _ = body.get("image", "").rpartition(":")
if name == "app":
    said("app")
if ref.startswith(("refs/tags/", "refs/notes/")):
    said("tag")
if ref.endswith("-rc"):
    said("candidate")
""",
    ),
    Handler(
        "dispatch",
        """
event = headers.get("x-gitlab-event", "")
handler = HANDLERS.get(event)
if handler is None:
    said("unknown")
    return
said(handler(body))
status = STATUS[body["object_attributes"]["status"]]
if status > 1:
    said("bad")
if body.get("level") in LEVELS:
    said("level")
if body.get("stage") in ("build", "test"):
    said("stage")
""",
        top="""
def push(data):
    return data.get("ref")

HANDLERS = {"Push Hook": push, "Pipeline Hook": push}
STATUS = {"success": 1, "failed": 2}
LEVELS = ["warn", "error"]
""",
    ),
    Handler(
        "enumeration",
        """
try:
    kind = Kind(body.get("kind"))
except ValueError:
    said("unknown")
    return
if kind is Kind.OPEN:
    said("open")
elif kind == Kind.CLOSED:
    said("closed")
level = Level(body.get("level", 1))
if level is Level.HIGH:
    said("high")
""",
        top="""
class Kind(str, Enum):
    OPEN = "open"
    CLOSED = "closed"

class Level(Enum):
    LOW = 1
    HIGH = 7
""",
    ),
    Handler(
        "matching",
        """
match body:
    case {"action": "opened", "issue": {"number": int(number)}}:
        said(f"issue {number}")
    case {"action": "closed" | "merged", "user": str(user)}:
        said(user)
    case {"items": [first, *rest]}:
        said("items")
    case {"pair": [a, b]}:
        said("pair")
    case {"count": int(n)} if n > 5:
        said("many")
    case {"zen": _}:
        said("ping")
    case _:
        said("other")
match (headers.get("x-kind"), body.get("state")):
    case ("a", "on"):
        said("a on")
    case ("b", _):
        said("b")
match body.get("number"):
    case 7:
        said("seven")
    case float():
        said("float")
    case None:
        said("none")
match headers.get("x-line", "").split():
    case ["set", name]:
        said(name)
    case ["stop"]:
        said("stop")
""",
        missed=['said("pair")', 'said("float")'],
    ),
    Handler(
        "numbers",
        """
value = body.get("value", 0)
if value >= 80:
    said("high")
elif value % 2 == 1:
    said("odd")
if body["total"] - 5 > config.MOST:
    said("much")
if round(body.get("load", 0.0), 1) == 2.5:
    said("load")
if body.get("bytes", 0) / 1024 > 100:
    said("large")
if 10 < body.get("age", 0) < 20:
    said("teen")
if -3 <= body.get("low", 100) <= 3:
    said("low")
""",
        config="MOST: int = 90",
    ),
    Handler(
        "numbers_in_text",
        """
code = int(headers.get("x-code", "0"))
if code == 42:
    said("exactly")
elif code >= 500:
    said("server")
temperature = float(body.get("temperature", 20))
if temperature > 38.5:
    said("hot")
elif temperature < -10:
    said("cold")
if int(body.get("build") or 0) % 10 == 7:
    said("seven")
""",
    ),
    Handler(
        "lengths",
        """
text = body.get("text", "")
if len(text) > 4000:
    said("cut")
if len(body.get("token", "")) == 16:
    said("token")
items = body.get("items", [])
if len(items) == 0:
    said("none")
elif len(items) == 1:
    said("one")
elif len(items) > 5:
    said("many")
for item in items:
    if item.get("state") == "bad":
        said(item["name"])
if len(body.get("commits", [])) == 3:
    said("three")
""",
    ),
    Handler(
        "booleans",
        """
if body.get("draft"):
    said("draft")
if body.get("merged") is True:
    said("merged")
if body.get("merged") is False:
    said("not merged")
if "note" in body and body["note"] is None:
    said("null")
if isinstance(body.get("data"), list):
    said("list")
elif isinstance(body.get("data"), dict):
    said("dict")
elif isinstance(body.get("data"), (int, float)):
    said("number")
if not body.get("name", "unnamed"):
    said("empty")
if str(body.get("active", "")).lower() == "true":
    said("active")
if headers.get("x-debug", "").lower() in ("1", "true", "yes"):
    said("debug")
""",
    ),
    Handler(
        "alertmanager",
        """
firing, resolved = [], []
for alert in body.get("alerts", []):
    labels = alert.get("labels", {})
    severity = labels.get("severity", "none")
    if severity not in SEVERITIES:
        continue
    if alert["status"] == "firing":
        firing.append(labels["alertname"])
    elif alert["status"] == "resolved":
        resolved.append(labels["alertname"])
if firing:
    said("firing")
if resolved and not firing:
    said("resolved")
if any(one.get("labels", {}).get("team") == "db" for one in body.get("alerts", [])):
    said("database")
""",
        top='SEVERITIES = {"critical", "warning"}',
    ),
    Handler(
        "lists",
        """
commits = body.get("commits", [])
changed = [name for one in commits for name in one.get("modified", [])]
if "README.md" in changed:
    said("docs")
if any(name.endswith(".py") for name in changed):
    said("python")
if commits and commits[-1]["message"].startswith("[skip]"):
    said("skip")
labels = {label["name"] for label in body.get("labels", [])}
if "bug" in labels:
    said("bug")
if all(one.get("done") for one in body.get("tasks", [{}])):
    said("done")
for key, value in body.get("env", {}).items():
    if key == "stage" and value == "live":
        said("live")
first = next((one for one in body.get("jobs", []) if one["state"] == "failed"), None)
if first:
    said(first["id"])
""",
    ),
    Handler(
        "request_parts",
        """
if request.cookies.get("session") == "abc":
    said("cookie")
if request.query_params.get("page", "1") == "2":
    said("page")
if "verbose" in request.query_params:
    said("verbose")
if request.headers.get("content-type", "").startswith("application/xml"):
    said("xml")
if request.headers.get("user-agent", "").startswith("GitHub-Hookshot/"):
    said("agent")
if request.method not in ("POST", "PUT"):
    return {"error": "method"}
if request.url.query == "ping=1":
    said("query")
return {"ok": True}
""",
        parameters="request: Request",
        missed=['said("query")'],
    ),
    Handler(
        "model_made",
        """
try:
    event = Event.model_validate(body)
except ValueError:
    said("wrong")
    return
if event.kind == "alarm":
    said("alarm")
if event.size > 10:
    said("large")
if event.hash.startswith("abc"):
    said("abc")
""",
        top="""
class Event(BaseModel):
    kind: Literal["info", "alarm"]
    size: int = Field(gt=0)
    hash: str = Field(pattern=r"^[0-9a-f]{40}$")
""",
        missed=['said("abc")'],
    ),
    Handler(
        "settings",
        """
if config.MODE == "quiet":
    return
if config.MODE == "full":
    said("full")
if body.get("repo") in config.REPOS:
    said("repo")
for user in config.USERS:
    if user == body.get("user"):
        said("user")
if config.RATE > 0.5:
    said("rate")
if config.MAP.get(body.get("key", "")):
    said("mapped")
if config.OPTIONAL is not None:
    said("optional")
if config.LIMIT and body.get("n", 0) > config.LIMIT:
    said("over")
""",
        config="""
MODE: Literal["normal", "quiet", "full"] = "normal"
REPOS: List[str] = []
USERS: List[str] = ["admin"]
RATE: float = 0.1
MAP: Dict[str, str] = {"a": "b"}
OPTIONAL: Optional[str] = None
LIMIT: int = 0
""",
    ),
    Handler(
        "signature_sha1",
        """
raw = await request.body()
made = "sha1=" + hmac.new(config.SECRET.encode(), raw, "sha1").hexdigest()
if request.headers.get("X-Hub-Signature") == made:
    said("sha1")
given = request.headers.get("X-Signature-512", "")
if hmac.compare_digest(given.encode(), hmac.new(config.SECRET.encode(), raw, hashlib.sha512).hexdigest().encode()):
    said("sha512")
try:
    digest = base64.b64decode(request.headers.get("X-Shopify-Hmac-Sha256", ""))
except ValueError:
    return {"error": "base64"}
if hmac.compare_digest(digest, hmac.new(config.SECRET.encode(), raw, hashlib.sha256).digest()):
    said("base64")
return {"ok": True}
""",
        parameters="request: Request",
    ),
    Handler(
        "signature_hex",
        """
raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
made = hmac.new(config.SECRET.encode(), raw, hashlib.sha256)
try:
    given = bytes.fromhex(headers.get("x-signature", ""))
except ValueError:
    said("no hex")
    return
if given == made.digest():
    said("hex")
algorithm, _, value = headers.get("x-hub-signature", "").partition("=")
if algorithm == "sha256":
    if value == made.hexdigest():
        said("good")
    else:
        said("bad")
if headers.get("x-md5", "").lower() == hashlib.md5(raw + config.SECRET.encode()).hexdigest():
    said("md5")
""",
    ),
    Handler(
        "bearer",
        """
auth = request.headers.get("Authorization", "")
scheme, _, token = auth.partition(" ")
if scheme.lower() != "bearer":
    raise HTTPException(401, "scheme")
if not hmac.compare_digest(token, config.SECRET):
    raise HTTPException(403, "token")
return {"ok": True}
""",
        parameters="request: Request",
    ),
    Handler(
        "basic",
        """
auth = headers.get("authorization", "")
if not auth.startswith("Basic "):
    return
try:
    user, password = base64.b64decode(auth[6:]).decode().split(":", 1)
except ValueError:
    said("malformed")
    return
if user == "admin" and password == config.SECRET:
    said("in")
else:
    said("out")
""",
    ),
    Handler(
        "bearer_split",
        """
parts = headers.get("authorization", "").split()
if len(parts) != 2 or parts[0] != "Bearer":
    said("malformed")
    return
if parts[1] != config.SECRET:
    said("wrong")
    return
said("in")
""",
    ),
    Handler(
        "form_payload",
        """
form = await request.form()
payload = json.loads(form.get("payload", "{}"))
if payload.get("action") == "deploy":
    return {"deploy": payload["target"]}
text = (form.get("text") or "").strip().split()
if not text:
    return {"usage": True}
command, *rest = text
if command == "set" and len(rest) >= 2:
    return {"set": rest[0]}
if command.lower() == "list":
    return {"list": True}
upload = form.get("file")
if upload is not None and not isinstance(upload, str):
    return {"file": upload.filename}
return {"ok": True}
""",
        parameters="request: Request",
        missed=['return {"file": upload.filename}'],
    ),
    Handler(
        "raw_form",
        """
raw = (await request.body()).decode()
data = parse_qs(raw)
if data.get("command", [""])[0] == "/deploy":
    return {"deploy": True}
return {"ok": True}
""",
        parameters="request: Request",
        missed=['return {"deploy": True}'],
    ),
    Handler(
        "telegram",
        """
if headers.get("x-telegram-bot-api-secret-token") != config.SECRET:
    return
message = body.get("message") or body.get("edited_message")
if not message:
    query = body.get("callback_query")
    if query:
        action, _, argument = query["data"].partition(":")
        if action == "mute":
            said(argument)
    return
text = message.get("text", "")
if text.startswith("/"):
    command, *arguments = text.split()
    command = command.split("@")[0]
    if command == "/status":
        said("status")
    elif command == "/echo" and arguments:
        said(" ".join(arguments))
elif message["chat"]["type"] == "private":
    said("private")
elif "photo" in message:
    said(message["photo"][-1]["file_id"])
""",
    ),
    Handler(
        "device",
        """
payload = body.get("payload")
if isinstance(payload, str):
    payload = json.loads(payload)
for reading in payload["readings"]:
    value = float(reading["value"])
    unit = reading.get("unit", "C").upper()
    if unit == "F":
        value = (value - 32) * 5 / 9
    if value > 60:
        said("hot")
    elif value < -20:
        said("cold")
battery = body.get("battery")
if battery is not None and battery <= 15:
    said("battery")
state = body.get("new_state", {}).get("state")
if state in ["on", "open"] and body.get("old_state", {}).get("state") != state:
    said("changed")
""",
    ),
    Handler(
        "jenkins",
        """
build = body.get("build", {})
phase, status = build.get("phase"), build.get("status")
if phase != "FINALIZED":
    return
icon = ICONS.get(status, "?")
said(icon)
if status == "FAILURE" and build.get("number", 0) > 1:
    said("again")
elif build.get("duration", 0) > 60_000:
    said("slow")
culprits = build.get("scm", {}).get("culprits") or []
if len(culprits) > 1:
    said(", ".join(culprits))
action = getattr(Actions, f"on_{body.get('action', '')}", None)
if action:
    said(action())
""",
        top="""
ICONS = {"SUCCESS": "+", "FAILURE": "-"}

class Actions:
    @staticmethod
    def on_deploy():
        return "deploy"
""",
        missed=["said(action())"],
    ),
    Handler(
        "compared_with_the_present",
        """
if body["expires"] < time.time():
    said("expired")
    return
said("valid")
if abs(time.time() * 1000 - int(headers.get("x-ms", "0"))) < 60_000:
    said("fresh")
""",
    ),
    Handler(
        "stripe_in_helpers",
        """
try:
    event = event_of(await request.body(), request.headers.get("stripe-signature", ""))
except SignatureError as error:
    raise HTTPException(400, str(error))
if event["type"] == "checkout.session.completed":
    return {"paid": event["data"]["object"]["amount_total"] / 100}
return {"received": False}
""",
        top="""
class SignatureError(Exception):
    pass


def parts(header):
    stamp, signatures = -1, []
    for item in header.split(","):
        key, _, value = item.strip().partition("=")
        if key == "t":
            stamp = int(value)
        elif key == "v1":
            signatures.append(value)
    return stamp, signatures


def event_of(raw, header):
    try:
        stamp, signatures = parts(header)
    except ValueError as error:
        raise SignatureError("malformed") from error
    if stamp == -1 or not signatures:
        raise SignatureError("incomplete")
    made = hmac.new(b"key", f"{stamp}.{raw.decode()}".encode(), hashlib.sha256).hexdigest()
    if not any(hmac.compare_digest(made, one) for one in signatures):
        raise SignatureError("another one")
    if stamp < time.time() - 300:
        raise SignatureError("too old")
    return json.loads(raw)
""",
        parameters="request: Request",
    ),
    Handler(
        "given_by_name",
        """
if not stamp or not sign:
    raise HTTPException(403, "no signature")
if hmac.new(b"key", stamp.encode(), hashlib.sha256).hexdigest() != sign:
    raise HTTPException(403, "signature")
data = await request.json()
if mode == "full" and page > 10:
    return {"kind": data.get("kind")}
return {"ok": True}
""",
        parameters='request: Request, stamp: str = Header(None), sign: str = Header(None, alias="X-Sign"), mode: str = Query(""), page: int = 1',
    ),
    Handler(
        "given_by_others",
        """
if job.priority > 5:
    return {"queued": job.name}
if job.kind == "report" and who == "admin":
    return {"kind": job.kind}
return {"done": job.name}
""",
        top="""
async def known(x_token: str = Header(...), x_user: str = Header("")) -> str:
    if x_token != "let me in":
        raise HTTPException(403)
    return x_user


class Job(BaseModel):
    name: str
    kind: str = ""
    priority: int = 0
""",
        parameters="job: Job, who: str = Depends(known)",
    ),
    Handler(
        "model_of_several_in_bytes",
        """
try:
    envelope = Envelope.model_validate_json(await request.body())
except ValueError:
    return {"error": "no envelope"}
if isinstance(envelope.event, Removed):
    return {"removed": envelope.event.number}
if envelope.event.name == "main":
    return {"main": True}
return {"made": envelope.event.name}
""",
        top="""
class Made(BaseModel):
    kind: Literal["made"]
    name: str


class Removed(BaseModel):
    kind: Literal["removed"]
    number: int


class Envelope(BaseModel):
    event: Made | Removed = Field(discriminator="kind")
""",
        parameters="request: Request",
    ),
    Handler(
        "set_and_told",
        """
build = body.get("build", {})
phase, status = build.get("phase"), build.get("status", "")
if phase != "FINALIZED":
    return
if config.ONLY_FAILED and status == "SUCCESS":
    said("fine")
    return
said(status)
""",
        config="ONLY_FAILED: bool = False",
    ),
    Handler(
        "came_before",
        """
known = body.get("header", {}).get("event_id")
if known in SEEN or headers.get("x-delivery") in SEEN:
    said("again")
    return
SEEN.add(known)
SEEN.add(headers.get("x-delivery"))
match body["header"]["event_type"]:
    case "message":
        message = body["event"]["message"]
        if message["type"] == "text":
            if message["text"].startswith("/help"):
                said("help")
            elif message["from"]["is_bot"]:
                said("bot")
        elif message["type"] == "image":
            said(message["image"]["key"])
    case "added":
        said(body["event"]["chat"])
""",
        top="SEEN: set = set()",
    ),
    Handler(
        "divided",
        """
try:
    said(f"{body['passed'] / body['total']:.0%}")
except ZeroDivisionError:
    said("none")
steps = body["steps"]
said(f"{sum(one['seconds'] for one in steps) / max(len(steps), 1)}")
if body["load"] - 1 > 0.5:
    said("busy")
""",
    ),
    Handler(
        "sender_key_of_two",
        """
event = headers.get("x-github-event") or headers.get("x-gitea-event")
action = body.get("action")
if (event, action) == ("issues", "opened"):
    said("opened")
name = f"{event}.{action}"
if name == "pull_request.closed":
    said("closed")
if f"{event}:{action}" in ROUTES:
    said("routed")
if body.get("sender", {}).get("login", "").lower() == "Bot".lower():
    said("bot")
if event and event.replace("-", "_") == "merge_request":
    said("merge")
if body.get("title", "").strip().casefold() == "wip":
    said("wip")
if "urgent" in body.get("title", "").lower():
    said("urgent")
""",
        top='ROUTES = {"release:published": 1}',
        missed=['said("opened")', 'said("closed")', 'said("routed")'],
    ),
]


def reaching(agent: str, scratch: Path) -> list[str]:
    """All handlers in one run."""
    folder = scratch / f"{agent}-reaching"
    folder.mkdir()
    for handler in HANDLERS:
        (folder / f"{handler.name}.py").write_text(handler.text())
    _, result, messages = run(folder, agent)
    missed: dict[str, list[str] | None] = {}
    for one in result["webhooks"]:
        name = (one["plugin"] or "").removeprefix("dev.")
        if one["run"] is not None:
            lines = (folder / f"{name}.py").read_text().splitlines()
            missed[name] = [lines[line - 1].strip() for line in one["run"]["missed"]]
    wrong = []
    for handler in HANDLERS:
        lines = missed.get(handler.name)
        good = lines == handler.missed
        print(
            f"verify on {agent}: {handler.name}: {'reached' if good else f'NOT REACHED: {lines}'}"
        )
        if not good:
            wrong.append(f"{handler.name}: reached by no request: {lines}\n{messages}")
    return wrong
