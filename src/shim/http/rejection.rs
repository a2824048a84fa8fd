//! Why the shim answers by itself, and with what: one table of all rejections.
//!
//! Invariants: every answer that does not come from the agent is one of these, so that its
//! status, its label in the metrics and its sentence in both languages are decided in one place.

use crate::text::Lang;

/// A reason to answer without the agent, or instead of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The head is not HTTP/1.1.
    Malformed,
    /// `Content-Length` and `Transfer-Encoding` in one request.
    LengthAndCoding,
    /// A transfer coding other than `chunked`, or more than one.
    Coding,
    /// `Content-Length` more than once, or not a number.
    Length,
    /// No `Host`, several, or one that is not a host; or a target whose authority is not one.
    Host,
    /// The framing of a chunked body is broken.
    Chunk,
    /// `Connection` names a header that must reach the route.
    ConnectionNames,
    /// An encoded separator or a dot segment where a route has a parameter.
    ParameterPath,
    /// A path that could be read as that of a route with auth rules, and otherwise.
    UnclearPath,
    /// CONNECT.
    Connect,
    /// An expectation other than `100-continue`.
    Expectation,
    /// A version of HTTP that is not spoken here.
    Version,
    /// No route has this path.
    NotFound,
    /// The route does not take this method.
    Method,
    /// The body is over the limit.
    BodyTooLarge,
    /// The head is over the limit.
    HeadTooLarge,
    /// The sender did not finish its head or its body in time.
    SenderSlow,
    /// An auth rule found no proof, or a wrong one.
    Unauthorized,
    /// The address list does not have the sender.
    Address,
    /// The agent cannot be reached: it refuses connections, or closes them at once.
    UpstreamGone,
    /// Nobody knows the name of the agent's host.
    UpstreamName,
    /// The agent's host does not answer an attempt to connect.
    UpstreamSilent,
    /// The agent closed the connection, or sent something that is not a reply.
    UpstreamBroken,
    /// The agent did not answer in time.
    UpstreamSlow,
    /// No memory is left for another body.
    Busy,
    /// The request has been here before.
    Loop,
}

impl Rejection {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Self; 26] = [
        Self::Malformed,
        Self::LengthAndCoding,
        Self::Coding,
        Self::Length,
        Self::Host,
        Self::Chunk,
        Self::ConnectionNames,
        Self::ParameterPath,
        Self::UnclearPath,
        Self::Connect,
        Self::Expectation,
        Self::Version,
        Self::NotFound,
        Self::Method,
        Self::BodyTooLarge,
        Self::HeadTooLarge,
        Self::SenderSlow,
        Self::Unauthorized,
        Self::Address,
        Self::UpstreamGone,
        Self::UpstreamName,
        Self::UpstreamSilent,
        Self::UpstreamBroken,
        Self::UpstreamSlow,
        Self::Busy,
        Self::Loop,
    ];

    /// The place in [`Rejection::ALL`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// The status of the reply.
    pub(crate) fn status(self) -> u16 {
        self.data().0
    }

    /// The name in metrics, logs and the body of the reply.
    pub(crate) fn label(self) -> &'static str {
        self.data().1
    }

    /// What happened on the way to the agent, in one word; empty where it was not that.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::UpstreamGone => "refused",
            Self::UpstreamName => "name_not_found",
            Self::UpstreamSilent => "connect_timeout",
            Self::UpstreamBroken => "broke_off",
            Self::UpstreamSlow => "timeout",
            _ => "",
        }
    }

    /// The rejection that logs and metrics name so, by its label or its reason.
    pub(crate) fn named(word: &str) -> Option<Self> {
        let is_it = |rejection: &Self| word == rejection.label() || word == rejection.reason();
        Self::ALL
            .into_iter()
            .find(is_it)
            .filter(|_| !word.is_empty())
    }

    /// Whether it is for want of proof who sends: then nothing is said of what lies behind.
    pub(crate) fn is_for_want_of_proof(self) -> bool {
        matches!(self, Self::Unauthorized | Self::Address)
    }

    /// What the sender is told.
    pub(crate) fn message(self, lang: Lang) -> &'static str {
        let (_, _, en, zh) = self.data();
        match lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    /// Whether nothing that follows on the connection can be trusted to be a request.
    pub(crate) fn closes(self) -> bool {
        !matches!(
            self,
            Self::NotFound
                | Self::Method
                | Self::ParameterPath
                | Self::UnclearPath
                | Self::Unauthorized
                | Self::Address
                | Self::UpstreamGone
                | Self::UpstreamName
                | Self::UpstreamSilent
                | Self::UpstreamBroken
                | Self::UpstreamSlow
                | Self::Loop
        )
    }

    fn data(self) -> (u16, &'static str, &'static str, &'static str) {
        match self {
            Self::Malformed => (
                400,
                "malformed",
                "The request is not valid HTTP/1.1.",
                "请求不是合法的 HTTP/1.1。",
            ),
            Self::LengthAndCoding => (
                400,
                "length_and_coding",
                "Content-Length and Transfer-Encoding cannot be sent together.",
                "Content-Length 与 Transfer-Encoding 不能同时出现。",
            ),
            Self::Coding => (
                400,
                "transfer_coding",
                "The only transfer coding taken is chunked, once.",
                "Transfer-Encoding 只能是单个 chunked。",
            ),
            Self::Length => (
                400,
                "content_length",
                "Content-Length must be there once at most, and be a number.",
                "Content-Length 最多出现一次，且必须是数字。",
            ),
            Self::Host => (
                400,
                "host",
                "The request must have exactly one valid Host.",
                "请求必须有且只有一个合法的 Host。",
            ),
            Self::Chunk => (
                400,
                "chunk",
                "The chunked body is broken.",
                "chunked 请求体格式有误。",
            ),
            Self::ConnectionNames => (
                400,
                "connection_names",
                "Connection names a header that has to reach the route.",
                "Connection 头列出了不允许丢弃的请求头。",
            ),
            Self::ParameterPath => (
                400,
                "parameter_path",
                "A path parameter cannot hold an encoded separator or a dot segment.",
                "路径参数不能包含编码后的分隔符或点段。",
            ),
            Self::UnclearPath => (
                400,
                "unclear_path",
                "The path can be read in more than one way.",
                "请求路径有多种解读方式。",
            ),
            Self::Connect => (
                405,
                "connect",
                "CONNECT is not served here.",
                "这里不提供 CONNECT。",
            ),
            Self::Expectation => (
                417,
                "expectation",
                "The only expectation known is 100-continue.",
                "只支持 100-continue 这一种 Expect。",
            ),
            Self::Version => (
                505,
                "version",
                "Only HTTP/1 is spoken here.",
                "这里只支持 HTTP/1。",
            ),
            Self::NotFound => (
                404,
                "not_found",
                "No webhook has this URL.",
                "没有 webhook 使用这个 URL。",
            ),
            Self::Method => (
                405,
                "method",
                "This webhook does not take this method.",
                "这个 webhook 不接受该请求方法。",
            ),
            Self::BodyTooLarge => (
                413,
                "body_too_large",
                "The body is larger than this webhook takes.",
                "请求体超过了这个 webhook 的上限。",
            ),
            Self::HeadTooLarge => (
                431,
                "head_too_large",
                "The headers are larger than the shim takes.",
                "请求头超过了上限。",
            ),
            Self::SenderSlow => (
                408,
                "sender_slow",
                "The request did not arrive in time.",
                "请求没有在规定时间内传完。",
            ),
            Self::Unauthorized => (
                401,
                "unauthorized",
                "The signature or token is missing or wrong.",
                "签名或令牌缺失或有误。",
            ),
            Self::Address => (
                403,
                "address",
                "This address may not call this webhook.",
                "这个地址不允许调用该 webhook。",
            ),
            Self::UpstreamGone => (
                503,
                "upstream_gone",
                "The agent cannot be reached at the moment.",
                "暂时连接不上 Agent。",
            ),
            Self::UpstreamName => (
                503,
                "upstream_name",
                "The name of the agent's host does not resolve at the moment.",
                "暂时无法解析 Agent 的主机名。",
            ),
            Self::UpstreamSilent => (
                503,
                "upstream_silent",
                "The agent's host does not answer at the moment.",
                "Agent 所在主机暂时没有响应。",
            ),
            Self::UpstreamBroken => (
                502,
                "upstream_broken",
                "The agent ended the connection without a whole reply.",
                "Agent 没有给出完整的响应就断开了连接。",
            ),
            Self::UpstreamSlow => (
                504,
                "upstream_slow",
                "The agent did not answer in time.",
                "Agent 没有在规定时间内响应。",
            ),
            Self::Busy => (
                503,
                "busy",
                "Too many bodies are being received at the moment.",
                "当前正在接收的请求体过多。",
            ),
            Self::Loop => (
                508,
                "loop",
                "This request has been here before: the upstream leads back to the shim.",
                "检测到转发环路：上游指向了 shim 自身。",
            ),
        }
    }
}

/// The reason phrase of a status in a reply that the shim gives by itself.
#[cfg(target_os = "linux")]
pub(crate) fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        417 => "Expectation Failed",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        508 => "Loop Detected",
        // Of a route, behind an old URL that several have.
        _ => axum::http::StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rejection_is_at_its_number_and_says_something_in_both_languages() {
        for (index, rejection) in Rejection::ALL.into_iter().enumerate() {
            assert_eq!(rejection.index(), index);
            assert!(!phrase(rejection.status()).is_empty(), "{rejection:?}");
            assert!(rejection.message(Lang::En).is_ascii());
            assert!(!rejection.message(Lang::Zh).is_ascii());
        }
    }

    #[test]
    fn labels_are_distinct() {
        let mut labels = Rejection::ALL.map(Rejection::label);
        labels.sort_unstable();
        assert!(labels.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
