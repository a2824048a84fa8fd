"""The names that the parameters in `table.txt` are made of."""

import asyncio
import collections
import collections.abc
import dataclasses
import datetime
import decimal
import enum
import functools
import io
import ipaddress
import logging
import pathlib
import re
import threading
import typing
import uuid
from dataclasses import dataclass, field
from datetime import timezone
from enum import Enum, IntEnum
from http import HTTPStatus
from typing import (
    Annotated,
    Any,
    Awaitable,
    Callable,
    Dict,
    Generic,
    Iterable,
    List,
    Literal,
    Mapping,
    NamedTuple,
    NewType,
    Optional,
    Protocol,
    Sequence,
    Set,
    Tuple,
    Type,
    TypeVar,
    Union,
)

import annotated_types
import fastapi
import pydantic
import starlette.datastructures
import typing_extensions
from annotated_types import Ge, Gt, Interval, Len, MaxLen, MinLen, MultipleOf, Predicate
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    File,
    Form,
    Header,
    Path,
    Query,
    Request,
    Response,
    Security,
    UploadFile,
    WebSocket,
)
from fastapi.responses import JSONResponse
from fastapi.security import (
    HTTPAuthorizationCredentials,
    HTTPBearer,
    OAuth2PasswordRequestForm,
    SecurityScopes,
)
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    HttpUrl,
    PlainValidator,
    RootModel,
    StringConstraints,
    WrapValidator,
    condate,
    condecimal,
    confloat,
    conint,
    conlist,
    conset,
    constr,
)
from starlette.requests import HTTPConnection
from typing_extensions import Doc, NotRequired, Required, TypedDict

T = TypeVar("T")
Whole = TypeVar("Whole", bound=int)
MINIMUM = 1
WORD = "a"
NAME: str = "X-Name"
TWICE = 1
TWICE = "a"
OPTIONS = {"gt": "a"}


class Service:
    """A class that pydantic knows nothing of."""


Served = TypeVar("Served", bound=Service)


class Special(Service): ...


class Text(str): ...


class Table(dict): ...


class Failure(Exception): ...


class Shape(Protocol):
    x: int


class Box(Generic[T]): ...


class Model(BaseModel):
    x: int = 1


class Child(Model): ...


class Mixed(Service, BaseModel): ...


class Page(BaseModel, Generic[T]):
    items: List[T] = []


class Names(RootModel[List[str]]): ...


class Arbitrary(BaseModel):
    model_config = {"arbitrary_types_allowed": True}
    service: Optional[Service] = None


@dataclass
class Data:
    x: int = 1
    more: Optional["Data"] = None
    names: List[str] = field(default_factory=list)


@dataclass
class Simple:
    x: int = 1
    names: List[str] = field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Wrapped:
    data: Data
    color: "Color" = None


class DataChild(Data): ...


@dataclass
class Bad:
    service: Optional[Service] = None


class BadChild(Bad): ...


@pydantic.dataclasses.dataclass
class Checked:
    x: int = 1


class Event(TypedDict, total=False):
    x: Required[int]
    y: NotRequired[str]


class BadEvent(TypedDict):
    service: Service


class OldEvent(typing.TypedDict):
    x: int


class Pair(NamedTuple):
    left: int
    right: str = ""


class BadPair(NamedTuple):
    service: Service


Point = collections.namedtuple("Point", "x y")


class Color(Enum):
    RED = 1


class Level(str, Enum):
    LOW = "low"


class Number(IntEnum):
    ONE = 1


class Caller(Request): ...


class Page404(JSONResponse): ...


class WithSchema:
    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        return handler(int)


UserId = NewType("UserId", int)
ServiceId = NewType("ServiceId", Service)
Payload = Dict[str, Any]
Maybe = Optional[Model]
Alias: typing.TypeAlias = "int | str"
PerhapsRequest = Optional[Request]


class Note:
    def __init__(self, text: str): ...


class Noted(Note): ...


@dataclass
class Limited_:
    x: Annotated[int, Field(gt="a")] = 1


@dataclass
class Bounded:
    x: int = Query(1, gt="a")


@dataclass
class Later:
    x: int = field(default=Query(1, gt="a"))


class Limits:
    LEAST = 1
    WORD = "a"
    MARKED = Query(1, gt="a")


class Raised:
    LEAST = 1
    LEAST += 1


@dataclass
class WithField:
    x: int = Field(1, gt="a")


@dataclass
class WithGoodField:
    x: int = Field(1, gt=1, title="A")
    y: str = field(default="a")


class Marking(fastapi.params.Query): ...


LIMITS = Limits()
MARKED = Query(1, gt="a")
BY_NAME = {"x": Query(1, gt="a")}


@dataclass
class Counted:
    x: int = Query(1, gt=1)


def once(value): ...


def twice(value, more): ...


@functools.lru_cache
def kept(value): ...


def limits(x: int = Query(1, gt="a")): ...


def numbers(x: int = 1, request: Request = None): ...


async def stream(name: str = Header("a")):
    yield name


def anything(*args, **kwargs): ...


def served(service: Service = None): ...


def nested(value=Depends(served)): ...


def called(callback: Callable = None): ...


def perhaps(request: Optional[Request] = None): ...


@functools.lru_cache
def cached(x: int = 1): ...


def require(role: str):
    def check(request: Request): ...

    return check


def require_service(role: str):
    def check(service: Service): ...

    return check


def make():
    return Service()


class Limit:
    def __init__(self, count: int = 1): ...

    def __call__(self, request: Request): ...

    def check(self, x: int = 1): ...

    def serve(self, service: Service = None): ...


class LimitChild(Limit): ...


class Serving:
    def __init__(self, service: Service = None): ...

    def __call__(self, service: Service = None): ...


class ServingChild(Serving): ...


bearer = HTTPBearer()
limit = Limit()
Number_ = Annotated[int, Depends(numbers)]
Served_ = Annotated[Service, Depends(served)]
Limited = Depends(limit)
