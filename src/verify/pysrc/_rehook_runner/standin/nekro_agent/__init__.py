"""A stand-in for nekro-agent: the part of its API that webhooks and dynamic routes need.

Where the agent is not installed, plugins are verified on this. It offers names under the import
paths of the real agent (release 2.4.0), treats requests as that one does, and leads nowhere: there
are no chats, no database, no model. It needs FastAPI, pydantic and the standard library. That it
answers as the real agent is shown by `tests/conformance/standin.py`, with every fixture.

What it lacks is said when it is imported or used, in words that `lacking` has.
"""

import sys

from nekro_agent.lacking import Finder

sys.meta_path.insert(0, Finder)
