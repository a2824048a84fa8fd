//! The auth rules in the configuration file, and where their secrets come from.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::hmac;
use super::model::Environment;
use crate::regular_file;
use crate::shim::auth::{AuthRule, PublicKey, Scheme, Secret, Secrets, Signer, TOLERANCE};
use crate::shim::config::reader::{At, Section};
use crate::term;
use crate::text;
use crate::user_error::UserError;

/// What `kind` may be.
const KINDS: &str = "github, gitea, gitlab, gitee, standard-webhooks, stripe, slack, feishu, feishu-token, \
    dingtalk, discord, qq, hmac, token, bearer, addresses";
/// What a file lets everybody do who is neither its owner nor in its group.
const FOR_OTHERS: u32 = 0o004;

/// Reads a `[[route.auth]]`; what is wrong with it is said, and it then counts as none, which
/// makes the whole file wrong.
pub(super) fn read_rule(
    section: Section<'_>,
    base: &Path,
    environment: Environment<'_>,
    secret_files: &mut Vec<PathBuf>,
) -> Option<AuthRule> {
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
        let secrets = read_secrets(&section, base, environment, secret_files);
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

fn read_secrets(
    section: &Section<'_>,
    base: &Path,
    environment: Environment<'_>,
    secret_files: &mut Vec<PathBuf>,
) -> Option<Secrets> {
    // The key is asked for so that the message says more than "not known".
    if let Some(At { line, .. }) = section.string("secret") {
        section.error(
            line,
            text!("a secret never stands in this file", "密钥不能写在这个文件里"),
            text!(
                "put it into a variable and write `secret_env = \"NAME\"`, or into a file and write \
                 `secret_file = \"PATH\"`",
                "请放进环境变量并写 `secret_env = \"NAME\"`，或放进文件并写 `secret_file = \"PATH\"`"
            ),
        );
    }
    let variables = section.strings("secret_env");
    let files = section.strings("secret_file");
    let mut found = Vec::new();
    let mut complete = true;
    let mut take = |line, bytes: Option<Vec<u8>>, from: &str| {
        let secret = bytes.and_then(|bytes| {
            let end = bytes.trim_ascii_end().len();
            Secret::new(bytes[..end].to_vec())
        });
        if secret.is_none() {
            complete = false;
            section.error(
                line,
                text!(
                    "the secret in {from} is missing or empty",
                    "{from} 中的密钥不存在或为空"
                ),
                text!("set it, or remove the rule", "请设置密钥，或删除这条规则"),
            );
        }
        found.extend(secret);
    };
    if let Some(At { value, line }) = variables {
        for name in value {
            let bytes = environment(&name).map(String::into_bytes);
            take(line, bytes, &format!("${name}"));
        }
    }
    if let Some(At { value, line }) = files {
        for name in value {
            let path = base.join(&name);
            take(line, regular_file::read(&path).ok(), &term::path(&path));
            if can_be_read_by_others(&path) {
                section.warn(line, others_can_read(&path));
            }
            secret_files.push(path);
        }
    }
    if found.is_empty() && complete {
        section.error(
            None,
            text!("this auth rule has no secret", "这条鉴权规则没有密钥"),
            text!(
                "write one of `secret_env` and `secret_file`, or a list of several: any of them opens",
                "请写 `secret_env` 或 `secret_file` 其中之一，也可以写成数组：任意一个密钥通过即可"
            ),
        );
    }
    match complete {
        true => Secrets::new(found),
        false => None,
    }
}

fn can_be_read_by_others(path: &Path) -> bool {
    let mode = std::fs::metadata(path).map(|data| data.permissions().mode());
    mode.is_ok_and(|mode| mode & FOR_OTHERS != 0)
}

fn others_can_read(path: &Path) -> UserError {
    let path = term::path(path);
    UserError::new(
        text!(
            "everyone on this machine can read the secret in {path}",
            "本机所有用户都能读取 {path} 中的密钥"
        ),
        text!("chmod 600 {path}", "请执行 chmod 600 {path}"),
    )
}
