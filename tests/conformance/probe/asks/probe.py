"""A plugin that asks for everything that the stand-in for the agent offers.

A request names a function below, `{"do": "send_text"}`; it is called with a context, and what it
returns or raises is the reply of the route, and is recorded for the webhook, whose reply is fixed.
"""

# ruff: noqa: PLE1205 (the log is loguru's)

import asyncio
import importlib
import logging
import os
import warnings
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Header, HTTPException, Request
from fastapi.responses import StreamingResponse
from nekro_agent.api import core, i18n, message, schemas, signal
from nekro_agent.api.plugin import (
    Arg,
    AsyncTaskHandle,
    CommandExecutionContext,
    CommandPermission,
    CommandResponse,
    ConfigBase,
    ExtraField,
    NekroPlugin,
    SandboxMethodType,
    TaskCtl,
)
from nekro_agent.api.schemas import AgentCtx, WebhookRequest
from nekro_agent.core import logger as core_logger
from nekro_agent.core.logger import get_sub_logger, logger
from nekro_agent.models.db_chat_channel import DBChatChannel
from nekro_agent.schemas import errors
from nekro_agent.services.message_service import message_service
from nekro_agent.services.plugin.base import NekroPlugin as BasePlugin
from pydantic import BaseModel, Field

CHAT = "onebot_v11-group_1"
EFFECTS: list = []
# What was called before the first request.
STARTED: list[str] = []

plugin = NekroPlugin(
    name=" Probe ",
    module_name=" probe ",
    description=" asks ",
    version=" 1 ",
    author="dev",
    url=" https://example.com ",
    i18n_name=i18n.i18n_text(zh_CN="探针", en_US="Probe"),
    support_adapter=["onebot_v11"],
    allow_sleep=True,
    sleep_brief=" asleep ",
)
other = NekroPlugin("Other", "other", "", "1", "dev", "")


@plugin.mount_config()
class Config(ConfigBase):
    TOKEN: str = Field(
        default="t",
        json_schema_extra=ExtraField(
            is_secret=True, load_to_sysenv=True, load_sysenv_as="PROBE_TOKEN"
        ).model_dump(),
    )
    LIMIT: int = Field(default=3, title="Limit", ge=0)
    TEXT: str = "中文"


# Read once more than needed: it is the same object each time.
settings = plugin.get_config(Config)


# What has nothing to do with webhooks can be registered, and what is registered stays as it is.


@plugin.mount_init_method()
async def init():
    STARTED.append("init")


@plugin.mount_cleanup_method()
async def cleanup():
    EFFECTS.append("cleanup")


@plugin.on_enabled()
async def enabled():
    STARTED.append("enabled")
    EFFECTS.append("enabled")


@plugin.on_enabled()
async def enabled_and_broken():
    raise ValueError("from a callback")


@plugin.on_disabled()
async def disabled():
    EFFECTS.append("disabled")


@plugin.mount_sandbox_method(SandboxMethodType.TOOL, "tool", "a tool")
async def tool(_ctx: AgentCtx, text: str) -> str:
    """A tool."""
    return text


@plugin.mount_prompt_inject_method("prompt", "a prompt")
async def prompt(_ctx: AgentCtx) -> str:
    return "prompt"


@plugin.mount_on_channel_reset()
async def reset(_ctx: AgentCtx):
    EFFECTS.append("reset")


@plugin.mount_on_user_message()
async def on_user(_ctx: AgentCtx, _message: message.ChatMessage) -> signal.MsgSignal | None:
    return signal.MsgSignal.CONTINUE


@plugin.mount_on_system_message()
async def on_system(_ctx: AgentCtx, _text: str) -> signal.MsgSignal | None:
    return signal.MsgSignal.BLOCK_ALL


@plugin.mount_collect_methods()
async def collect(_ctx: AgentCtx):
    return [tool]


@plugin.mount_async_task("slow")
async def slow(_handle: AsyncTaskHandle, _text: str):
    yield TaskCtl.success("done")


@plugin.mount_command("probe", "asks", aliases=["p"], permission=CommandPermission.PUBLIC)
async def command(
    _context: CommandExecutionContext, place: Annotated[str, Arg("where", positional=True)] = "x"
) -> CommandResponse:
    raise NotImplementedError(place)


group = plugin.mount_command_group("group", "several", permission=CommandPermission.ADVANCED)


@group.command("one", "the first", aliases=["1"])
async def grouped(_context: CommandExecutionContext) -> CommandResponse:
    raise NotImplementedError


# What a request can ask for.


async def do_names(_ctx):
    return [
        STARTED,
        *(plugin.name, plugin.module_name, plugin.description, plugin.version, plugin.author),
        *(plugin.url, plugin.key, plugin.is_enabled, plugin.is_builtin, plugin.is_package),
        *(plugin.support_adapter, plugin.allow_sleep, plugin.sleep_brief, plugin.get_name()),
        *(plugin.get_name(i18n.SupportedLang.EN_US), other.get_name(), plugin.get_description()),
        *(plugin.get_vector_collection_name(), plugin.get_vector_collection_name("k")),
    ]


async def do_registered(_ctx):
    return [
        [method.func.__name__ for method in plugin.sandbox_methods],
        plugin.prompt_inject_method.name,
        [sorted(plugin.webhook_methods), plugin.webhook_methods["probe"].description],
        [f.__name__ for f in (plugin.on_reset_method, plugin.init_method, plugin.cleanup_method)],
        [f.__name__ for f in (plugin.on_user_message_method, plugin.on_system_message_method)],
        [f.__name__ for f in (tool, prompt, slow, command, grouped, enabled)],
        [BasePlugin is NekroPlugin, AgentCtx is schemas.AgentCtx, core_logger is logger],
    ]


async def do_settings(_ctx):
    file = plugin.get_plugin_data_dir() / "config.yaml"
    return [
        plugin.get_config() is settings,
        settings.model_dump(),
        file.is_file(),
        os.environ["PROBE_TOKEN"],
        other.get_config().model_dump(),
    ]


async def do_save_settings(_ctx):
    plugin.save_config(Config(TOKEN="new"))
    saved = plugin.get_config().model_dump()
    plugin.save_config(settings)
    return saved


async def do_save_other_settings(_ctx):
    class Another(ConfigBase):
        pass

    plugin.save_config(Another())


async def do_settings_of_no_kind(_ctx):
    @other.mount_config()
    class Plain(BaseModel):
        pass


async def do_no_setting(_ctx):
    return plugin.get_config().MISSING


async def do_plugin_without_config(_ctx):
    return plugin.no_such_thing


async def do_folder(_ctx):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        old = plugin.get_plugin_path()
    folder = plugin.get_plugin_data_dir()
    return [str(folder), folder.is_dir(), old == folder, [w.category.__name__ for w in warned]]


async def do_bad_names(_ctx):
    raised = []
    for name in ("", "1a", "a-b", "a.b", "é"):
        for names in ({"module_name": name}, {"author": name}):
            about = {"module_name": "m", "author": "a"} | names
            try:
                NekroPlugin(name="n", description="", version="", url="", **about)
            except ValueError as error:
                raised.append(type(error).__name__)
    return raised


async def do_store(_ctx):
    return [
        await plugin.store.get(store_key="k"),
        await plugin.store.set(store_key="k", value="v"),
        await plugin.store.set(store_key="k", value="w"),
        await plugin.store.get("", "", "k"),
        await plugin.store.get(chat_key=CHAT, store_key="k"),
        await plugin.store.delete(store_key="k"),
        await plugin.store.delete(store_key="k"),
    ]


async def do_log(_ctx):
    logger.debug("plain {}")
    logger.info("{} and {name}", 1, name="two")
    logger.success("well")
    logger.warning("{0!r:>6}", "x")
    logger.error("bad")
    logger.critical("worse")
    logger.trace("little")
    logger.log("INFO", "by name {}", 1)
    logger.log(33, "by number")
    logger.bind(a=1).info("bound")
    logger.opt(lazy=True).info("lazy {}", lambda: 2)
    logger.opt(colors=True).info("<red>red</red> and <b>bold</b>")
    logger.opt(exception=ValueError("given")).error("with an error")
    logger.patch(lambda record: record.update(message="patched")).info("as it was")
    core.logger.info("of the API")
    plugin.logger.info("of the plugin {}", 3)
    get_sub_logger("sub", "name", extra=1).info("of its own")
    logger.info(["no", "text"])
    logging.getLogger(__name__).warning("by %s", "logging")
    logging.getLogger(__name__).info("too low")
    from loguru import logger as loguru_logger

    loguru_logger.info("by loguru")


async def do_log_exception(_ctx):
    try:
        raise KeyError("k")
    except KeyError:
        logger.exception("caught {}", 1)
        plugin.logger.opt(exception=True).warning("again")
        logger.error("and without")
    logger.exception("nothing is raised")


async def do_log_deeper(_ctx):
    def say(text):
        logger.opt(depth=1).info(text)

    say("said by the caller")


async def do_log_no_level(_ctx):
    logger.log("LOUD", "x")


async def do_log_bad_format(_ctx):
    logger.info("{} {}", 1)


async def do_context(ctx):
    made = await AgentCtx.create_by_chat_key(CHAT)
    empty = await AgentCtx.create_by_webhook(WebhookRequest(headers={}, body={}))
    channel = await DBChatChannel.get_channel(chat_key=CHAT)
    by_channel = AgentCtx.create_by_db_chat_channel(channel, "container", "other-private_2")
    return [
        *(made.model_dump(), empty.model_dump(), by_channel.model_dump()),
        *(made.chat_key, by_channel.chat_key, made.adapter, repr(made), repr(channel)),
        *(str(channel), made.db_chat_channel, made.db_user, made.from_platform_userid),
        *(made.ms is message, bool(ctx), channel.is_active, channel.preset_id, channel.data),
    ]


async def do_context_without_chat(_ctx):
    return (await AgentCtx.create_by_webhook(WebhookRequest(headers={}, body={}))).chat_key


async def do_context_without_adapter(_ctx):
    return AgentCtx().adapter


async def do_context_not_valid(_ctx):
    return AgentCtx(container_key=1, from_chat_key=[])


async def do_context_no_such_attribute(_ctx):
    return AgentCtx().no_such_thing


async def do_request_not_valid(_ctx):
    WebhookRequest(headers={"a": 1}, body=[])


async def do_send(_ctx):
    ctx = await AgentCtx.create_by_chat_key(CHAT)
    await ctx.send_text("text")
    await ctx.send_text("text", record=False)
    await ctx.send_image("image.png")
    await ctx.send_file("file.txt", record=False)
    await ctx.push_system("system")
    await ctx.push_system("system", trigger_agent=True)
    await message.send_text("other-private_2", "text", ctx, ref_msg_id="7")
    await message.send_image(CHAT, "image.png", ctx)
    await message.send_file(CHAT, "file.txt", ctx)
    await message.push_system(CHAT, "without a context")
    await message_service.push_system_message(CHAT, "at once", trigger_agent=True)
    return [channel.chat_key for channel in await DBChatChannel.all()]


async def do_send_without_chat(_ctx):
    await message.send_text(CHAT, "text", AgentCtx())


async def do_send_file_without_chat(_ctx):
    await message.send_file(CHAT, "file.txt", AgentCtx())


async def do_send_image_without_chat(_ctx):
    await AgentCtx().send_image("image.png")


async def do_send_no_text(_ctx):
    await message.send_text(CHAT, None, await AgentCtx.create_by_chat_key(CHAT))


async def do_segments(_ctx):
    kinds = schemas.AgentMessageSegmentType
    parts = [schemas.AgentMessageSegment(type=kind, content="c") for kind in kinds]
    return [[part.model_dump(), repr(part)] for part in parts]


async def do_languages(_ctx):
    text = i18n.i18n_text(zh_CN="你好", en_US="Hello")
    return [
        *(text, i18n.get_text(text, "d"), i18n.get_text(None, "d"), i18n.get_text({}, "d")),
        i18n.get_text(text, "d", i18n.SupportedLang.EN_US),
        i18n.get_text({"zh-CN": "只"}, "d", i18n.SupportedLang.EN_US),
    ]


async def do_raise_value_error(_ctx):
    raise ValueError("value")


async def do_raise_http(_ctx):
    raise HTTPException(418, {"a": [1]}, headers={"X-Lost": "1"})


async def do_raise_app_error(_ctx):
    raise errors.AppError("detail", data={"a": 1})


async def do_raise_validation(_ctx):
    raise errors.ValidationError("原因", detail="d")


async def do_raise_not_found(_ctx):
    raise errors.NotFoundError("门")


async def do_raise_conflict(_ctx):
    raise errors.ConflictError(resource="door", data=[1])


async def do_raise_operation_failed(_ctx):
    raise errors.OperationFailedError("opening")


async def do_raise_unauthorized(_ctx):
    raise errors.UnauthorizedError


async def do_raise_permission_denied(_ctx):
    raise errors.PermissionDeniedError("d")


async def do_raise_own_error(_ctx):
    class DoorError(errors.AppError):
        http_status = 423
        i18n_message = i18n.i18n_text(zh_CN="{door} 锁了", en_US="{door} is locked")

    raise DoorError(door="front")


async def do_raise_wrong_parameters(_ctx):
    class DoorError(errors.AppError):
        i18n_message = i18n.i18n_text(zh_CN="{door} 锁了", en_US="{door} is locked")

    raise DoorError(window="front")


async def do_task(_ctx):
    async def later():
        await asyncio.sleep(1000)
        EFFECTS.append("later")

    plugin.task = asyncio.create_task(later())


async def do_enable(_ctx):
    await plugin.trigger_callbacks("disabled")
    await plugin.trigger_callbacks("enabled")


async def do_gone(_ctx):
    raised = []
    for name in ("context", "llm", "user"):
        try:
            importlib.import_module(f"nekro_agent.api.{name}")
        except ImportError as error:
            raised.append(f"{type(error).__name__}: {error}")
    return raised


ACTIONS = {name.removeprefix("do_"): f for name, f in globals().items() if name.startswith("do_")}


@plugin.mount_webhook_method("probe", "Probe", description="asks")
async def webhook(ctx: AgentCtx):
    result = await ACTIONS[ctx.webhook_request.body["do"]](ctx)
    EFFECTS.append(repr(result))
    return result


def where() -> str:
    """An endpoint that is not async is called in a thread, or else where others are."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return "in a thread"
    return "in the loop"


class Item(BaseModel):
    name: str
    count: int = Field(ge=0)


@plugin.mount_router()
def routes() -> APIRouter:
    router = APIRouter(tags=["probe"])

    @router.post("/probe", response_model=None)
    async def probe(request: Request):
        body = await request.json()
        headers = dict(request.headers.items())
        made = await AgentCtx.create_by_webhook(WebhookRequest(headers=headers, body=body))
        return await ACTIONS[body["do"]](made)

    @router.api_route("/plain", methods=["GET", "POST", "HEAD"])
    def plain():
        return [where()]

    @router.put("/items")
    async def items(item: Item, page: int = 1, token: str = Header("none")) -> Item:
        EFFECTS.append([item.name, page, token])
        return item

    @router.get("/stream")
    async def stream():
        return StreamingResponse((f"{n};" for n in range(3)), media_type="text/plain")

    @router.get("/background")
    async def background(tasks: BackgroundTasks):
        tasks.add_task(EFFECTS.append, "afterwards")
        return "now"

    @router.get("/background-broken")
    async def background_broken(tasks: BackgroundTasks):
        tasks.add_task(int, "x")
        return "now"

    def refused():
        raise HTTPException(401, "no", headers={"WWW-Authenticate": "Basic"})

    guarded = APIRouter(prefix="/guarded", dependencies=[Depends(refused)])

    @guarded.get("/door")
    async def door():
        return "open"

    router.include_router(guarded)
    return router
