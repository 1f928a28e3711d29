"""What a form of ours sends."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, Request

MOST_FIELDS = 8


async def form_fields(request: Request) -> dict[str, str]:
    """The first value of each field; nothing for what is no form."""
    try:
        found = parse_qs((await request.body()).decode(), max_num_fields=MOST_FIELDS)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}


Fields = Annotated[dict[str, str], Depends(form_fields)]
