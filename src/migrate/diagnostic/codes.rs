//! The table of all codes.

use super::severity::Severity;
use crate::text::Text;

/// What `rehook explain` prints about a code besides its title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What the code means, and why it is so.
    pub meaning: Text,
    /// Python before the change that the remedy asks for.
    pub before: &'static str,
    /// The same code after it.
    pub after: &'static str,
}

macro_rules! codes {
    ($($variant:ident $code:literal $severity:ident: $en:literal, $zh:literal; $remedy_en:literal, $remedy_zh:literal)*) => {
        /// A stable code: RH0xx reading, RH1xx cannot be migrated, RH2xx the document's API that
        /// no release has, RH3xx security, RH4xx answering late.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $en] $variant,)*
        }

        impl Code {
            /// All codes, by number.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code as the user sees it: `RH101`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// How much it matters.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// What is the case, in a few words.
            pub fn title(self) -> Text {
                match self { $(Self::$variant => Text::new($en, $zh),)* }
            }

            /// What to do about it, in general.
            pub fn remedy(self) -> Text {
                match self { $(Self::$variant => Text::new($remedy_en, $remedy_zh),)* }
            }
        }
    };
}

codes! {
    Unreadable "RH001" Error:
        "cannot read the file", "无法读取文件";
        "check that the file exists and that you may read it", "请确认文件存在，且您有读取权限"
    SyntaxError "RH002" Error:
        "the file is not valid Python", "文件不是有效的 Python 代码";
        "fix the syntax error, then run rehook again", "请先修正语法错误，再重新运行 rehook"
    Python2 "RH003" Error:
        "the file is Python 2", "文件是 Python 2 代码";
        "Nekro Agent cannot import such a file; bring it to Python 3 first", "Nekro Agent 无法导入这样的文件，请先将其改写为 Python 3"
    NullByte "RH004" Error:
        "the file contains a null byte", "文件中含有空字节";
        "remove the null byte; the file may be damaged or in UTF-16", "请删除空字节；文件可能已损坏，或是 UTF-16 编码"
    NotUtf8 "RH005" Error:
        "the file is not UTF-8 and declares no encoding", "文件不是 UTF-8，也未声明编码";
        "save the file as UTF-8, or declare its encoding in the first line, as in `# -*- coding: gbk -*-`", "请将文件另存为 UTF-8，或在首行声明编码，例如 `# -*- coding: gbk -*-`"
    WrongEncoding "RH006" Error:
        "the declared encoding does not fit the file", "声明的编码与文件内容不符";
        "correct the declaration in the first two lines, or save the file as UTF-8", "请修正文件前两行中的编码声明，或将文件另存为 UTF-8"
    NestedTooDeeply "RH007" Error:
        "the code is nested too deeply", "代码嵌套过深";
        "Python itself refuses such code; simplify the expression", "Python 本身也会拒绝这样的代码，请简化该表达式"
    IgnoreComment "RH008" Advice:
        "a `# rehook: ignore[…]` comment has no effect", "`# rehook: ignore[…]` 注释不起作用";
        "write the code of an advice, as in `# rehook: ignore[RH301]`, at the end of the line that it is about", "请在对应行的行末写上建议类代码，例如 `# rehook: ignore[RH301]`"
    UnknownPlugin "RH101" Manual:
        "cannot tell which plugin this belongs to", "无法确定它属于哪个插件";
        "register it on a name that is assigned from NekroPlugin(...) in this package", "请在本包内由 NekroPlugin(...) 赋值的变量上注册"
    UnknownPluginKey "RH102" Manual:
        "the key of the plugin cannot be known", "无法确定插件的标识（key）";
        "give NekroPlugin(...) an author and a module_name that are literals or constants", "请让 NekroPlugin(...) 的 author 与 module_name 使用字面量或常量"
    UnknownEndpoint "RH103" Manual:
        "the endpoint cannot be known", "无法确定端点（endpoint）";
        "write the endpoint as a literal or a constant", "请将端点写成字面量或常量"
    UnusableEndpoint "RH104" Manual:
        "the endpoint cannot be the path of a route", "该端点无法作为路由路径";
        "give the handler an argument for each parameter, or choose a path without `{`, `}` and segments such as `..`, and point the senders to it", "请为每个路径参数提供对应的函数参数，或改用不含 `{`、`}` 与 `..` 等路径段的路径并让发送方改用新地址"
    UnknownDialect "RH105" Manual:
        "cannot tell whether the handler takes an AgentCtx or a Request", "无法判断处理函数接收的是 AgentCtx 还是 Request";
        "annotate the parameter: `_ctx: AgentCtx` or `request: Request`", "请为参数添加类型注解：`_ctx: AgentCtx` 或 `request: Request`"
    UnknownHandler "RH106" Manual:
        "the handler cannot be seen", "看不到处理函数的定义";
        "apply the decorator to an `async def` of this package", "请将装饰器用在本包内的 `async def` 函数上"
    NotAsync "RH107" Manual:
        "the handler is not an `async def`", "处理函数不是 `async def`";
        "make the handler an `async def`, then run rehook again", "请将处理函数改为 `async def`，再重新运行 rehook"
    UnusualHandler "RH108" Manual:
        "the handler's parameters do not fit either API", "处理函数的参数与两种接口都不相符";
        "give the handler one parameter, `_ctx: AgentCtx`, or those of a FastAPI endpoint", "请让处理函数只接收一个 `_ctx: AgentCtx` 参数，或使用 FastAPI 接口函数的参数"
    UnusualArguments "RH109" Manual:
        "the arguments of the registration cannot be read", "无法解析注册调用的参数";
        "pass endpoint, name and description as plain arguments", "请直接传入 endpoint、name 与 description 参数"
    LateRegistration "RH110" Manual:
        "the registration may run after the routes have been mounted", "注册可能发生在路由挂载之后";
        "register at module level, or in a function that is called while the module is imported", "请在模块顶层注册，或在模块导入期间调用的函数中注册"
    UnknownOrder "RH111" Manual:
        "cannot tell which of several registrations of the endpoint is the last", "无法判断同一端点的多个注册中哪个最后生效";
        "keep the one that is meant and remove the others", "请保留真正需要的那个注册，删除其余的"
    PathTaken "RH112" Manual:
        "the plugin's own router has this path already", "插件自己的路由已占用该路径";
        "give one of the two another path; add the plugin's own routes where they can be read", "请为两者之一更换路径；并把插件自己的路由写在能够读到的地方"
    UnknownRouter "RH113" Manual:
        "the plugin's `mount_router` function cannot be understood", "无法识别插件的 `mount_router` 函数";
        "make an `APIRouter()` in that function and include the other router in it", "请在该函数中创建 `APIRouter()`，并把原来的路由器包含进去"
    UnresolvedAnnotation "RH117" Manual:
        "an annotation of the handler does not resolve when the route is made", "创建路由时无法解析处理函数的类型注解";
        "import the name at module level, outside `if TYPE_CHECKING:`", "请在模块顶层导入该名称，不要放在 `if TYPE_CHECKING:` 之内"
    NotARegistration "RH118" Manual:
        "the old API is referred to without registering a webhook", "此处引用了旧接口，但并未注册 webhook";
        "apply `plugin.mount_webhook_method(...)` directly where the handler is defined", "请在定义处理函数的位置直接使用 `plugin.mount_webhook_method(...)`"
    PluginNotAtModuleLevel "RH119" Manual:
        "the plugin is not made at module level", "插件不是在模块顶层创建的";
        "assign NekroPlugin(...) to a name at module level", "请在模块顶层将 NekroPlugin(...) 赋值给变量"
    EndpointsCollide "RH120" Manual:
        "two endpoints become the same path", "两个端点会得到同一路径";
        "give one of the two another path", "请为两者之一更换路径"
    NotNative "RH122" Advice:
        "the handler needs its AgentCtx, so it is not rewritten to take a Request", "处理函数需要 AgentCtx，因此未改写为接收 Request";
        "leave it as it is: it is routed with its context", "保持原样即可：迁移后仍以 AgentCtx 方式调用"
    RefusedParameter "RH123" Manual:
        "FastAPI does not take a parameter of the handler", "FastAPI 不接受处理函数的某个参数";
        "give the parameter a type and limits that FastAPI takes, or let `Depends(...)` provide it", "请改用 FastAPI 能接受的类型与取值限制，或用 `Depends(...)` 提供该参数"
    SharedKey "RH124" Advice:
        "two plugins have the same key", "两个插件的标识（key）相同";
        "give one of them another author or module_name: the agent runs only one plugin of a key", "请修改其中一个的 author 或 module_name：同一标识的插件，Agent 只会运行一个"
    OwnFault "RH125" Manual:
        "what rehook made of this plugin does not hold, so it stays as it is", "rehook 对该插件的改写结果有误，因此保持原样";
        "this is a bug in rehook: please report it together with the plugin's files, and migrate this plugin by hand meanwhile", "这是 rehook 自身的缺陷：请连同该插件的文件一起反馈，在此之前请手动迁移该插件"
    TakenBuiltin "RH126" Manual:
        "the plugin's module gives a built-in name another meaning", "插件所在模块改变了内置名称的含义";
        "rename it in that module, then run rehook again", "请在该模块中改用其他名称，再重新运行 rehook"
    DocumentApi "RH201" Manual:
        "no release with dynamic routes has this API, and this use of it cannot be rewritten", "支持动态路由的版本都没有这个接口，且此处的用法无法自动改写";
        "replace it by hand as `rehook explain RH201` shows", "请按 `rehook explain RH201` 的说明手动替换"
    NoConfigClass "RH202" Advice:
        "the plugin has no configuration class", "插件没有注册配置类";
        "register a ConfigBase class with `@plugin.mount_config()`", "请用 `@plugin.mount_config()` 注册一个 ConfigBase 类"
    NoAuthentication "RH301" Advice:
        "the handler checks no signature, token or address", "处理函数没有校验签名、令牌或来源地址";
        "verify the sender's signature over the raw body before anything else", "请在执行其他操作之前，先对原始请求体校验发送方的签名"
    SecretInSource "RH302" Advice:
        "a secret is written in the source", "源代码中直接写有密钥";
        "move it to a setting that is marked `is_secret`, and replace it at the sender too", "请移到标记了 `is_secret` 的配置项中，并在发送方一侧更换密钥"
    UnsafeComparison "RH303" Advice:
        "a signature or token is compared with `==`", "用 `==` 比较签名或令牌";
        "use `hmac.compare_digest`", "请使用 `hmac.compare_digest`"
    ReserializedSignature "RH304" Advice:
        "the signature is computed over re-serialised JSON", "签名是对重新序列化的 JSON 计算的";
        "sign the bytes that were received: `await request.body()`", "请对收到的原始字节计算签名：`await request.body()`"
    MixedCaseHeader "RH305" Advice:
        "a header is looked up in mixed case in a dict of lower-case keys", "在键为小写的字典中用大小写混合的名称查找请求头";
        "look it up in lower case", "请用全小写名称查找"
    SettingNotSecret "RH306" Advice:
        "a setting that holds a secret is not marked `is_secret`", "保存密钥的配置项没有标记 `is_secret`";
        "add `json_schema_extra=ExtraField(is_secret=True).model_dump()`", "请添加 `json_schema_extra=ExtraField(is_secret=True).model_dump()`"
    BlockingCall "RH401" Advice:
        "a blocking call in async code stops the whole agent", "异步代码中的阻塞调用会让整个 Agent 停顿";
        "use the asynchronous counterpart, or `asyncio.to_thread`", "请使用对应的异步写法，或 `asyncio.to_thread`"
    SlowReply "RH402" Advice:
        "the sender waits for slow work", "发送方要等待耗时操作完成";
        "start the work in the background and answer at once", "请在后台执行耗时操作，并立即返回响应"
    UnkeptTask "RH403" Advice:
        "no reference to the task is kept", "没有保存后台任务的引用";
        "keep the task in a set until it is done, or use BackgroundTasks", "请在任务完成之前将其保存在集合中，或使用 BackgroundTasks"
}
