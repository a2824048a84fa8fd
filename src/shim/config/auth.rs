//! The auth rules in the configuration file.

use std::time::Duration;

use super::hmac;
use super::secret::Source;
use crate::shim::auth::{AuthRule, PublicKey, Scheme, Secret, Secrets, Signer, TOLERANCE};
use crate::shim::config::reader::{At, Section};
use crate::text;

/// What `kind` may be.
const KINDS: &str = "github, gitea, gitlab, gitee, standard-webhooks, stripe, slack, feishu, feishu-token, \
    dingtalk, discord, qq, hmac, token, bearer, addresses";

/// Reads a `[[route.auth]]`; what is wrong with it is said, and it then counts as none, which
/// makes the whole file wrong.
pub(super) fn read_rule(section: Section<'_>, source: &mut Source<'_>) -> Option<AuthRule> {
    let kind = section.string("kind");
    let kind_name = kind.as_ref().map_or("", |at| at.value.as_str()).to_owned();
    let rule = if kind_name == "discord" {
        discord_rule(&section)
    } else if kind_name == "addresses" {
        let allow = section.strings("allow");
        if allow.is_none() {
            section.error(
                None,
                text!("this auth rule has no `allow`", "这条鉴权规则缺少 `allow`"),
                text!("list the networks that may call", "请列出允许调用的网段"),
            );
        }
        if let Some(At { value, line }) = &allow
            && value.is_empty()
        {
            section.error(
                *line,
                text!(
                    "`allow` is empty, so nobody could call",
                    "`allow` 为空，谁都无法调用"
                ),
                text!(
                    "list the networks that may, or take the route out of the map",
                    "请列出允许调用的网段，或把该路由从路由表中删除"
                ),
            );
        }
        allow.map(|list| AuthRule::Addresses(section.networks(&list)))
    } else {
        let secrets = source.secrets(&section);
        secret_rule(&section, &kind_name, secrets)
    };
    section.finish();
    rule
}

fn secret_rule(section: &Section<'_>, kind: &str, secrets: Option<Secrets>) -> Option<AuthRule> {
    let scheme = match kind {
        "gitlab" => {
            let header = "X-Gitlab-Token".to_owned();
            return secrets.map(|secrets| AuthRule::Token { header, secrets });
        }
        "token" => {
            let Some(header) = section.header_name("header").unwrap_or_default() else {
                section.error(
                    None,
                    text!(
                        "an auth rule of kind \"token\" needs `header`",
                        "\"token\" 类型的鉴权规则需要 `header`"
                    ),
                    text!(
                        "name the header that holds the token",
                        "请写明存放令牌的请求头名称"
                    ),
                );
                return None;
            };
            return secrets.map(|secrets| AuthRule::Token { header, secrets });
        }
        "bearer" => return secrets.map(|secrets| AuthRule::Bearer { secrets }),
        "feishu-token" => return secrets.map(|secrets| AuthRule::FeishuToken { secrets }),
        "hmac" => return hmac::read_rule(section, secrets),
        "qq" => {
            let tolerance = tolerance(section, TOLERANCE);
            let keys = secrets?.each(PublicKey::of_bot);
            return Some(AuthRule::Ed25519 {
                signer: Signer::Qq,
                keys,
                tolerance,
            });
        }
        _ if let Some(scheme) = Scheme::ALL.into_iter().find(|s| s.name() == kind) => scheme,
        _ => {
            section.error(
                None,
                text!(
                    "the `kind` of this auth rule is unknown",
                    "这条鉴权规则的 `kind` 未知"
                ),
                text!("write one of: {KINDS}", "请写成以下之一：{KINDS}"),
            );
            return None;
        }
    };
    let tolerance = tolerance(section, scheme.tolerance());
    Some(AuthRule::Signature {
        scheme,
        secrets: match scheme {
            Scheme::StandardWebhooks => {
                let keys = secrets?.map(Secret::standard_webhooks_key);
                if keys.is_none() {
                    section.error(
                        None,
                        text!(
                            "the secret of this auth rule is not base64",
                            "这条鉴权规则的密钥不是 base64"
                        ),
                        text!(
                            "take it as the sender shows it: `whsec_…`",
                            "请使用发送方给出的原样密钥，形如 `whsec_…`"
                        ),
                    );
                }
                keys?
            }
            _ => secrets?,
        },
        tolerance,
    })
}

fn tolerance(section: &Section<'_>, usual: Duration) -> Duration {
    let said = section.duration("tolerance");
    said.map_or(usual, |at| at.value)
}

/// Reads a rule for Discord, whose key is no secret.
fn discord_rule(section: &Section<'_>) -> Option<AuthRule> {
    let tolerance = tolerance(section, TOLERANCE);
    let wrong = |line| {
        section.error(
            line,
            text!(
                "an auth rule of kind \"discord\" needs a valid `public_key`",
                "\"discord\" 类型的鉴权规则需要有效的 `public_key`"
            ),
            text!(
                "copy \"Public Key\" (64 digits and letters) from the application's page in the Discord \
                 Developer Portal",
                "请从 Discord Developer Portal 的应用页面复制 Public Key（64 个十六进制字符）"
            ),
        );
    };
    let Some(At { value, line }) = section.strings("public_key") else {
        wrong(None);
        return None;
    };
    let keys: Option<Vec<_>> = value.iter().map(|key| PublicKey::from_hex(key)).collect();
    match keys.filter(|keys| !keys.is_empty()) {
        Some(keys) => Some(AuthRule::Ed25519 {
            signer: Signer::Discord,
            keys,
            tolerance,
        }),
        None => {
            wrong(line);
            None
        }
    }
}
