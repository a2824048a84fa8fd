//! Whether an agent answers: any reply of HTTP will do, since nobody knows what it serves at `/`.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::shim::http::upstream_url::UpstreamUrl;
use crate::shim::upstream::dial::dial;

/// How long an agent may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks it.
pub(super) async fn answers(url: &UpstreamUrl) -> bool {
    matches!(timeout(PATIENCE, ask(url)).await, Ok(Some(true)))
}

async fn ask(url: &UpstreamUrl) -> Option<bool> {
    let mut stream = dial(url).await.ok()?;
    let request = format!(
        "HEAD {}/ HTTP/1.1\r\nHost: {}\r\nUser-Agent: rehook\r\nConnection: close\r\n\r\n",
        url.prefix(),
        url.authority()
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut start = [0u8; 7];
    stream.read_exact(&mut start).await.ok()?;
    Some(&start == b"HTTP/1.")
}
