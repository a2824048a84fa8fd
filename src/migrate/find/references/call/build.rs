//! From a call of the method to the webhooks that it registers, or to the reason why it needs a manual
//! change.

use crate::migrate::diagnostic::Code;
use crate::migrate::edit::ByteRange;
use crate::migrate::find::blocker::Blocker;
use crate::migrate::find::handler::Handler;
use crate::migrate::find::lookup::turns::loops::environments;
use crate::migrate::find::lookup::turns::registrar::{Registrar, ResultUse, Turn, Unseen};
use crate::migrate::find::model::{
    CallSite, CallableKind, Endpoint, Form, LeadingSlash, Reference, ReferenceKind, Webhook,
};
use crate::migrate::find::path_parameters;
use crate::migrate::find::references::call::callee::Callee;
use crate::migrate::find::references::call::callee::receiver::Receiver;
use crate::migrate::find::references::finder::Finder;
use crate::migrate::find::references::handler_of::Target;
use crate::migrate::find::references::method::OLDER_METHOD;
use crate::migrate::python::ast;
use crate::migrate::python::ast::Expr;
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{PluginId, Scope};
use crate::migrate::python::tree::range_of;
use crate::routes::Dialect;
use crate::text;
use crate::text::Text;

impl<'a> Finder<'a> {
    pub(crate) fn registration(
        &mut self,
        call: &'a ast::ExprCall,
        callee: &Callee<'a>,
        form: Form,
        target: &Target<'a>,
    ) {
        let place = callee.place;
        self.called_by_name.extend(callee.alias);
        let plugin = match &callee.plugin {
            Receiver::Plugin(id) => id.clone(),
            Receiver::NotOurs => {
                self.references
                    .push(Reference::new(place, ReferenceKind::NotOurs));
                return;
            }
            Receiver::Unknown(detail) => {
                let range = callee.receiver.map_or(callee.range, range_of);
                let site = self.call_site(call, callee).ok();
                let endpoint = site.and_then(|site| self.endpoint(call, &site));
                let endpoint = endpoint
                    .and_then(|endpoint| self.loop_reader().text_of(self.resolver(), &endpoint));
                self.unclear(None, endpoint.clone(), range_of(call), true);
                let before = self.references.len();
                self.by_hand(place, Code::UnknownPlugin, range, detail.clone());
                self.say_known(before, None, endpoint.as_deref());
                return;
            }
        };
        let before = self.references.len();
        let endpoint = self.registration_on(plugin.clone(), call, callee, form, target);
        self.say_known(before, Some(&plugin), endpoint.as_deref());
    }

    /// A registration on a plugin; gives its endpoint, if that is the same at any time.
    fn registration_on(
        &mut self,
        plugin: PluginId,
        call: &'a ast::ExprCall,
        callee: &Callee<'a>,
        form: Form,
        target: &Target<'a>,
    ) -> Option<String> {
        let place = callee.place;
        let site = match self.call_site(call, callee) {
            Ok(site) => site,
            Err(detail) => {
                self.unclear(Some(plugin), None, range_of(call), true);
                self.by_hand(place, Code::UnusualArguments, range_of(call), detail);
                return None;
            }
        };
        let Some(endpoint) = self.endpoint(call, &site) else {
            self.unclear(Some(plugin), None, range_of(call), true);
            self.by_hand(
                place,
                Code::UnusualArguments,
                range_of(call),
                text!("no endpoint is given here", "此处没有给出 endpoint"),
            );
            return None;
        };
        let known = self.loop_reader().text_of(self.resolver(), &endpoint);
        let registration = Registration {
            call,
            endpoint,
            plugin,
            site,
            form,
            target,
            is_older: callee.is_older,
        };
        let of_registrar = self.turns_of_registrar(call, target);
        let (mut registrar, of_registrar) = of_registrar.map_or((None, None), |(name, turns)| {
            (turns.is_ok().then_some(name), turns.ok())
        });
        if let Target::Held(held) = target {
            registrar = Some(held.name.to_owned());
        }
        let turns = of_registrar.or_else(|| {
            let of_loops = environments(&self.loops, range_of(call))?.into_iter();
            let turn = |scopes| Turn {
                scopes,
                ..Turn::default()
            };
            Some(of_loops.map(turn).collect())
        });
        let late = match &registrar {
            Some(_) => None,
            None => self.timing(turns.is_none()),
        };
        let mut webhooks: Vec<Webhook> = Vec::new();
        for turn in turns.unwrap_or_else(|| vec![Turn::default()]) {
            match self.webhook(&registration, &turn) {
                Ok(mut webhook) => {
                    if let Some((code, detail)) = &late {
                        let problem = Blocker::manual(*code, range_of(call), detail.clone());
                        webhook.handler.problems.push(problem);
                    }
                    webhook.registrar.clone_from(&registrar);
                    webhooks.push(webhook);
                }
                Err((code, range, detail)) => {
                    self.unclear(
                        Some(registration.plugin),
                        known.clone(),
                        range_of(call),
                        true,
                    );
                    self.by_hand(place, code, range, detail);
                    return known;
                }
            }
        }
        let is_made_anew = |webhook: &Webhook| {
            let handler = webhook.handler.range;
            self.loops.iter().any(|one| one.body().contains(handler))
        };
        match together(webhooks, &is_made_anew) {
            Ok(webhooks) => self
                .references
                .push(Reference::new(place, ReferenceKind::Webhooks(webhooks))),
            Err((code, detail)) => {
                self.unclear(Some(registration.plugin), None, range_of(call), true);
                self.by_hand(place, code, range_of(call), detail);
            }
        }
        known
    }

    /// What is around the registration `call` each time that it runs, where it stands in a function that
    /// may register for its callers, and the name of that; none where it does not.
    pub(crate) fn turns_of_registrar(
        &self,
        call: &ast::ExprCall,
        target: &Target<'_>,
    ) -> Option<(String, Result<Vec<Turn>, Unseen>)> {
        let result = match target {
            Target::Returned => ResultUse::Returned,
            Target::Decorated(_) | Target::Applied(_) => ResultUse::Inside,
            Target::Held(..) | Target::Nothing => return None,
        };
        if self.in_lambda || !self.loops.is_empty() || !self.branches.is_empty() {
            return None;
        }
        let functions = self.functions.iter().map(|one| one.definition);
        let functions: Vec<Definition<'_>> = functions.collect();
        let registrar = Registrar::of(self.resolver(), &functions)?;
        let turns = registrar.turns(range_of(call), result);
        Some((registrar.name().to_owned(), turns))
    }

    /// What is said of the use of a registrar which is why `call` in it is not understood.
    pub(crate) fn use_not_understood(
        &self,
        call: &ast::ExprCall,
        target: &Target<'_>,
    ) -> Option<Text> {
        let (name, turns) = self.turns_of_registrar(call, target)?;
        let Err(Unseen::Use(place)) = turns else {
            return None;
        };
        let (line, _) = self.loaded.module.source().position(place.start());
        Some(text!(
            "`{name}` registers for its callers, and its use in line {line} is not understood",
            "`{name}` 替调用方注册，而无法理解第 {line} 行对它的使用"
        ))
    }

    /// What a call registers in one turn.
    fn webhook(
        &self,
        registration: &Registration<'_, 'a>,
        turn: &Turn,
    ) -> Result<Webhook, Obstacle> {
        let call = range_of(registration.call);
        let endpoint = range_of(&registration.endpoint);
        let locals: Vec<Scope> = self.scopes.iter().chain(&turn.scopes).cloned().collect();
        let value = self
            .loop_reader()
            .text_of(self.with_locals(&locals), &registration.endpoint)
            .filter(|_| self.with_locals(&locals).lasts(&registration.endpoint));
        let Some(value) = value else {
            let of_registrar = self.use_not_understood(registration.call, registration.target);
            let detail = of_registrar.unwrap_or_else(|| {
                text!(
                    "the endpoint is not a constant that can be seen",
                    "无法从源代码确定端点的取值：它不是常量"
                )
            });
            return Err((Code::UnknownEndpoint, endpoint, detail));
        };
        let of_path = path_parameters::names(&value);
        let (target, form) = (registration.target, registration.form);
        let reached = self.handler_of(target, form, registration.call, turn, &of_path);
        let Some((dialect, mut handler, callable)) = reached else {
            return Err((Code::UnknownHandler, call, self.no_definition(target)));
        };
        if let Some(detail) = path_parameters::problem(&value, dialect, &handler) {
            return Err((Code::UnusableEndpoint, endpoint, detail));
        }
        let dialect = known_dialect(registration, dialect, &mut handler)?;
        let slash = if value.starts_with('/') {
            LeadingSlash::Always
        } else {
            LeadingSlash::Never
        };
        Ok(Webhook {
            plugin: registration.plugin.clone(),
            endpoint: Endpoint { value, slash },
            dialect,
            call: registration.site.clone(),
            form,
            handler,
            callable,
            is_further: false,
            registrar: None,
            branches: self
                .branches
                .iter()
                .chain(&turn.branches)
                .copied()
                .collect(),
        })
    }

    /// Why there is no handler.
    fn no_definition(&self, target: &Target<'a>) -> Text {
        if self.is_lambda(target) {
            text!(
                "a lambda is registered here, which is no `async def` and has no annotation for its parameter",
                "此处注册的是 lambda：它不是 `async def`，也无法为参数添加类型注解"
            )
        } else {
            text!(
                "cannot find the definition of the registered function",
                "看不到此处注册的函数的定义"
            )
        }
    }
}

/// Why a call needs a manual change: the reason, the place, and what is the case there.
type Obstacle = (Code, ByteRange, Text);

/// The dialect of a handler, where the method that registers it takes that.
fn known_dialect(
    registration: &Registration<'_, '_>,
    dialect: Option<Dialect>,
    handler: &mut Handler,
) -> Result<Dialect, Obstacle> {
    let call = range_of(registration.call);
    match dialect {
        Some(Dialect::Context) if registration.is_older => Err((
            Code::UnknownDialect,
            call,
            text!(
                "`{}` is for handlers that take a Request, and `{}` takes an AgentCtx",
                "`{}` 用于接收 Request 的处理函数，而 `{}` 接收的是 AgentCtx",
                OLDER_METHOD,
                handler.name
            ),
        )),
        Some(dialect) => Ok(dialect),
        None => Err(match handler.problems.drain(..).next() {
            Some(problem) => (problem.code, problem.range, problem.detail),
            None => (Code::UnknownDialect, call, Code::UnknownDialect.title()),
        }),
    }
}

/// A call that registers webhooks.
struct Registration<'t, 'a> {
    call: &'a ast::ExprCall,
    endpoint: Expr,
    plugin: PluginId,
    site: CallSite,
    form: Form,
    target: &'t Target<'a>,
    is_older: bool,
}

/// The webhooks that one call registers, one for each turn: they become routes together,
/// so they have to be of one kind, and no endpoint may be there twice.
fn together(
    all: Vec<Webhook>,
    is_made_anew: &dyn Fn(&Webhook) -> bool,
) -> Result<Vec<Webhook>, (Code, Text)> {
    let mut webhooks: Vec<Webhook> = Vec::with_capacity(all.len());
    for mut webhook in all {
        if let Some(first) = webhooks.first() {
            if first.dialect != webhook.dialect {
                return Err((
                    Code::UnknownDialect,
                    text!(
                        "handlers of both APIs are registered here",
                        "此处注册的处理函数分属两种接口"
                    ),
                ));
            }
            let of_instances = |one: &Webhook| one.callable.kind == CallableKind::Instance;
            if of_instances(first) != of_instances(&webhook) {
                return Err((
                    Code::UnknownHandler,
                    text!(
                        "functions and other objects are registered here",
                        "此处既注册了函数，也注册了其他对象"
                    ),
                ));
            }
        }
        let same = |other: &&Webhook| other.endpoint.value == webhook.endpoint.value;
        if let Some(other) = webhooks.iter().find(same) {
            // The same function at the same endpoint, once more.
            let is_same = other.handler.range == webhook.handler.range
                && other.callable.kind == CallableKind::Function
                && webhook.form == Form::Call
                && !is_made_anew(&webhook);
            if is_same {
                continue;
            }
            return Err((
                Code::UnknownOrder,
                text!(
                    "the endpoint `{}` is registered more than once here, of which only the last counted",
                    "此处多次注册了端点 `{}`，以往只有最后一次生效",
                    webhook.endpoint.value
                ),
            ));
        }
        webhook.is_further = !webhooks.is_empty();
        webhooks.push(webhook);
    }
    let slashes = webhooks.iter().map(|one| one.endpoint.slash);
    let is_mixed = slashes.clone().any(|one| one == LeadingSlash::Always)
        && slashes.clone().any(|one| one == LeadingSlash::Never);
    if is_mixed {
        for webhook in &mut webhooks {
            webhook.endpoint.slash = LeadingSlash::Sometimes;
        }
    }
    Ok(webhooks)
}
