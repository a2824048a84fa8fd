//! The page for people: `templates/shim/page.html`, filled.
//!
//! Invariant: no value ends its element or turns the direction of text, whoever has written it: the
//! author of a plugin, a sender, or whoever made the address that is looked at.

use std::sync::OnceLock;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context, escape_formatter};

use super::url_report::Row;
use super::view::{Group, Sort, View};
use super::webhook_report::{Fate, Webhook, webhooks};
use crate::shim::http::http_date;
use crate::shim::http::rejection::Rejection;
use crate::shim::observe::recent_calls::RecentCall;
use crate::shim::serve::worker::ServerState;
use crate::shim::status::ago::ago;
use crate::term;
use crate::text;
use crate::text::{Lang, Text};

const NAME: &str = "page.html";

fn environment() -> Result<&'static Environment<'static>, minijinja::Error> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    if let Some(environment) = ENVIRONMENT.get() {
        return Ok(environment);
    }
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    // What is safe comes from a macro of the template, where this was done already.
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() => {
            escape_formatter(out, state, &Value::from(&*term::escaped(text)))
        }
        _ => escape_formatter(out, state, value),
    });
    environment.add_template(NAME, include_str!("../../../templates/shim/page.html"))?;
    Ok(ENVIRONMENT.get_or_init(|| environment))
}

/// So many webhooks are shown with their old URLs; of more, only those that somebody has to look at.
const SHORT: usize = 20;

/// Now, and the language: what all that is shown depends on.
#[derive(Clone, Copy)]
struct Shown {
    now: u64,
    lang: Lang,
    /// Whether there is room for the old URLs of all that is shown.
    is_short: bool,
}

/// The page as it is now.
pub(super) fn render(
    state: &ServerState,
    view: &View,
    now: u64,
) -> Result<String, minijinja::Error> {
    let table = state.table.load();
    let webhooks = webhooks(&table, state, now);
    let lang = view.lang.unwrap_or(state.lang);
    let since = state
        .registry
        .counted_since
        .load(std::sync::atomic::Ordering::Relaxed);
    let all = webhooks.len();
    let fates: Vec<Value> = Fate::ALL
        .into_iter()
        .map(|fate| {
            let count = webhooks.iter().filter(|w| w.fate == fate).count();
            let show = match view.show == Some(fate) {
                true => None,
                false => Some(fate),
            };
            let address = View {
                show,
                page: 0,
                ..view.clone()
            };
            context! {
                name => fate.name(),
                text => fate.text().get(lang),
                count,
                is_chosen => view.show == Some(fate),
                address => address.address(),
            }
        })
        .collect();
    let sorts: Vec<Value> = Sort::ALL
        .into_iter()
        .map(|sort| {
            context! {
                name => sort.name(),
                text => said(sort).get(lang),
                is_chosen => view.sort == sort,
            }
        })
        .collect();
    let selection = view.select(webhooks);
    let shown = Shown {
        now,
        lang,
        is_short: selection.all <= SHORT,
    };
    let page = |page: usize| {
        View {
            page,
            ..view.clone()
        }
        .address()
    };
    let last = selection.pages - 1;
    let (other, other_name) = match lang {
        Lang::En => (Lang::Zh, "中文"),
        Lang::Zh => (Lang::En, "English"),
    };
    let in_other = View {
        lang: Some(other),
        ..view.clone()
    };
    let groups = selection.groups.iter();
    environment()?.get_template(NAME)?.render(context! {
        zh => lang == Lang::Zh,
        version => env!("CARGO_PKG_VERSION"),
        upstream => table.config.upstream.to_string(),
        since => shown.time(since),
        now => http_date::rfc3339(now),
        retire_days => table.config.retire_after.as_secs() / 86_400,
        refresh => view.refresh,
        text => &view.text,
        show => view.show.map_or("", Fate::name),
        lang => match view.lang {
            Some(Lang::En) => "en",
            Some(Lang::Zh) => "zh",
            None => "",
        },
        is_filtered => !view.text.is_empty() || view.show.is_some(),
        other_name,
        other => in_other.address(),
        everything => View { lang: view.lang, ..View::default() }.address(),
        fates,
        sorts,
        all,
        matching => selection.all,
        pages => selection.pages,
        page => selection.page + 1,
        previous => (selection.page > 0).then(|| page(selection.page - 1)),
        next => (selection.page < last).then(|| page(selection.page + 1)),
        groups => groups.map(|group| shown.group(group)).collect::<Vec<_>>(),
    })
}

fn said(sort: Sort) -> Text {
    match sort {
        Sort::Failures => text!("failures first", "失败优先"),
        Sort::Plugin => text!("plugin", "按插件"),
        Sort::LastCall => text!("called last", "最近调用"),
        Sort::Calls => text!("most calls", "调用最多"),
        Sort::Silence => text!("silent longest", "最久未调用"),
    }
}

impl Shown {
    fn time(self, time: u64) -> Value {
        context! {
            ago => ago(self.now, time).get(self.lang),
            exact => http_date::rfc3339(time),
        }
    }

    /// The same; none when it never was.
    fn time_if_any(self, time: u64) -> Option<Value> {
        (time > 0).then(|| self.time(time))
    }

    fn group(self, group: &Group) -> Value {
        let webhooks: Vec<Value> = group.webhooks.iter().map(|w| self.webhook(w)).collect();
        context! { plugin => &group.plugin, webhooks }
    }

    fn webhook(self, webhook: &Webhook) -> Value {
        let calls = webhook.recent.iter();
        let failure = webhook.last_failure();
        let urls = webhook.urls.iter();
        // Only what others have not caused is worth a line of its own.
        let is_failing = webhook.fate == Fate::Failing;
        context! {
            zh => self.lang == Lang::Zh,
            is_wide => self.is_short || matches!(webhook.fate, Fate::Failing | Fate::Refusing),
            retirable => webhook.urls.iter().filter(|url| url.can_be_retired).count(),
            endpoint => &webhook.endpoint,
            url => &webhook.url,
            methods => &webhook.methods,
            auth => &webhook.auth,
            calls => webhook.calls,
            failures => webhook.failures,
            refused => webhook.refused,
            last => self.time_if_any(webhook.last),
            fate => webhook.fate.name(),
            fate_text => webhook.fate.text().get(self.lang),
            failure => failure.filter(|_| is_failing).map(|call| self.call(call, None)),
            urls => urls.map(|url| self.url(url)).collect::<Vec<_>>(),
            recent => calls.map(|(url, call)| self.call(call, Some(url))).collect::<Vec<_>>(),
            senders => self.senders(webhook),
        }
    }

    fn url(self, url: &Row) -> Value {
        context! {
            path => &url.path,
            calls => url.counts.calls(),
            failures => url.counts.failures(),
            gone => url.counts.gone(),
            last => self.time_if_any(url.counts.last),
            shared => url.plugins.len().saturating_sub(1),
            silent_days => url.silent_days,
            can_be_retired => url.can_be_retired,
        }
    }

    fn call(self, call: &RecentCall, url: Option<&Row>) -> Value {
        let plugins: Vec<String> = call.plugins.iter().map(|p| p.summary()).collect();
        context! {
            time => self.time(call.time.as_secs()),
            status => call.status,
            has_failed => call.has_failed,
            event => &call.event,
            delivery => &call.delivery,
            why => call.why(),
            sentence => sentence(call).get(self.lang),
            plugins,
            path => url.map(|url| &url.path),
        }
    }

    /// Who calls, each once.
    fn senders(self, webhook: &Webhook) -> Vec<Value> {
        let mut senders = Vec::new();
        for sender in webhook.urls.iter().flat_map(|url| &url.counts.senders) {
            let same = |(address, name, ..): &(_, _, u64, u64)| {
                *address == sender.address && *name == sender.name.as_str()
            };
            match senders.iter_mut().find(|known| same(known)) {
                Some((_, _, calls, last)) => {
                    *calls += sender.calls;
                    *last = sender.last.max(*last);
                }
                None => senders.push((sender.address, &sender.name, sender.calls, sender.last)),
            }
        }
        let value = |(address, name, calls, last): (std::net::IpAddr, &String, u64, u64)| {
            context! { address => address.to_string(), name, calls, last => self.time(last) }
        };
        senders.into_iter().map(value).collect()
    }
}

/// How a call ended, as a sentence.
fn sentence(call: &RecentCall) -> Text {
    match (call.why(), Rejection::named(call.why())) {
        (_, Some(rejection)) => {
            let of = |lang| rejection.message(lang).trim_end_matches(['.', '。']);
            Text::new(of(Lang::En), of(Lang::Zh))
        }
        ("answered", _) => text!("The plugin answered", "插件已响应"),
        ("several", _) if call.has_failed => {
            text!("Not every plugin succeeded", "并非所有插件都成功")
        }
        ("several", _) => text!("Several plugins were called", "已调用多个插件"),
        ("sender_gone", _) => text!(
            "The sender left before the reply",
            "发送方未等到响应就断开了"
        ),
        (word, None) => Text::verbatim(word),
    }
}
