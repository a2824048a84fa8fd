"""How long things may take, and how often they are tried."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """They come with the job (`limits.rs`), since whoever waits for the results has to know them."""

    # A side of a case, or the start of a search; and how much longer its process may take to say that
    # it hangs before it is ended.
    side_seconds: int
    grace_seconds: int
    # The search for requests, for all routes of a plugin together.
    search_seconds: int
    # A request of it. One that takes longer does not end; only waiting is that slow, and nothing here
    # waits.
    request_seconds: int
    # How often a search begins anew, without the request that did not end.
    search_restarts: int
    # How many requests that end the process are left out.
    left_out_requests: int
    # How much is said of all requests that are to be saved.
    saved_bytes: int
