//! RH2xx: what the document of the old API names and no release with dynamic routes has.

use super::page::Page;

pub(super) const DOCUMENT_API: Page = Page {
    en: "The document of the old API uses names that no release with dynamic routes has: the \
         module `nekro_agent.api.context` with `create_temp_ctx`, and `plugin.config`. A plugin \
         that imports that module does not load at all. rehook replaces the usual forms by itself; \
         this use is of another form, for example passed on as a value or with other arguments. \
         Replace it by hand: `create_temp_ctx(chat_key)` by \
         `AgentCtx.create_by_chat_key(chat_key)`, and `plugin.config.X` by \
         `plugin.get_config().X`.",
    zh: "旧接口的文档用到了一些名称，而支持动态路由的版本中都没有它们：模块 `nekro_agent.api.context`\
         （及其中的 `create_temp_ctx`）和 `plugin.config`。导入了该模块的插件根本无法加载。\
         常见的写法 rehook 会自动替换，此处的写法则有所不同，例如把函数当作值传递，或者使用了别的参数。\
         请手动替换：`create_temp_ctx(chat_key)` 改为 `AgentCtx.create_by_chat_key(chat_key)`，\
         `plugin.config.X` 改为 `plugin.get_config().X`。",
    before: r#"from nekro_agent.api import context, message

make_ctx = context.create_temp_ctx


async def notify(text: str):
    chat_key = plugin.config.CHAT_KEY
    await message.send_text(chat_key, text, await make_ctx(chat_key))
"#,
    after: r#"from nekro_agent.api import message
from nekro_agent.api.schemas import AgentCtx


async def notify(text: str):
    chat_key = plugin.get_config().CHAT_KEY
    ctx = await AgentCtx.create_by_chat_key(chat_key)
    await message.send_text(chat_key, text, ctx)
"#,
};

pub(super) const NO_CONFIG_CLASS: Page = Page {
    en: "The code reads a setting from `plugin.config`, as the document shows, but the plugin \
         registers no configuration class. `plugin.get_config()`, which takes the place of \
         `plugin.config`, returns the settings of the class that is registered with \
         `@plugin.mount_config()`. rehook has written it, and the setting is missing as it was before. \
         What the settings are, and their defaults, only the author knows: add the class.",
    zh: "代码按照文档的写法从 `plugin.config` 读取配置项，但插件没有注册配置类。\
         取代 `plugin.config` 的 `plugin.get_config()` 返回的是用 `@plugin.mount_config()` 注册的配置，\
         rehook 已经替换了写法，但配置项和以前一样不存在。有哪些配置项、默认值是什么，只有作者清楚，请补上配置类。",
    before: r#"@plugin.mount_webhook_method("alert", "Alert")
async def on_alert(_ctx: AgentCtx):
    await notify(plugin.config.CHAT_KEY, _ctx.webhook_request.body)
"#,
    after: r#"@plugin.mount_config()
class AlertConfig(ConfigBase):
    CHAT_KEY: str = Field(default="", title="Chat to notify")


@webhook_route("/alert", summary="Alert")
async def on_alert(_ctx: AgentCtx):
    await notify(plugin.get_config().CHAT_KEY, _ctx.webhook_request.body)
"#,
};
