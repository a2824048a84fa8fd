//! Codes that are no longer reported. A code is stable and never given to anything else, so
//! whoever meets one in an old log is told what it meant and why it went.

use super::typed::typed_number;
use crate::text;
use crate::text::Text;

/// A code that is no longer reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetiredCode {
    /// The code as the user sees it: `RH114`.
    pub code: &'static str,
    /// What it said, in a few words.
    pub title: Text,
    /// Why it is no longer reported.
    pub reason: Text,
}

impl RetiredCode {
    /// The retired code that a user typed: `RH114`, `rh114`, `114`.
    pub(crate) fn from_typed(typed: &str) -> Option<Self> {
        let number = typed_number(typed);
        let mut all = Self::all().into_iter();
        all.find(|retired| retired.code.strip_prefix("RH") == Some(number))
    }

    /// All of them, by number.
    pub fn all() -> [Self; 4] {
        [
            Self {
                code: "RH114",
                title: text!(
                    "cannot tell what the handler replies",
                    "无法判断处理函数返回什么"
                ),
                reason: text!(
                    "Where it cannot be seen whether a handler returns `body, status`, the route is made by `reply_route`, a function that rehook writes beside the plugin: it looks at what the handler returned, at run time. The handler stays as it is, and nothing has to be changed by hand.",
                    "如果无法看出处理函数是否返回 `body, status`，路由会由 `reply_route` 创建：这是 rehook 写在插件旁边的函数，它在运行时检查处理函数返回了什么。处理函数保持原样，无需手动修改。"
                ),
            },
            Self {
                code: "RH115",
                title: text!(
                    "the status of the reply cannot be known",
                    "无法确定响应的状态码"
                ),
                reason: text!(
                    "A status that is only known at run time is looked at at run time, by `reply_route`, a function that rehook writes beside the plugin. Nothing has to be changed by hand.",
                    "运行时才能确定的状态码由 `reply_route` 在运行时处理：这是 rehook 写在插件旁边的函数。无需手动修改。"
                ),
            },
            Self {
                code: "RH116",
                title: text!(
                    "the handler is used elsewhere, so its replies cannot be changed",
                    "处理函数在别处也被使用，不能改动其返回值"
                ),
                reason: text!(
                    "A handler that other code calls keeps its `body, status`: only the route, which is made by `reply_route`, turns it into a response. Nothing has to be changed by hand.",
                    "被其他代码调用的处理函数仍然返回 `body, status`：只有由 `reply_route` 创建的路由会把它转换为响应。无需手动修改。"
                ),
            },
            Self {
                code: "RH121",
                title: text!(
                    "another decorator stands between the route and the replies",
                    "路由与返回值之间还有其他装饰器"
                ),
                reason: text!(
                    "The decorators of a handler stay inside the route: `reply_route` looks at what the outermost of them returned. Nothing has to be changed by hand.",
                    "处理函数的其他装饰器保留在路由之内：`reply_route` 检查的是其中最外层装饰器的返回值。无需手动修改。"
                ),
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::diagnostic::Code;

    #[test]
    fn a_retired_code_is_given_to_nothing_else() {
        for retired in RetiredCode::all() {
            assert!(Code::ALL.iter().all(|code| code.as_str() != retired.code));
        }
    }
}
