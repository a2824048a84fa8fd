"""What is sent to a route: a request without its URL, and the requests that every route gets.

Every route of the context dialect gets the whole table of bodies that the old server knows, and
every route of the request dialect the same bodies and a request of each method.
"""

import json
from dataclasses import dataclass, field

from _rehook_runner.model import ipc
from _rehook_runner.model.request_label import Known, Label

# Those of the route map (`REQUEST_METHODS` in src/routes.rs).
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]

Headers = list[tuple[bytes, bytes]]

# Whom the senders take themselves to be calling.
HOST = "agent.test"


@ipc.serializable
@dataclass
class Request:
    """One request, without the URL: that is another one on each side."""

    label: Label
    method: str = "POST"
    query: bytes = b""
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    settings: dict = field(default_factory=dict)
    expect: dict = field(default_factory=dict)
    # The file and the line of one that was given.
    place: str = ""

    def shown(self) -> str:
        """For a reader, as close to what was sent as text can be."""
        lines = [
            f"{self.method} ({self.label})" + (f" ?{self.query.decode()}" if self.query else "")
        ]
        lines += [
            f"{name.decode('latin-1')}: {value.decode('latin-1')}" for name, value in self.headers
        ]
        if self.settings:
            lines.append(f"(settings {self.settings})")
        if self.body:
            body = self.body if len(self.body) < 2000 else self.body[:200] + b"..."
            lines += ["", body.decode("utf-8", "backslashreplace")]
        return "\n".join(lines)


@dataclass
class Reply:
    """What came back; header names in lower case."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    # What the application raised, where that is seen.
    raised: str = ""
    # What came to the application for it, where something is in between.
    arrived: list[Request] = field(default_factory=list)

    def values(self, name: str) -> list[str]:
        return [value for other, value in self.headers if other == name]


@dataclass
class Route:
    """A line of the route map."""

    plugin: str
    endpoint: str
    dialect: str
    target: str
    methods: list[str] = field(default_factory=list)
    legacy: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    # The handler takes the request itself: the reply is its own, and only objects are its business.
    native: bool = False
    # Where the handler was written (see job.rs), as far as that is known.
    written: dict | None = None

    @property
    def old(self) -> str:
        """The old URL: where release 2.4.0 answers, or where the document says."""
        if self.dialect == "context":
            return "/api/webhook/" + self.endpoint.removeprefix("/")
        return f"/api/plugin/{self.plugin}/webhook/" + self.endpoint.removeprefix("/")


JSON = [(b"Content-Type", b"application/json")]
TEXT = [(b"Content-Type", b"text/plain")]
FORM = [(b"Content-Type", b"application/x-www-form-urlencoded")]

OBJECT = '{"action": "opened", "text": "中文 \\u00e9", "nested": {"list": [1, 2.5, null, true]}}'.encode()

# Every way in which the old server treats a body, and what an implementation of it may get wrong.
BODIES: list[tuple[str, Headers, bytes]] = [
    ("object", JSON, OBJECT),
    ("empty_object", JSON, b"{}"),
    (
        "object_with_charset",
        [(b"Content-Type", b"application/json; charset=utf-8")],
        OBJECT,
    ),
    (
        "object_type_among_others",
        [(b"Content-Type", b"text/plain, application/json")],
        OBJECT,
    ),
    (
        "object_vendor_type",
        [(b"Content-Type", b"application/vnd.github+json")],
        OBJECT,
    ),
    (
        "object_type_in_upper_case",
        [(b"Content-Type", b"APPLICATION/JSON")],
        OBJECT,
    ),
    (
        "not_json_vendor_type",
        [(b"Content-Type", b"application/vnd.github+json")],
        b"{",
    ),
    (
        "not_json_with_charset",
        [(b"Content-Type", b"application/json; charset=utf-8")],
        b"{",
    ),
    (
        "not_json_type_in_upper_case",
        [(b"Content-Type", b"APPLICATION/JSON")],
        b"{",
    ),
    ("object_key_twice", JSON, b'{"a": 1, "a": 2}'),
    ("object_with_nan", JSON, b'{"a": NaN, "b": -Infinity}'),
    (
        "object_with_huge_number",
        JSON,
        b'{"a": 123456789012345678901234567890, "b": 1e999}',
    ),
    ("object_in_utf16", JSON, '{"a": "中"}'.encode("utf-16")),
    ("object_after_bom", JSON, b"\xef\xbb\xbf{}"),
    ("half_object", JSON, b'{"a":'),
    ("nothing_as_json", JSON, b""),
    ("blanks_as_json", JSON, b" \n"),
    ("list", JSON, b'[{"a": 1}]'),
    ("number", JSON, b"42"),
    ("string", JSON, b'"text"'),
    ("null", JSON, b"null"),
    ("true", JSON, b"true"),
    ("not_utf8_as_json", JSON, b'{"a": "\xff"}'),
    ("nested_too_deeply", JSON, b'{"a":' * 100_000),
    ("object_as_text", TEXT, OBJECT),
    ("list_as_text", TEXT, b"[1, 2]"),
    ("number_as_text", TEXT, b"42"),
    ("string_as_text", TEXT, b'"text"'),
    ("null_as_text", TEXT, b"null"),
    ("object_after_bom_as_text", TEXT, b"\xef\xbb\xbf{}"),
    ("object_in_utf16_as_text", TEXT, '{"a": 1}'.encode("utf-16")),
    ("nested_too_deeply_as_text", TEXT, b"[" * 100_000),
    ("text", TEXT, "你好, a=1\r\n".encode()),
    ("text_not_utf8", TEXT, b"\xff\xfe\xfa"),
    ("text_with_null_byte", TEXT, b"a\x00b"),
    ("empty_text", TEXT, b""),
    ("object_without_type", [], OBJECT),
    ("text_without_type", [], b"text"),
    ("nothing", [], b""),
    ("form", FORM, b"payload=%7B%22a%22%3A1%7D&b=2"),
    (
        "form_with_file",
        [(b"Content-Type", b"multipart/form-data; boundary=B")],
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nhi\r\n--B--\r\n',
    ),
    ("type_twice_json_last", TEXT + JSON, b'{"a": 1}'),
    ("type_twice_json_first", JSON + TEXT, b'{"a": 1'),
    (
        "headers_twice",
        [*JSON, (b"X-Twice", b"1"), (b"x-twice", b"2"), (b"X-Latin", b"caf\xe9")],
        b"{}",
    ),
    ("accept_english", [*JSON, (b"Accept-Language", b"en-US")], b"[]"),
]


def table(route: Route) -> list[Request]:
    """The requests that every route of this dialect gets."""
    own = route.requests[0] if route.requests else Request("")
    if route.dialect == "request":
        # The handler may say what it likes; both sides must say it alike.
        alone = Known("only_method")
        requests = [Request(alone, method=method) for method in METHODS]
        requests += [
            Request(Known(kind, method), method, b"a=1&b=%E4%B8%AD", headers, body)
            for method in ("POST", "PUT")
            for kind, headers, body in BODIES
            if len(body) < 1000
        ]
        return requests
    requests = [Request(Known(kind), headers=headers, body=body) for kind, headers, body in BODIES]
    # Once more with what the plugin looks for, so that its own code is reached as well.
    looked_for = [
        (n, v) for n, v in own.headers if n.lower() not in (b"content-type", b"x-hub-signature-256")
    ]
    if looked_for or own.settings:
        requests += [
            Request(
                Known(kind, looked_for=True),
                headers=headers + looked_for,
                body=body,
                settings=own.settings,
            )
            for kind, headers, body in BODIES
        ]
    other = Known("other_method")
    requests += [Request(other, method=method) for method in METHODS if method != "POST"]
    requests.append(Request(Known("query"), query=b"a=1&a=2", headers=JSON, body=b"{}"))
    if route.native:
        requests = [r for r in requests if r.method != "POST" or stays_alike(r)]
    return requests


def stays_alike(request: Request) -> bool:
    """Whether a handler that takes the request itself is promised to see what it saw before."""
    names = [name.lower() for name, _ in request.headers]
    try:
        is_object = isinstance(json.loads(request.body.decode()), dict)
    except (ValueError, RecursionError):
        return False
    # Of a header that is given twice the last value counted, and the first does now.
    return is_object and all(names.count(name) == 1 for name in names)
