//! RH0xx: files that cannot be read, or not be written.

use super::page::Page;

pub(super) const UNREADABLE: Page = Page {
    en: "The system did not let rehook read the file: it is gone, or you have no permission to \
         read it. It was skipped, and nothing in it was migrated. Constants, handlers and plugins \
         that other files import from it are unknown as well, so those files may need manual changes \
         for that reason alone. Make the file readable and run rehook again; what has been \
         migrated by then stays as it is.",
    zh: "系统不允许读取该文件：文件已不存在，或者您没有读取权限。该文件已被跳过，其中的内容都没有迁移。\
         其他文件从中导入的常量、处理函数和插件也就无从得知，那些文件可能仅仅因此而需要手动处理。\
         请恢复读取权限后重新运行 rehook，已经迁移的部分不会受影响。",
    before: r#"# endpoints.py cannot be read, so the value of GITHUB is unknown here
from .endpoints import GITHUB
from .plugin import plugin


@plugin.mount_webhook_method(GITHUB, "GitHub")
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)
"#,
    after: r#"# endpoints.py can be read
from .endpoints import GITHUB
from .plugin import webhook_route


@webhook_route(f"/{GITHUB}", summary="GitHub")
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)
"#,
};

pub(super) const SYNTAX_ERROR: Page = Page {
    en: "The file could not be parsed at the place that is named, so it was skipped; the other \
         files were handled all the same. Python could not import the file either, which means \
         that the plugin does not load. Correct the error (often it is a bracket or a quote that \
         is missing a little before the place) and run rehook again. All syntax up to Python 3.12 \
         is understood.",
    zh: "文件在所示位置无法解析，因此已被跳过，其他文件照常处理。Python 同样无法导入该文件，也就是说插件本来就加载不了。\
         请修正错误后重新运行 rehook；出错的原因往往是所示位置稍前的地方漏了括号或引号。\
         Python 3.12 及更早版本的语法均可识别。",
    before: r#"@plugin.mount_webhook_method("github", "GitHub"
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)
"#,
    after: r#"@plugin.mount_webhook_method("github", "GitHub")
async def on_github(_ctx: AgentCtx):
    await notify(_ctx.webhook_request.body)
"#,
};

pub(super) const PYTHON_2: Page = Page {
    en: "The file uses syntax that only Python 2 has, such as `print` without brackets or \
         `except Error, e`. Nekro Agent runs on Python 3.11 or 3.12 and cannot import such a \
         file. It was skipped. If it is part of a plugin, bring it to Python 3 and run rehook \
         again; if it is not, nothing needs to be done.",
    zh: "文件使用了只有 Python 2 才有的语法，例如不带括号的 `print` 或 `except Error, e`。\
         Nekro Agent 运行在 Python 3.11 或 3.12 上，无法导入这样的文件，因此已将其跳过。\
         如果它是插件的一部分，请改写为 Python 3 后重新运行 rehook；如果不是，则无需处理。",
    before: r#"async def on_github(_ctx):
    try:
        await notify(_ctx.webhook_request.body)
    except ValueError, error:
        print "not sent:", error
"#,
    after: r#"async def on_github(_ctx):
    try:
        await notify(_ctx.webhook_request.body)
    except ValueError as error:
        print("not sent:", error)
"#,
};

pub(super) const NULL_BYTE: Page = Page {
    en: "Python source may not contain null bytes. They come from a damaged file, from a file \
         that was saved as UTF-16, or from a control character that was typed into a string. The \
         file was skipped. Save it as UTF-8; where a null character is meant, write the escape \
         `\\0`.",
    zh: "Python 源代码中不允许出现空字节。它可能来自损坏的文件、以 UTF-16 保存的文件，或者直接写进字符串的控制字符。\
         该文件已被跳过。请将文件另存为 UTF-8；如果确实需要空字符，请使用转义序列 `\\0`。",
    before: r#"SEPARATOR = "␀"  # ␀ stands for the null byte
"#,
    after: r#"SEPARATOR = "\0"
"#,
};

pub(super) const NOT_UTF_8: Page = Page {
    en: "Python reads a source file as UTF-8 unless one of its first two lines declares another \
         encoding. This file has bytes that are not UTF-8 and declares nothing, so Python refuses \
         it and rehook skipped it. Guessing the encoding could damage the text. Save the file as \
         UTF-8, or declare the encoding that it has; rehook then keeps that encoding.",
    zh: "除非文件前两行声明了其他编码，否则 Python 一律按 UTF-8 读取源文件。该文件含有不符合 UTF-8 的字节，又没有声明编码，\
         Python 会拒绝它，rehook 也已将其跳过；若靠猜测来确定编码，则可能损坏文本。\
         请将文件另存为 UTF-8，或者声明它实际使用的编码，rehook 会沿用该编码。",
    before: r#"GREETING = "已收到"  # saved as GBK
"#,
    after: r#"# -*- coding: gbk -*-
GREETING = "已收到"  # saved as GBK
"#,
};

pub(super) const WRONG_ENCODING: Page = Page {
    en: "The encoding that the first two lines declare is not the one that the file is written \
         in, or is not known, or could not be written back without changing bytes that have \
         nothing to do with the migration. The file was skipped, since its text cannot be trusted. \
         Correct the declaration, or save the file as UTF-8 and remove it.",
    zh: "文件前两行声明的编码与实际编码不一致，或者无法识别，或者按该编码写回时会改动与迁移无关的字节。\
         由于读出的文本不可信，该文件已被跳过。请修正编码声明，或者将文件另存为 UTF-8 并删去声明。",
    before: r#"# -*- coding: gbk -*-
GREETING = "已收到"  # saved as UTF-8
"#,
    after: r#"GREETING = "已收到"  # saved as UTF-8
"#,
};

pub(super) const NESTED_TOO_DEEPLY: Page = Page {
    en: "The file has more open brackets, more levels of indentation or a longer chain of \
         operators than Python itself accepts. Such text is nearly always generated, or made to \
         break tools that read it. It was skipped before anything was parsed. Keep large data in a \
         file of its own, or take the expression apart.",
    zh: "文件中未闭合的括号、缩进层次或连续运算的长度超过了 Python 自身的限制。\
         这样的文本几乎都是程序生成的，或者是为了让读取它的工具出错而构造的；rehook 在解析之前就已将其跳过。\
         请把大段数据放到单独的文件中，或者拆分该表达式。",
    before: r#"TREE = [[[[[[[["leaf"]]]]]]]]  # and hundreds of brackets more
"#,
    after: r#"import json
from pathlib import Path

TREE = json.loads(Path(__file__).with_name("tree.json").read_text("utf-8"))
"#,
};

pub(super) const IGNORE_COMMENT: Page = Page {
    en: "A comment `# rehook: ignore[CODE]` at the end of a line switches advice of that code off, \
         for that line and for the statement that begins or ends there; several codes have commas \
         between them. This one switches nothing off: it names no code, or one that there is not, or \
         it stands on a line of its own. What needs a manual change (RH1xx, RH201) and what could not \
         be read (RH0xx) cannot be switched off, since the count would then be wrong.",
    zh: "行末的注释 `# rehook: ignore[CODE]` 会关闭该代码的建议，对该行以及在该行开始或结束的语句有效；\
         多个代码用逗号分隔。此处的注释没有关闭任何建议：它没有写明代码，或者代码不存在，或者独占一行。\
         需要手动修改的问题（RH1xx、RH201）和无法读取的文件（RH0xx）不能关闭，否则统计就不准确了。",
    before: r#"# rehook: ignore[RH301]
@webhook_route("/ping", summary="Ping")
async def on_ping(_ctx: AgentCtx):
    pass
"#,
    after: r#"@webhook_route("/ping", summary="Ping")
async def on_ping(_ctx: AgentCtx):  # rehook: ignore[RH301]
    pass
"#,
};
