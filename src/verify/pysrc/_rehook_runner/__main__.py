"""The file that Python is given."""

import os
import sys

# Python looks for modules in the folder of this file first: then each of them would be one at the top.
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [
    os.path.dirname(HERE),
    *(folder for folder in sys.path if folder != HERE),
]

from _rehook_runner.main import main  # noqa: E402

main(*sys.argv[1:])
