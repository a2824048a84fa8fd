//! New connections to an agent, by address, by name, or by a socket in the file system.
//!
//! Invariant: an address of a name that swallows connections does not use up the time of the others.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::task::JoinSet;

use crate::shim::http::rejection::Rejection;
use crate::shim::http::upstream_url::{AgentAddress, UpstreamUrl};
use crate::shim::upstream::stream::Stream;

/// How long one address of a name is waited for before the next is tried beside it (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum DialError {
    /// The name is not known, or not known now.
    Name,
    /// What the system says.
    System(io::Error),
}

impl DialError {
    /// What the sender is told.
    pub(super) fn rejection(&self) -> Rejection {
        match self {
            Self::Name => Rejection::UpstreamName,
            Self::System(error) if error.kind() == io::ErrorKind::TimedOut => {
                Rejection::UpstreamSilent
            }
            Self::System(_) => Rejection::UpstreamGone,
        }
    }
}

/// Makes a connection.
pub(crate) async fn dial(url: &UpstreamUrl) -> Result<Stream, DialError> {
    let (host, port) = match url.address() {
        AgentAddress::Tcp(host, port) => (host.as_str(), *port),
        AgentAddress::Unix(path) => {
            let stream = UnixStream::connect(path).await;
            return stream.map(Stream::Unix).map_err(DialError::System);
        }
    };
    let stream = match host.parse() {
        Ok(address) => TcpStream::connect(SocketAddr::new(address, port)).await,
        Err(_) => {
            let addresses = lookup_host((host, port)).await;
            first_of(addresses.map_err(|_| DialError::Name)?.collect()).await
        }
    };
    let stream = stream.map_err(DialError::System)?;
    stream.set_nodelay(true).map_err(DialError::System)?;
    Ok(Stream::Tcp(stream))
}

/// The first connection to one of `addresses`, tried in their order.
async fn first_of(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut attempts = JoinSet::new();
    let mut left = addresses.into_iter();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        if let Some(address) = left.next() {
            attempts.spawn(TcpStream::connect(address));
        }
        if attempts.is_empty() {
            return Err(last);
        }
        tokio::select! {
            Some(ended) = attempts.join_next() => match ended {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error,
                Err(_) => {}
            },
            () = tokio::time::sleep(HEAD_START), if left.len() > 0 => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Listens, and swallows every connection but the first two.
    fn swallowing() -> (std::net::TcpListener, Vec<std::net::TcpStream>) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut taken = Vec::new();
        let soon = Duration::from_millis(300);
        while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, soon) {
            taken.push(stream);
        }
        (listener, taken)
    }

    #[test]
    fn an_address_that_swallows_connections_does_not_keep_from_the_next() {
        let (swallows, _taken) = swallowing();
        let takes = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addresses = [&swallows, &takes].map(|listener| listener.local_addr().unwrap());
        let refuses = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let refused = refuses.local_addr().unwrap();
        drop(refuses);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        // The system itself gives an address up after two minutes.
        let patience = Duration::from_secs(60);
        runtime.block_on(async {
            let soon = tokio::time::timeout(patience, first_of(addresses.to_vec()));
            let stream = soon.await.unwrap().unwrap();
            assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
            let stream = first_of(vec![refused, addresses[1]]).await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
            let error = first_of(vec![refused]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
            assert!(first_of(Vec::new()).await.is_err());
        });
    }
}
