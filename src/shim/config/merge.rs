//! Flags over the file, and what is needed in the end.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;

use super::model::{Config, Flags, LogFormat};
use crate::routes;
use crate::shim::config::file::{self, File};
use crate::shim::config::reader::parse_network;
use crate::shim::http::http_date;
use crate::shim::http::upstream_url::UpstreamUrl;
use crate::text;
use crate::user_error::UserError;

/// Where senders call, if nobody says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// What an agent is asked for, if nobody says otherwise: releases since 2.0 have it, and a 404 will do.
const PROBE: &str = "/api/health";
/// Where the operator looks, if nobody says otherwise.
const ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9180);
/// The days after which a silent URL can be retired, if nobody says otherwise.
const RETIRE_DAYS: u64 = 30;
/// More threads than this help no agent.
const MAX_THREADS: usize = 64;

/// Puts the flags over what the file says. Paths in the file are relative to `base`, its folder.
pub(super) fn combine(
    file: File,
    base: &Path,
    flags: &Flags,
    errors: &mut Vec<UserError>,
) -> Option<Config> {
    let before = errors.len();
    let upstream = upstream(file.upstream, flags, errors);
    let listen = if flags.listen.is_empty() {
        file.listen
    } else {
        let parsed = flags.listen.iter().filter_map(|text| {
            let mut error = || errors.push(file::not_an_address("--listen", text));
            text.parse().map_err(|_| error()).ok()
        });
        parsed.collect()
    };
    let admin = match flags.admin.as_deref() {
        None => file.admin.unwrap_or(Some(ADMIN)),
        Some("off") => None,
        Some(text) => {
            let mut error = || errors.push(file::not_an_address("--admin", text));
            text.parse().map_err(|_| error()).ok()
        }
    };
    let mut trusted_proxies = file.trusted_proxies;
    for text in &flags.trusted_proxies {
        match parse_network(text) {
            Ok(network) => trusted_proxies.push(network),
            Err(error) => errors.push(error),
        }
    }
    let sunset = match flags.sunset.as_deref() {
        None => file.sunset,
        Some(text) => {
            let date = http_date::parse(text);
            if date.is_none() {
                errors.push(UserError::new(
                    text!(
                        "`{text}` is not a date for --sunset",
                        "`{text}` 不能作为 --sunset 的日期"
                    ),
                    text!("write it like 2026-12-31", "请写成 2026-12-31 这样的形式"),
                ));
            }
            date
        }
    };
    let public_url = match flags.public_url.as_deref() {
        None => file.public_url,
        Some(text) => {
            let url = file::public_url(text);
            if url.is_none() {
                errors.push(file::not_public(text));
            }
            url
        }
    };
    let upstream = upstream.filter(|_| errors.len() == before)?;
    let mut warnings = file.warnings;
    warnings.extend(open_to_all(&trusted_proxies, admin));
    let with_legacy = file.with_legacy || flags.with_legacy;
    if file.legacy_token.is_some() && !with_legacy {
        warnings.push(token_for_nobody());
    }
    let bodies = file.rules.iter().filter_map(|rule| rule.body);
    let largest = bodies.fold(file.limits.route.body, u64::max);
    if file.limits.memory < largest {
        warnings.push(too_little_memory());
    }
    let in_file = |path: Option<String>| path.map(|path| base.join(path));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Some(Config {
        file: flags.config.clone(),
        routes: match (flags.routes.is_empty(), file.routes.is_empty()) {
            (false, _) => flags.routes.clone(),
            (true, false) => file.routes.iter().map(|path| base.join(path)).collect(),
            // Beside the configuration, or in this folder when there is none.
            (true, true) => vec![base.join(routes::FILE_NAME)],
        },
        upstream,
        upstream_check: file.upstream_check.unwrap_or(true) && !flags.no_upstream_check,
        probe: file.probe.unwrap_or_else(|| Some(PROBE.to_owned())),
        listen: match listen.is_empty() {
            true => vec![LISTEN],
            false => listen,
        },
        admin,
        trusted_proxies,
        passthrough: file.passthrough || flags.passthrough,
        list_urls: file.list_urls.unwrap_or(true),
        with_legacy,
        legacy_token: file.legacy_token,
        deprecated_since: file.deprecated_since,
        sunset,
        public_url,
        retire_after: file
            .retire_after
            .unwrap_or(Duration::from_secs(RETIRE_DAYS * 86_400)),
        counters_file: flags
            .counters_file
            .clone()
            .or_else(|| in_file(file.counters_file)),
        threads: flags
            .threads
            .or(file.threads)
            .unwrap_or(cores)
            .clamp(1, MAX_THREADS),
        log: flags.log.or(file.log).unwrap_or(LogFormat::Text),
        log_file: flags.log_file.clone().or_else(|| in_file(file.log_file)),
        limits: file.limits,
        rules: file.rules,
        secret_files: file.secret_files,
        warnings,
    })
}

fn token_for_nobody() -> UserError {
    UserError::new(
        text!(
            "the token for the agent's own old URLs means nothing: they are not called",
            "Agent 旧 URL 的令牌不起作用：没有调用这些 URL"
        ),
        text!(
            "set `with_legacy = true`, or remove `legacy_token_env` or `legacy_token_file`",
            "请设置 `with_legacy = true`，或删除 `legacy_token_env`、`legacy_token_file`"
        ),
    )
}

fn too_little_memory() -> UserError {
    UserError::new(
        text!(
            "`memory` is smaller than the largest `body`: such a body never fits, and is answered with 503",
            "`memory` 小于最大的 `body`：这样大的请求体永远放不下，只会得到 503"
        ),
        text!(
            "raise `memory`, or lower `body`",
            "请调大 `memory`，或调小 `body`"
        ),
    )
}

/// What lets everybody in.
fn open_to_all(trusted_proxies: &[IpNet], admin: Option<SocketAddr>) -> Vec<UserError> {
    let mut warnings = Vec::new();
    if let Some(all) = trusted_proxies.iter().find(|net| net.prefix_len() == 0) {
        warnings.push(UserError::new(
            text!(
                "`trusted_proxies` has {all}: whoever calls can claim any address with X-Forwarded-For",
                "`trusted_proxies` 包含 {all}：任何人都可以用 X-Forwarded-For 冒充任意地址"
            ),
            text!(
                "name the proxies that stand in front of the shim",
                "请只写 shim 前面的代理"
            ),
        ));
    }
    if let Some(address) = admin
        && !address.ip().to_canonical().is_loopback()
    {
        warnings.push(UserError::new(
            text!(
                "the admin page at {address} has no password, and others than this machine may reach it",
                "{address} 上的管理页面没有密码，本机以外也可能访问到"
            ),
            text!(
                "bind it to 127.0.0.1, and look at it through `ssh -L`, or protect it in another way",
                "请绑定到 127.0.0.1 并通过 `ssh -L` 访问，或用其他方式保护它"
            ),
        ));
    }
    warnings
}

fn upstream(
    in_file: Option<UpstreamUrl>,
    flags: &Flags,
    errors: &mut Vec<UserError>,
) -> Option<UpstreamUrl> {
    let Some(url) = flags.upstream.as_deref() else {
        if in_file.is_none() && errors.is_empty() {
            errors.push(UserError::new(
                text!("no upstream is configured", "没有指定 Agent"),
                text!(
                    "pass --upstream http://127.0.0.1:8021, or write \
                     `upstream = \"http://127.0.0.1:8021\"` into the file given to --config",
                    "请加上 --upstream http://127.0.0.1:8021，\
                     或在 --config 的文件中写 `upstream = \"http://127.0.0.1:8021\"`"
                ),
            ));
        }
        return in_file;
    };
    UpstreamUrl::parse(url)
        .map_err(|error| errors.push(error))
        .ok()
}
