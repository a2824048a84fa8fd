"""What the benchmarks run on: plugins as authors write them, and a large tree without any.

Everything is generated from a number, so that two runs measure the same bytes.
"""

import pathlib
import random
import shutil

REQUEST_HANDLER = '''

@plugin.mount_webhook_method("{name}", name="{title}", description="接收 {name} 的推送并转发到频道")
async def handle_{name}(request: Request):
    """校验签名，然后转发消息"""
    body = await request.body()
    signature = request.headers.get("x-signature-256", "")
    expected = hmac.new(config.secret.encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature):
        # 签名不对：不透露更多信息
        return {{"error": "签名无效"}}, 401
    try:
        data = json.loads(body)
    except ValueError:
        return {{"error": "请求体不是合法的 JSON"}}, 400
    event = data.get("event", "unknown")
    if event not in EVENTS:
        return {{"status": "ignored", "event": event}}, 202
    await deliver(data.get("chat_key", ""), f"收到 {{event}} 事件")
    return {{"status": "ok", "event": event}}
'''

CONTEXT_HANDLER = '''

@plugin.mount_webhook_method(endpoint="{name}", name="{title}", description="按频道转发 {name} 的通知")
async def handle_{name}(_ctx: AgentCtx):
    """按旧接口处理推送"""
    request = _ctx.webhook_request
    signature = request.headers.get("x-signature-256", "")
    if not hmac.compare_digest(signature, config.secret):
        logger.warning("签名无效：{{}}", signature[:8])
        return
    data = request.body or {{}}
    lines = [f"收到 {name} 推送"]
    for key, value in sorted(data.items()):
        lines.append(f"{{key}}: {{value}}")  # 逐项列出，方便核对
    await message.push_system(chat_key=data.get("chat_key", ""), agent_messages="\\n".join(lines), ctx=_ctx)
'''

HEAD = '''"""{title}：把外部服务的推送转发到聊天频道。

由作者维护；配置项见下方的 Config。
"""

import asyncio
import hashlib
import hmac
import json
from typing import Any, Dict, List, Optional

from fastapi import Request
from pydantic import Field

from nekro_agent.api import core, message
from nekro_agent.api.plugin import ConfigBase, NekroPlugin, SandboxMethodType
from nekro_agent.api.schemas import AgentCtx
from nekro_agent.core.logger import logger

plugin = NekroPlugin(
    name="{title}",
    module_name="{module}",
    description="转发推送到频道",
    version="0.1.{number}",
    author="author{number}",
    url="https://example.com/{module}",
)

# 支持的事件
EVENTS = ("push", "issue", "release", "ping")


@plugin.mount_config()
class Config(ConfigBase):
    """插件配置"""

    secret: str = Field(default="", title="密钥", json_schema_extra={{"is_secret": True}})
    retries: int = Field(default=3, title="重试次数")
    channels: List[str] = Field(default_factory=list, title="推送的频道")


config: Config = plugin.get_config(Config)


async def deliver(chat_key: str, text: str) -> bool:
    """把一条消息发到频道，失败时重试"""
    for attempt in range(config.retries):
        try:
            await message.send_text(chat_key, text)
        except OSError as error:
            logger.error(f"第 {{attempt + 1}} 次发送失败：{{error}}")
            await asyncio.sleep(2**attempt)
        else:
            return True
    return False
'''

HELPER = '''

def format_{name}(data: Dict[str, Any], limit: Optional[int] = None) -> str:
    """把数据整理成几行文字"""
    parts: List[str] = []
    for key, value in data.items():
        if isinstance(value, dict):
            parts.extend(f"{{key}}.{{inner}} = {{value[inner]!r}}" for inner in sorted(value))
        elif isinstance(value, (list, tuple)):
            parts.append(f"{{key}}: {{len(value)}} 项")
        else:
            parts.append(f"{{key}}: {{value}}")
    # 太长的内容会被平台拒绝
    if limit is not None and len(parts) > limit:
        parts = [*parts[:limit], f"……还有 {{len(parts) - limit}} 项"]
    return "\\n".join(parts)
'''


def plugin(number: int, webhooks: int | None = None) -> str:
    """The source of a plugin: 80 to 200 lines, or as many as `webhooks` registrations take."""
    choose = random.Random(number)
    title = f"推送插件 {number}"
    text = HEAD.format(title=title, module=f"push_{number}", number=number)
    for index in range(choose.randint(0, 3) if webhooks is None else 0):
        text += HELPER.format(name=f"part_{index}")
    for index in range(choose.randint(2, 4) if webhooks is None else webhooks):
        handler = choose.choice((REQUEST_HANDLER, CONTEXT_HANDLER))
        text += handler.format(name=f"hook_{number}_{index}", title=f"{title} 的第 {index} 个入口")
    return text


def plugins(folder: pathlib.Path, count: int) -> None:
    """`count` plugins of one file each, a hundred to a folder."""
    for number in range(count):
        group = folder / f"group_{number // 100:03}"
        group.mkdir(parents=True, exist_ok=True)
        (group / f"push_{number}.py").write_text(plugin(number), encoding="utf-8")


def package(folder: pathlib.Path, count: int) -> None:
    """`count` plugins in one package."""
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("", encoding="utf-8")
    for number in range(count):
        (folder / f"push_{number}.py").write_text(plugin(number), encoding="utf-8")


def spread(folder: pathlib.Path, count: int) -> None:
    """One plugin whose `count` webhooks are in modules of their own."""
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(
        HEAD.format(title="大插件", module="spread", number=0), encoding="utf-8"
    )
    for number in range(count):
        text = "import hmac\nimport json\nimport hashlib\n\nfrom fastapi import Request\n\n"
        text += "from . import EVENTS, config, deliver, plugin\n"
        text += REQUEST_HANDLER.format(name=f"hook_{number}", title=f"第 {number} 个入口")
        (folder / f"hook_{number}.py").write_text(text, encoding="utf-8")


def tree_without_webhooks(folder: pathlib.Path, packages: pathlib.Path, count: int) -> None:
    """`count` Python files of installed packages, all but the agent's own plugins; packages are
    taken again under another name until there are enough."""
    sources = [
        path
        for path in sorted(packages.rglob("*.py"))
        if path.is_file() and b"mount_webhook_method" not in path.read_bytes()
    ]
    for number in range(count):
        copy, index = divmod(number, len(sources))
        source = sources[index]
        # Neither tool is to skip a folder that the other enters.
        relative = [part.lstrip(".") for part in source.relative_to(packages).parts]
        target = folder / f"copy_{copy}" / pathlib.Path(*relative)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
