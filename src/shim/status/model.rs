//! What a shim has said of itself, and what follows from it.

use serde_json::Value;

use crate::shim::http::http_date;
use crate::text;
use crate::text::Text;

/// What a shim said.
#[derive(Debug)]
pub(crate) struct Status {
    pub(super) admin: String,
    /// What `/api/webhooks` answered.
    pub(super) webhooks: Vec<Value>,
    /// What `/readyz` answered.
    pub(super) readiness: Value,
}

/// What is known of one old URL.
#[derive(Debug)]
pub(crate) struct UrlStatus {
    /// When it was called last, in seconds since 1970; none when never.
    pub(crate) last: Option<u64>,
    /// Whether it has been silent long enough.
    pub(crate) can_be_retired: bool,
}

impl Status {
    /// Whether the last call of a webhook failed, or the shim cannot do its work.
    pub(crate) fn fails(&self) -> bool {
        self.readiness["ready"] != true || self.webhooks.iter().any(|w| w["state"] == "failing")
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        serde_json::json!({
            "version": 1,
            "admin": self.admin,
            "fails": self.fails(),
            "ready": self.readiness["ready"],
            "upstreams": self.readiness["upstreams"],
            "webhooks": self.webhooks,
        })
    }

    /// What is known of an old URL; none when this shim does not serve it.
    pub(crate) fn url(&self, path: &str) -> Option<UrlStatus> {
        let mut urls = self.webhooks.iter().flat_map(|webhook| {
            let urls = webhook["urls"].as_array();
            urls.into_iter().flatten()
        });
        let url = urls.find(|url| url["legacy"] == path)?;
        Some(UrlStatus {
            last: seconds(&url["last_call"]),
            can_be_retired: url["can_be_retired"] == true,
        })
    }
}

pub(super) fn seconds(value: &Value) -> Option<u64> {
    http_date::parse(value.as_str()?)
}

/// How a webhook fares, as the shim names it; what a later shim says is shown as it is.
pub(super) fn state(name: &str) -> Text {
    match name {
        "failing" => text!("failing", "失败"),
        "refusing" => text!("refusing", "有请求被拒绝"),
        "in_use" => text!("in use", "使用中"),
        "unused" => text!("no call yet", "暂无调用"),
        "retirable" => text!("can be retired", "可以停用"),
        other => Text::verbatim(other),
    }
}
