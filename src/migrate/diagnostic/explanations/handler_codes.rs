//! RH1xx, the part about handlers: what they take, what they reply, who else uses them.

use super::page::Page;

pub(super) const UNKNOWN_DIALECT: Page = Page {
    en: "The old API existed in two forms: releases called the handler with one `AgentCtx`, the \
         document describes handlers of a FastAPI `Request`. Requests, replies and URLs differ, so \
         rehook has to know which one a handler is written for. Here neither the annotations, nor \
         what the handler does with its parameter, nor the parameter's name tells; or they \
         contradict each other. Annotate the parameter.",
    zh: "旧接口有两种形式：各发行版本调用处理函数时传入一个 `AgentCtx`，而文档描述的处理函数接收 FastAPI 的 `Request`。\
         两者的请求、响应和 URL 都不相同，因此必须知道处理函数是按哪一种编写的。\
         此处的类型注解、参数的用法和参数名都说明不了，或者彼此矛盾。请为参数添加类型注解。",
    before: r#"@plugin.mount_webhook_method("github", "GitHub")
async def on_github(data):
    await receive(data)
"#,
    after: r#"@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    await receive(_ctx)
"#,
};

pub(super) const UNKNOWN_HANDLER: Page = Page {
    en: "What is registered is not a function, method, `functools.partial` or object that rehook can \
         follow to an `async def` of this package: it is a lambda, the result of a call, something of \
         another package, or a method that an object may have replaced. Its parameters and its \
         replies are unknown, so it cannot be shown that a route would do the same. Define an \
         `async def` in this package that calls it, and put the decorator there.",
    zh: "注册的对象无法追溯到本包内的 `async def`：它不是 rehook 能看懂的函数、方法、`functools.partial` 或可调用对象，\
         而是 lambda、某次调用的结果、来自其他包的对象，或可能已被实例替换的方法。\
         由于不知道它的参数和返回值，无法证明改为路由后行为不变。\
         请在本包内定义一个调用它的 `async def` 函数，并将装饰器用在该函数上。",
    before: r#"plugin.mount_webhook_method("github", "GitHub")(lambda ctx: receive(ctx, "ci"))
"#,
    after: r#"@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    await receive(_ctx, "ci")
"#,
};

pub(super) const NOT_ASYNC: Page = Page {
    en: "The old server awaited the handler, so one that is a plain `def` or contains `yield` \
         failed at every request. FastAPI would run a plain `def` in a thread and answer with \
         success: that is not what the old URL did, and code that expects the event loop may break \
         in a thread. Make the handler an `async def` without `yield`; move blocking work to \
         `asyncio.to_thread`.",
    zh: "旧服务会对处理函数执行 await，因此普通的 `def` 函数或含有 `yield` 的函数每次请求都会失败。\
         FastAPI 则会在线程中运行普通的 `def` 函数并成功返回响应，这与旧 URL 的行为不同，\
         并且依赖事件循环的代码在线程中可能出错。请将处理函数改为不含 `yield` 的 `async def`，\
         并把阻塞操作交给 `asyncio.to_thread`。",
    before: r#"@plugin.mount_webhook_method("github", "GitHub")
def on_github(_ctx: AgentCtx):
    save(_ctx.webhook_request.body)
"#,
    after: r#"@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    await asyncio.to_thread(save, _ctx.webhook_request.body)
"#,
};

pub(super) const UNUSUAL_HANDLER: Page = Page {
    en: "Neither the old server nor FastAPI can call the handler as it is written: it is a method \
         of a class, takes `*args` or `**kwargs`, or asks for more arguments than the one \
         `AgentCtx` that it is given. FastAPI would make query parameters of the additional ones \
         and refuse requests without them. Define a function at module level that takes one \
         `_ctx: AgentCtx`, or the parameters of a FastAPI endpoint.",
    zh: "按照现在的写法，旧服务和 FastAPI 都无法正确调用该处理函数：它是类的方法、使用了 `*args` 或 `**kwargs`，\
         或者除了传入的那个 `AgentCtx` 之外还需要其他参数。FastAPI 会把多出的参数当作查询参数，并拒绝没有这些参数的请求。\
         请在模块顶层定义只接收一个 `_ctx: AgentCtx` 的函数，或使用 FastAPI 接口函数的参数。",
    before: r#"class GitHub:
    @plugin.mount_webhook_method("github", "GitHub")
    async def on_github(self, _ctx: AgentCtx):
        await self.notify(_ctx.webhook_request.body)
"#,
    after: r#"github = GitHub()


@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    await github.notify(_ctx.webhook_request.body)
"#,
};

pub(super) const UNRESOLVED_ANNOTATION: Page = Page {
    en: "FastAPI resolves the annotations of a handler's parameters when the route is made, from \
         the names at module level. This annotation uses a name that is imported only for type \
         checkers, belongs to a function around the handler, or does not exist, so the plugin would \
         fail while it is loaded. Import the name at module level. If that makes a circle of \
         imports, move the class to a module of its own. Where another decorator stands at the \
         handler, the annotations are those of the function that it returns, and resolve in the \
         module of the decorator.",
    zh: "FastAPI 在创建路由时，会用模块顶层的名称解析处理函数参数的类型注解。\
         此处注解用到的名称只在类型检查时导入、属于外层函数，或者并不存在，插件会因此在加载时出错。\
         请在模块顶层导入该名称；如果会造成循环导入，请将该类移到单独的模块中。\
         处理函数上还有其他装饰器时，生效的是装饰器所返回函数的注解，并在装饰器所在的模块中解析。",
    before: r#"from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .models import Job


@plugin.mount_webhook_method("/jobs", "Jobs")
async def start_job(request: Request, job: "Job"):
    return await enqueue(job)
"#,
    after: r#"from .models import Job


@plugin.mount_webhook_method("/jobs", "Jobs")
async def start_job(request: Request, job: Job):
    return await enqueue(job)
"#,
};

pub(super) const NOT_NATIVE: Page = Page {
    en: "With `--native`, a handler that uses its `AgentCtx` only to read the headers and the body \
         of the request is rewritten to take the `Request` itself: its reply is then what it \
         returns, only JSON bodies are understood, one that is not an object reaches it, and header \
         look-ups ignore case. This one needs the context for more, for example to send a message \
         or to hand it on, or reads it in a way that a request does not allow, or others may call \
         it with a context; so it keeps its signature and is routed with a context made from the \
         request, as without `--native`. Its behaviour stays the same; nothing has to be done.",
    zh: "使用 `--native` 时，如果处理函数只通过 `AgentCtx` 读取请求头和请求体，就会改写为直接接收 `Request`：\
         此后响应即函数的返回值，只能读取 JSON 请求体，非对象的请求体也会传给函数，查找请求头不区分大小写。\
         此处的处理函数还把上下文用于其他目的，例如发送消息或传给别的函数；或者读取方式不适用于请求对象；\
         或者别处可能会向它传入上下文。因此保留原有签名，\
         并像不使用 `--native` 时那样，带着由请求生成的上下文接入路由。行为没有变化，无需处理。",
    before: r#"@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    await message.send_text(CHAT_KEY, "A push has arrived", _ctx)
"#,
    after: r#"@webhook_route("/github", summary="GitHub")
async def on_github(_ctx: AgentCtx):
    await message.send_text(CHAT_KEY, "A push has arrived", _ctx)
"#,
};

pub(super) const REFUSED_PARAMETER: Page = Page {
    en: "FastAPI makes a field of each parameter when the route is made, which is while the plugin \
         is imported: a parameter that it refuses ends the import, and every webhook of the plugin \
         is lost. It refuses classes that pydantic knows nothing of, a `Request` that is a part of \
         another type (`Request | None`), what dependencies take of that kind, and arguments of \
         `Query(...)` and its like that do not fit the type: a bound that is not a number (`gt=\"a\"`), a \
         negative length, an `alias` that is not a string, a `pattern` with look-around or \
         backreferences, a validator that takes no value, a default inside of `Annotated`. A \
         `Callable` breaks the agent's OpenAPI document. Types of other packages, and arguments whose \
         values are not to be seen (`**options`), may be of either kind, and are left alone too.",
    zh: "创建路由时（即导入插件期间），FastAPI 会为每个参数建立字段：只要有一个参数被拒绝，导入就会中断，\
         该插件的所有 webhook 都会失效。会被拒绝的有：pydantic 无法识别的类、作为其他类型一部分的 `Request`\
         （如 `Request | None`）、依赖中的这类参数，以及 `Query(...)` 等调用中与类型不符的参数：不是数字的界限\
         （`gt=\"a\"`）、负的长度、不是字符串的 `alias`、含有环视或反向引用的 `pattern`、不接收值的校验函数、\
         写在 `Annotated` 内的默认值等。`Callable` 则会破坏 Agent 的 OpenAPI 文档。来自其他包的类型，\
         以及看不到取值的参数（`**options`）无法判断，因此也保持不变。",
    before: r#"@plugin.mount_webhook_method("/ci", "CI")
async def on_ci(request: Request | None = None, service: Service = None):
    await service.handle(await request.json())
"#,
    after: r#"@plugin.mount_webhook_method("/ci", "CI")
async def on_ci(request: Request, service: Annotated[Service, Depends(get_service)]):
    await service.handle(await request.json())
"#,
};

pub(super) const OWN_FAULT: Page = Page {
    en: "Before anything is written, the result is parsed, and a second pass looks whether something \
         is left to do in it. Here it was found wanting, which is a bug in rehook and not in the \
         plugin. The plugin stays as it is, with all that share a file with it; the others are \
         migrated. Please report it, and migrate this plugin by hand meanwhile: a webhook becomes a \
         route of the router that the plugin mounts.",
    zh: "写入之前，rehook 会先解析改写结果，并再运行一遍以确认没有遗留的改动。此处的结果未能通过检查，\
         这是 rehook 的缺陷，而不是插件的问题。该插件以及与其共用文件的插件保持原样，其他插件照常迁移。\
         请反馈此问题，在此之前请手动迁移该插件：把 webhook 改为插件所挂载路由器上的一条路由。",
    before: r#"@plugin.mount_webhook_method("github", "GitHub")
async def on_github(request: Request):
    return {"ok": True}
"#,
    after: r#"router = APIRouter()


@plugin.mount_router()
def create_router() -> APIRouter:
    return router


@router.post("/github", summary="GitHub")
async def on_github(request: Request):
    return {"ok": True}
"#,
};

pub(super) const SHARED_KEY: Page = Page {
    en: "The agent keeps plugins by their key, `author.module_name`: of two with the same key it \
         runs only one, and the routes of both would be mounted at the same place. Both are migrated, \
         except for endpoints that both have. Often one of them is a copy that was kept: move it out \
         of the repo, or name the folder that is meant.",
    zh: "Agent 按标识 `author.module_name` 管理插件：标识相同的两个插件只会运行一个，而它们的路由会挂载到同一位置。\
         两者都会迁移，但双方都有的端点除外。其中一个往往是留存的副本：请将它移出仓库，或在命令中指定要处理的文件夹。",
    before: r#"plugin = NekroPlugin("Forge", "forge", "A copy", "1.0.0", "dev", "")
"#,
    after: r#"plugin = NekroPlugin("Forge", "forge_copy", "A copy", "1.0.0", "dev", "")
"#,
};

pub(super) const TAKEN_BUILTIN: Page = Page {
    en: "The function that makes the route is written beside the plugin, and uses built-in names such \
         as `dict`, `len` and `str`. Where the module has something else of that name, also from a \
         `*` import, the function would use that instead, and fail. So the webhook stays as it is.",
    zh: "创建路由的函数会写在插件旁边，并使用 `dict`、`len`、`str` 等内置名称。\
         如果模块中有同名的其他对象（包括通过 `*` 导入的），该函数就会误用它而出错。因此该 webhook 保持原样。",
    before: r#"dict = ["word", "words"]

plugin = NekroPlugin("Words", "words", "Words", "1.0.0", "dev", "")
"#,
    after: r#"dictionary = ["word", "words"]

plugin = NekroPlugin("Words", "words", "Words", "1.0.0", "dev", "")
"#,
};
