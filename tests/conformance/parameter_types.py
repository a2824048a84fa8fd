"""Asks FastAPI about the parameters that `rehook` takes for good ones.

Usage: parameter_types.py. Each line of `parameter_types/table.txt` is a parameter, and whether FastAPI
takes it; a test of `src/migrate/find/handler/parameters` holds the same lines against what is
migrated. Here a route is made with each: one that is `taken` has to be taken, and must not break the
OpenAPI document of the others; one that is `refused` has to be refused. Exits with 1 if a line is
wrong.
"""

import sys
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "parameter_types"))
sys.dont_write_bytecode = True
warnings.simplefilter("ignore")

import fastapi
import names
from fastapi import APIRouter, FastAPI


def refusal(parameter: str) -> str:
    """What FastAPI says against a handler with the parameter; nothing when it takes it."""
    scope = vars(names)
    exec(f"async def handler(request: Request, {parameter}): return 1", scope)
    try:
        router = APIRouter()
        router.api_route("/path", methods=["GET", "POST"], include_in_schema=False)(
            scope["handler"]
        )
        app = FastAPI()
        app.include_router(router)
        app.openapi()
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""


def main() -> int:
    lines = (HERE / "parameter_types/table.txt").read_text(encoding="utf-8").splitlines()
    is_old = fastapi.__version__.startswith("0.110.") and sys.version_info < (3, 12)
    wrong = asked = 0
    for line in lines:
        verdict, _, parameter = line.partition(" ")
        if not parameter or verdict == "#":
            continue
        asked += 1
        said = refusal(parameter.strip())
        refuses = verdict == "refused" or (verdict == "older" and is_old)
        if (verdict == "taken" and said) or (refuses and not said):
            wrong += 1
            print(f"{line}\n    {said or 'is taken'}")
    python = ".".join(map(str, sys.version_info[:2]))
    print(f"parameters: {wrong} wrong of {asked}, with FastAPI {fastapi.__version__} on {python}")
    return int(wrong > 0 or asked == 0)


if __name__ == "__main__":
    sys.exit(main())
