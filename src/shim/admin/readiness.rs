//! Whether an agent answers: any reply of HTTP will do, since nobody knows what it serves at `/`.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::shim::config::UpstreamUrl;

/// How long an agent may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks it.
pub(super) async fn answers(url: &UpstreamUrl) -> bool {
    matches!(timeout(PATIENCE, ask(url)).await, Ok(Ok(true)))
}

async fn ask(url: &UpstreamUrl) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect((url.host(), url.port())).await?;
    let request = format!(
        "HEAD {}/ HTTP/1.1\r\nHost: {}\r\nUser-Agent: rehook\r\nConnection: close\r\n\r\n",
        url.prefix(),
        url.authority()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut start = [0u8; 7];
    stream.read_exact(&mut start).await?;
    Ok(&start == b"HTTP/1.")
}
