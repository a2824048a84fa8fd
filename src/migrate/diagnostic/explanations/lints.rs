//! RH3xx and RH4xx: advice about security, and about answering in time.

use super::page::Page;

pub(super) const NO_AUTHENTICATION: Page = Page {
    en: "Nothing in the handler looks at a signature, a token or the sender's address. There is no \
         login in front of a plugin's routes, so whoever knows the URL can call it. Most senders \
         sign the body with a shared secret; verify that signature over the raw bytes before \
         anything else, and refuse when no secret is set. This is advice: it neither stops the \
         migration nor changes the exit code.",
    zh: "处理函数中没有任何对签名、令牌或来源地址的校验。插件的路由前面没有登录验证，任何知道 URL 的人都可以调用。\
         大多数发送方会用共享密钥对请求体签名，请在执行其他操作之前对原始字节校验该签名，并在没有设置密钥时拒绝请求。\
         这是一条建议，不会妨碍迁移，也不影响退出码。",
    before: r#"@router.post("/github", summary="GitHub")
async def on_github(request: Request):
    await notify(await request.json())
"#,
    after: r#"@router.post("/github", summary="GitHub")
async def on_github(request: Request):
    secret = config.GITHUB_SECRET.encode()
    digest = hmac.new(secret, await request.body(), hashlib.sha256).hexdigest()
    signature = request.headers.get("x-hub-signature-256", "")
    if not secret or not hmac.compare_digest(
        signature.encode(), f"sha256={digest}".encode()
    ):
        raise HTTPException(status_code=403, detail="Invalid signature")
    await notify(await request.json())
"#,
};

pub(super) const SECRET_IN_SOURCE: Page = Page {
    en: "A secret that stands in the source is known to everyone who can read the repo or the \
         installed plugin, and stays in the history of the repo when it is removed. Read it from a \
         setting that is marked `is_secret`. Replace the secret at the sender too: the old one has \
         to be taken for known.",
    zh: "写在源代码中的密钥，凡是能读到仓库或已安装插件的人都看得到；即使删除，它仍会留在仓库的历史记录中。\
         请改为从标记了 `is_secret` 的配置项中读取，并在发送方一侧更换密钥：旧的密钥应视为已经泄露。",
    before: r#"WEBHOOK_SECRET = "8f3c0b6d52e94a17"
"#,
    after: r#"@plugin.mount_config()
class HookConfig(ConfigBase):
    WEBHOOK_SECRET: str = Field(
        default="",
        title="Webhook secret",
        json_schema_extra=ExtraField(is_secret=True).model_dump(),
    )
"#,
};

pub(super) const UNSAFE_COMPARISON: Page = Page {
    en: "`==` stops at the first character that differs, so the time that it takes tells a caller \
         how much of a guess was right. Over many requests a token or signature can be found out in \
         that way. `hmac.compare_digest` always takes the same time. Give it bytes: with text it \
         fails on characters outside ASCII.",
    zh: "`==` 遇到第一个不同的字符就会停止，因此调用方可以从耗时推断猜对了多少，经过大量请求就可能试出令牌或签名。\
         `hmac.compare_digest` 的耗时与内容无关。请传入字节串：传入文本时，遇到 ASCII 以外的字符会出错。",
    before: r#"if token != config.TOKEN:
    raise HTTPException(status_code=403, detail="Invalid token")
"#,
    after: r#"if not hmac.compare_digest(token.encode(), config.TOKEN.encode()):
    raise HTTPException(status_code=403, detail="Invalid token")
"#,
};

pub(super) const RESERIALIZED_SIGNATURE: Page = Page {
    en: "The sender signs the bytes that it sends. JSON that is parsed and written again has other \
         spaces, another order or other escapes, so the signature over it does not match and \
         genuine requests are refused. The bytes as received are only in the `Request`, not in an \
         `AgentCtx`: let the route take the `Request` and verify `await request.body()`.",
    zh: "发送方是对它发出的字节签名的。JSON 经过解析再重新序列化，空格、顺序或转义都可能不同，\
         由此算出的签名便无法匹配，真实的请求也会被拒绝。收到的原始字节只能从 `Request` 中取得，`AgentCtx` 中没有：\
         请让路由的处理函数接收 `Request`，并对 `await request.body()` 校验签名。",
    before: r#"@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    signature = _ctx.webhook_request.headers.get("x-hub-signature-256", "")
    if not is_signed(json.dumps(_ctx.webhook_request.body).encode(), signature):
        raise HTTPException(status_code=403, detail="Invalid signature")
    await notify(_ctx.webhook_request.body)
"#,
    after: r#"@router.post("/github", summary="GitHub")
async def on_github(request: Request):
    signature = request.headers.get("x-hub-signature-256", "")
    if not is_signed(await request.body(), signature):
        raise HTTPException(status_code=403, detail="Invalid signature")
    await notify(await request.json())
"#,
};

pub(super) const MIXED_CASE_HEADER: Page = Page {
    en: "`_ctx.webhook_request.headers` is a plain dict whose keys are in lower case, so a name with \
         capitals is never found. If a signature is looked up in this way, every request seems to \
         have none. The `headers` of a `Request` ignore case and do not have this fault. rehook \
         does not change the lookup, since correcting it changes what the handler does.",
    zh: "`_ctx.webhook_request.headers` 是普通字典，键全部为小写，因此含有大写字母的名称永远查不到。\
         如果这样查找签名，每个请求看起来都没有签名。`Request` 的 `headers` 不区分大小写，没有这个问题。\
         rehook 不会改动此处的查找，因为改正它会改变处理函数的行为。",
    before: r#"headers = _ctx.webhook_request.headers
signature = headers.get("X-Hub-Signature-256", "")
"#,
    after: r#"headers = _ctx.webhook_request.headers
signature = headers.get("x-hub-signature-256", "")
"#,
};

pub(super) const SETTING_NOT_SECRET: Page = Page {
    en: "The name of the setting says that it holds a secret, a token or a password, but it is not \
         marked `is_secret`. Nekro Agent then treats it as an ordinary setting and does not hide its \
         value. Add the mark; if the setting holds nothing secret, a clearer name avoids the \
         question.",
    zh: "从名称看，该配置项保存的是密钥、令牌或密码，却没有标记 `is_secret`。\
         Nekro Agent 会把它当作普通配置项，不会隐藏其内容。请添加该标记；如果其中并无机密，换一个更明确的名称即可避免误会。",
    before: r#"class HookConfig(ConfigBase):
    WEBHOOK_SECRET: str = Field(default="", title="Webhook secret")
"#,
    after: r#"class HookConfig(ConfigBase):
    WEBHOOK_SECRET: str = Field(
        default="",
        title="Webhook secret",
        json_schema_extra=ExtraField(is_secret=True).model_dump(),
    )
"#,
};

pub(super) const BLOCKING_CALL: Page = Page {
    en: "An `async def` shares one thread with the whole agent. A call that waits without `await`, \
         such as `time.sleep` or `requests.get`, stops everything else for as long as it takes: \
         other webhooks, chats and timers. Use the asynchronous counterpart (`asyncio.sleep`, \
         `httpx.AsyncClient`), or run the call in a thread with `asyncio.to_thread`.",
    zh: "`async def` 函数与整个 Agent 共用一个线程。`time.sleep`、`requests.get` 这类不经 `await` 的等待，\
         会让其他一切（别的 webhook、会话和定时任务）随之停顿。请使用对应的异步写法（`asyncio.sleep`、`httpx.AsyncClient`），\
         或者用 `asyncio.to_thread` 在线程中执行该调用。",
    before: r#"async def fetch_report(url: str) -> dict:
    return requests.get(url, timeout=10).json()
"#,
    after: r#"async def fetch_report(url: str) -> dict:
    async with httpx.AsyncClient(timeout=10) as client:
        response = await client.get(url)
    return response.json()
"#,
};

pub(super) const SLOW_REPLY: Page = Page {
    en: "The sender waits until the handler has returned. GitHub, for example, gives up after ten \
         seconds and does not deliver again by itself; other senders repeat the request, and the \
         work is done twice. Answer at once, and do the slow part afterwards: `BackgroundTasks` \
         start when the reply has been sent.",
    zh: "在处理函数返回之前，发送方会一直等待。例如 GitHub 等待十秒后便放弃，且不会自动重新投递；\
         有的发送方则会重发请求，导致工作重复执行。请立即返回响应，把耗时部分放到之后：`BackgroundTasks` 会在响应发出后才开始执行。",
    before: r#"@router.post("/report", summary="Report")
async def on_report(request: Request):
    await build_report(await request.json())
    return {"status": "done"}
"#,
    after: r#"@router.post("/report", summary="Report", status_code=202)
async def on_report(request: Request, tasks: BackgroundTasks):
    tasks.add_task(build_report, await request.json())
    return {"status": "accepted"}
"#,
};

pub(super) const UNKEPT_TASK: Page = Page {
    en: "The event loop keeps only weak references to tasks. A task that `asyncio.create_task` \
         returns and nobody keeps can be removed by the garbage collector before it is done; the \
         work then stops without a message. Keep the task in a set until it is done, or use \
         `BackgroundTasks`, which does that for you.",
    zh: "事件循环只持有任务的弱引用。如果没有保存 `asyncio.create_task` 返回的任务，它可能在完成之前就被垃圾回收，\
         工作会无声无息地中断。请在任务完成之前将其保存在集合中，或者使用 `BackgroundTasks`，它会代为保存。",
    before: r#"asyncio.create_task(build_report(payload))
"#,
    after: r#"task = asyncio.create_task(build_report(payload))
running.add(task)
task.add_done_callback(running.discard)
"#,
};
