"""Stands in for the runner, which says that it is not there."""

import json
import sys

sys.stdin.read()
print(json.dumps({"event": "fatal", "reason": "internal", "detail": "there is no runner yet"}))
