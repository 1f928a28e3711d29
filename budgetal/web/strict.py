"""The base of all records of the API."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Refuses unknown fields, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
