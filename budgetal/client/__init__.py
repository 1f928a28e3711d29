"""A client of the HTTP API, for programs that label or watch. Standard library only.

client = Client("http://127.0.0.1:8000", token)
for item in client.claim(4):
    client.label(item, classify(client.image(item)))
"""

from budgetal.client.client import ClaimedItem, Client
from budgetal.client.transport import ServerError

__all__ = ["ClaimedItem", "Client", "ServerError"]
