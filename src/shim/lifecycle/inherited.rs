//! Sockets that systemd has opened for us: they stay open while we restart, so that nobody is refused
//! meanwhile.
//!
//! Invariants: a socket that was passed is used, or the start fails and says why; one without a name of
//! its own is for senders.

use std::io;
use std::net::TcpListener;

use listenfd::ListenFd;

use crate::text;
use crate::text::translate;
use crate::user_error::UserError;

/// What systemd has passed.
#[derive(Debug, Default)]
pub(super) struct Inherited {
    /// For senders.
    pub(super) senders: Vec<TcpListener>,
    /// For the operator.
    pub(super) admin: Option<TcpListener>,
}

/// What a socket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Senders,
    Admin,
    Unknown,
}

impl Purpose {
    /// What the name of a socket says.
    fn of(name: &str) -> Self {
        match name {
            "admin" => Self::Admin,
            // What systemd calls one that has no name: the name of its unit, or this.
            "listen" | "" | "unknown" => Self::Senders,
            unit if unit.ends_with(".socket") => Self::Senders,
            _ => Self::Unknown,
        }
    }
}

/// Takes the sockets that were passed.
///
/// # Errors
/// When one of them cannot be used.
pub(super) fn take() -> Result<Inherited, UserError> {
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let names: Vec<&str> = names.split(':').collect();
    let mut passed = ListenFd::from_env();
    let mut inherited = Inherited::default();
    for number in 0..passed.len() {
        let name = names.get(number).copied().unwrap_or_default();
        let purpose = Purpose::of(name);
        if purpose == Purpose::Unknown {
            return Err(unknown(name));
        }
        let listener = passed
            .take_tcp_listener(number)
            .and_then(|listener| listener.ok_or_else(|| io::ErrorKind::InvalidInput.into()))
            .map_err(|_| not_tcp(name))?;
        listener
            .set_nonblocking(true)
            .map_err(|error| unusable(name, &error))?;
        match purpose {
            Purpose::Admin if inherited.admin.is_some() => return Err(two_of_admin()),
            Purpose::Admin => inherited.admin = Some(listener),
            Purpose::Senders | Purpose::Unknown => inherited.senders.push(listener),
        }
    }
    Ok(inherited)
}

fn unknown(name: &str) -> UserError {
    UserError::new(
        text!(
            "systemd has passed a socket with the name `{name}`, which is not known",
            "systemd 传入了名为 `{name}` 的套接字，无法识别"
        ),
        text!(
            "write FileDescriptorName=listen or FileDescriptorName=admin into its unit",
            "请在套接字单元中写 FileDescriptorName=listen 或 FileDescriptorName=admin"
        ),
    )
}

fn not_tcp(name: &str) -> UserError {
    UserError::new(
        text!(
            "the socket `{name}` that systemd has passed does not listen on TCP",
            "systemd 传入的套接字 `{name}` 不是 TCP 监听套接字"
        ),
        text!(
            "write ListenStream= with an address and a port, as in 127.0.0.1:8080, and no Accept=yes",
            "请在 ListenStream= 中写地址和端口，例如 127.0.0.1:8080，且不要写 Accept=yes"
        ),
    )
}

fn unusable(name: &str, error: &io::Error) -> UserError {
    let reason = translate::io_error(error);
    let (en, zh) = reason.both();
    UserError::new(
        text!(
            "the socket `{name}` that systemd has passed cannot be used: {en}",
            "无法使用 systemd 传入的套接字 `{name}`：{zh}"
        ),
        text!("look at its unit", "请检查套接字单元"),
    )
}

fn two_of_admin() -> UserError {
    UserError::new(
        text!(
            "systemd has passed two sockets with the name `admin`",
            "systemd 传入了两个名为 `admin` 的套接字"
        ),
        text!("keep one of them", "请只保留一个"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_a_socket_is_for() {
        for (name, purpose) in [
            ("listen", Purpose::Senders),
            ("", Purpose::Senders),
            ("unknown", Purpose::Senders),
            ("rehook-shim.socket", Purpose::Senders),
            ("admin", Purpose::Admin),
            ("metrics", Purpose::Unknown),
        ] {
            assert_eq!(Purpose::of(name), purpose, "{name}");
        }
    }
}
