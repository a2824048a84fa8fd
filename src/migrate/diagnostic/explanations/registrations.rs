//! RH1xx, the part about registrations: plugins, endpoints, routers, and where they stand.

use super::page::Page;

pub(super) const UNKNOWN_PLUGIN: Page = Page {
    en: "The webhook is registered on something of which the source does not show that it is a \
         plugin, or which one: the result of a function, an argument, an object from a package \
         outside this repo. The URL of the new route contains the key of the plugin, so the plugin \
         has to be known. Import the name that `NekroPlugin(...)` is assigned to, and register on \
         that.",
    zh: "从源代码看不出注册 webhook 的这个对象是不是插件，或是哪个插件：它可能是函数的返回值、参数，\
         或来自本仓库之外的包。新路由的 URL 中含有插件标识，因此必须知道是哪个插件。\
         请导入由 `NekroPlugin(...)` 赋值的变量，并在它上面注册。",
    before: r#"from .registry import get_plugin

plugin = get_plugin()


@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)
"#,
    after: r#"from .plugin import plugin


@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)
"#,
};

pub(super) const UNKNOWN_PLUGIN_KEY: Page = Page {
    en: "The key of a plugin is `author.module_name`, from the arguments of `NekroPlugin(...)`. One \
         of them is computed while the program runs, so neither the old nor the new URLs of the \
         plugin can be stated, and the route map would be wrong. Write both as string literals, or \
         as constants of this package.",
    zh: "插件标识的形式为 `author.module_name`，取自 `NekroPlugin(...)` 的参数。其中某个参数要到运行时才能确定，\
         因此无法给出该插件的新旧 URL，路由表也就无从写起。请将两者写成字符串字面量，或本包内的常量。",
    before: r#"plugin = NekroPlugin(
    name="GitHub",
    module_name=os.environ["PLUGIN_NAME"],
    description="Tells a chat about pushes",
    version="0.1.0",
    author="dev",
    url="https://example.com/github",
)
"#,
    after: r#"plugin = NekroPlugin(
    name="GitHub",
    module_name="github",
    description="Tells a chat about pushes",
    version="0.1.0",
    author="dev",
    url="https://example.com/github",
)
"#,
};

pub(super) const UNKNOWN_ENDPOINT: Page = Page {
    en: "The endpoint is neither a literal nor a constant that can be followed to its value, so \
         the path of the route and the old URL are unknown. Literals, joined strings, f-strings of \
         constants, and constants of this or another module of the repo are understood; settings, \
         environment variables and results of functions are not. Write the endpoint as a constant.",
    zh: "端点既不是字面量，也不是能够追溯到取值的常量，因此无法得知路由的路径和旧的 URL。\
         字面量、拼接的字符串、由常量组成的 f-string，以及本模块或仓库内其他模块的常量都可以识别；\
         配置项、环境变量和函数的返回值则不行。请将端点写成常量。",
    before: r#"@plugin.mount_webhook_method(os.getenv("ENDPOINT", "github"), "GitHub")
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)
"#,
    after: r#"@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)
"#,
};

pub(super) const UNUSABLE_ENDPOINT: Page = Page {
    en: "The endpoint contains `{` or `}`, which a route takes for a parameter. In the request dialect \
         that is what the document means too: the webhook becomes such a route where the handler has \
         an argument of that name, of a type that a piece of a path can have, and there is one \
         parameter at most between two `/`. In the context dialect the old server compared the \
         endpoint as plain text, and no spelling of a route gives exactly that path. Give the handler \
         the argument, or choose an endpoint without braces and give the senders the new URL. The same \
         holds where the new URL would leave `/plugins/`: a segment `.` or `..`, also encoded, which \
         clients and servers resolve in different ways; and where it has control characters.",
    zh: "端点中含有 `{` 或 `}`，路由会把它们视为路径参数。对于 request 接口，文档的本意也是如此：\
         只要处理函数有同名参数、其类型可以取自路径，且两个 `/` 之间至多有一个参数，该 webhook 就会成为这样的路由。\
         对于 context 接口，旧服务把端点当作普通文本比较，没有任何路由写法能得到完全相同的路径。\
         请为处理函数添加该参数，或改用不含花括号的端点，并把新的 URL 告知发送方。\
         新 URL 会超出 `/plugins/`（含 `.` 或 `..` 路径段，包括编码后的，客户端与服务器对它们的处理并不一致），\
         或含有控制字符时，同样如此。",
    before: r#"@plugin.mount_webhook_method("/{team}/push", "Push")
async def on_push(request: Request):
    return await receive(request)
"#,
    after: r#"@plugin.mount_webhook_method("/{team}/push", "Push")
async def on_push(team: str, request: Request):
    return await receive(request)
"#,
};

pub(super) const UNUSUAL_ARGUMENTS: Page = Page {
    en: "The call of `mount_webhook_method` is not of the form (endpoint, name, description): its \
         arguments are unpacked with `*` or `**`, the endpoint is missing, an argument is given \
         twice, or there is one that the method does not have. rehook moves each argument to its \
         place in the route, and has to see them one by one. Write them out.",
    zh: "对 `mount_webhook_method` 的调用不符合 endpoint、name、description 的形式：\
         参数以 `*` 或 `**` 展开传入、缺少 endpoint、有参数重复，或者出现了该方法没有的参数。\
         rehook 要把每个参数移到路由中的对应位置，必须能逐个看到它们。请将参数逐一写明。",
    before: r#"HOOK = {"endpoint": "github", "name": "GitHub"}


@plugin.mount_webhook_method(**HOOK)
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)
"#,
    after: r#"@plugin.mount_webhook_method(endpoint="github", name="GitHub")
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)
"#,
};

pub(super) const LATE_REGISTRATION: Page = Page {
    en: "Webhooks could be registered at any time. Routes are collected once, after all plugins \
         have loaded and their init methods have run; what joins the router later is not served. \
         This registration stands in a function, and it cannot be seen that the function runs \
         exactly once before that moment. Move the registration to module level, or into a \
         function that is called there once; a switch that decides whether the webhook is active \
         belongs in the handler.",
    zh: "webhook 可以随时注册，路由则只收集一次：在所有插件加载完成、各自的初始化方法执行之后；此后加入的路由不会生效。\
         此处的注册位于函数之中，无法看出该函数会在那之前恰好执行一次。\
         请把注册移到模块顶层，或移到在模块顶层只调用一次的函数中；如果需要控制是否启用，请在处理函数内判断。",
    before: r#"def enable_github():
    @plugin.mount_webhook_method("github", "GitHub")
    async def on_github(_ctx: AgentCtx):
        await notify(_ctx.webhook_request.body)
"#,
    after: r#"github_enabled = False


@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    if github_enabled:
        await notify(_ctx.webhook_request.body)
"#,
};

pub(super) const UNKNOWN_ORDER: Page = Page {
    en: "The endpoint is registered more than once, or in a loop whose turns cannot all be seen (a loop \
         over literals is understood). In the old API the last \
         registration of a plugin counted, in a router the first of two equal routes does; so only \
         the last one may become a route. Which one that is depends on a condition or on the order \
         in which modules are imported. The same holds where an attribute of the plugin is looked up by \
         a name that cannot be known, which may be the method's: write that name out. Keep one \
         registration, and decide inside its handler.",
    zh: "该端点被注册了不止一次，或者是在无法看清每一轮的循环中注册的（遍历字面量的循环可以看懂）。在旧接口中，同一插件的最后一次注册生效；\
         而在路由器中，两条相同的路由以先加入的为准，因此只有最后一次注册应当成为路由。\
         此处哪一次在最后，取决于某个条件或模块的导入顺序。如果以无法确定的名称获取插件的属性，\
         也是如此：获取到的可能正是注册方法，请直接写出属性名。请只保留一个注册，并在其处理函数内部判断。",
    before: r#"@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)


if VERBOSE:

    @plugin.mount_webhook_method("github", "GitHub, verbose")
    async def on_github_verbose(_ctx: AgentCtx):
        await notify_all(_ctx.webhook_request.body)
"#,
    after: r#"@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    if VERBOSE:
        await notify_all(_ctx.webhook_request.body)
    else:
        await notify(_ctx.webhook_request.body)
"#,
};

pub(super) const PATH_TAKEN: Page = Page {
    en: "The path that the webhook would get is served by the plugin's own router already. Old \
         webhooks and routes had different URLs, so there was no conflict before; in one router \
         only the first of two equal routes answers. Which of the two keeps the path is for the \
         author to decide. Rename one of them: other programs may call the existing route, and the \
         senders of the webhook still use its old URL. The same holds where the router goes to code \
         whose routes cannot be read, as a function of another package: add the routes, or include \
         that router with a prefix, where rehook sees it.",
    zh: "webhook 迁移后的路径已被插件自己的路由占用。以往 webhook 与路由的 URL 不同，互不冲突；\
         而在同一个路由器中，两条相同的路由只有先加入的那条会响应。保留哪一条应由作者决定。\
         请为其中之一更换路径，同时注意：现有路由可能有其他程序在调用，而 webhook 的发送方用的还是旧的 URL。\
         如果路由器被交给了无法读到其路由的代码（例如其他包中的函数），也是如此：\
         请在 rehook 能看到的地方添加路由，或带前缀包含那个路由器。",
    before: r#"@router.post("/github")
async def import_repo(repo: Repo):
    return await start_import(repo)


@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)
"#,
    after: r#"@router.post("/github/import")
async def import_repo(repo: Repo):
    return await start_import(repo)


@webhook_route("/github", summary="GitHub")
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)
"#,
};

pub(super) const UNKNOWN_ROUTER: Page = Page {
    en: "The plugin has a `@plugin.mount_router()` function, and a plugin can have only one: a \
         second would replace the first, and its routes would be gone. The webhooks therefore have \
         to join the router that this function returns, but it cannot be seen where that router is \
         made. Make an `APIRouter` in the function and include the other in it; then run rehook \
         again. The same holds where the method is used in a way that cannot be followed: by \
         another name, on a parameter, in a branch or a loop. Write the decorator above a function \
         at module level then.",
    zh: "插件已经有一个 `@plugin.mount_router()` 函数，而每个插件只能有一个：再注册一个会取代它，原有的路由就会丢失。\
         因此 webhook 的路由必须并入该函数返回的路由器，但看不出这个路由器是在哪里创建的。\
         请在该函数中创建 `APIRouter` 并把原来的路由器包含进去，再重新运行 rehook。\
         如果以无法追踪的方式使用该方法（另起名称、通过参数、在分支或循环中使用），也是如此：\
         请改为在模块顶层的函数上直接使用该装饰器。",
    before: r#"@plugin.mount_router()
def create_router():
    return ROUTERS[settings.api_version]()
"#,
    after: r#"@plugin.mount_router()
def create_router() -> APIRouter:
    router = APIRouter()
    router.include_router(ROUTERS[settings.api_version]())
    return router
"#,
};

pub(super) const NOT_A_REGISTRATION: Page = Page {
    en: "The code mentions `mount_webhook_method` or `webhook_methods` without registering a \
         function there: it gives the method another name, looks it up by a string, passes it on, \
         or reads the table of registered webhooks. What is registered through it cannot be seen, \
         and once the webhooks are routes the table is empty: where a reply may show what is in it, \
         the webhooks of that plugin stay. Use the decorator where the handler \
         is defined; whatever reads the table should ask the router for its routes.",
    zh: "代码提到了 `mount_webhook_method` 或 `webhook_methods`，但没有在此注册函数：\
         例如给该方法另起名称、用字符串获取它、把它传给别处，或者读取已注册 webhook 的表。\
         经由它注册了什么无从得知，而在 webhook 改为路由之后，这张表将是空的：如果某处响应可能会列出其中的内容，该插件的 webhook 就保持原样。\
         请在定义处理函数的位置直接使用装饰器；读取该表的代码应改为查询路由器中的路由。",
    before: r#"register = plugin.mount_webhook_method


@register("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)
"#,
    after: r#"@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)
"#,
};

pub(super) const PLUGIN_NOT_AT_MODULE_LEVEL: Page = Page {
    en: "The router and its `@plugin.mount_router()` function are put beside the plugin, at module \
         level, where every handler can reach them. This plugin is made inside a function or a \
         class, so there is no such place. Nekro Agent itself looks for an attribute `plugin` of \
         the module. Assign `NekroPlugin(...)` to that name at module level.",
    zh: "路由器及其 `@plugin.mount_router()` 函数要写在插件实例旁边，即模块顶层，这样每个处理函数才能引用到。\
         该插件是在函数或类的内部创建的，没有这样的位置；况且 Nekro Agent 本身也是从模块的 `plugin` 属性获取插件的。\
         请在模块顶层将 `NekroPlugin(...)` 赋值给 `plugin`。",
    before: r#"def make_plugin() -> NekroPlugin:
    plugin = NekroPlugin(name="GitHub", module_name="github", author="dev")

    @plugin.mount_webhook_method("github", "GitHub")
    async def on_github(_ctx: AgentCtx):
        await notify(_ctx.webhook_request.body)

    return plugin
"#,
    after: r#"plugin = NekroPlugin(name="GitHub", module_name="github", author="dev")


@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)
"#,
};

pub(super) const ENDPOINTS_COLLIDE: Page = Page {
    en: "Two different endpoints of the plugin, such as `github` and `/github`, lead to one path: a \
         route's path is `/` and the endpoint without its leading `/`. Each had a handler of its \
         own; in one router only the first of two equal routes answers. Give one of them another \
         endpoint, or remove it if nobody calls it.",
    zh: "路由的路径由 `/` 加上去掉开头 `/` 的端点组成，因此该插件的两个不同 endpoint（例如 `github` 与 `/github`）\
         会得到同一路径。它们原本各有处理函数，而在同一个路由器中，两条相同的路由只有先加入的那条会响应。\
         请为其中之一更换端点；如果已无人调用，则将其删除。",
    before: r#"@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)


@plugin.mount_webhook_method("/github", "GitHub Enterprise")
async def on_enterprise(_ctx: AgentCtx):
    await notify_team(_ctx.webhook_request.body)
"#,
    after: r#"@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)


@plugin.mount_webhook_method("github-enterprise", "GitHub Enterprise")
async def on_enterprise(_ctx: AgentCtx):
    await notify_team(_ctx.webhook_request.body)
"#,
};
