"""Ways to the leases that are in somebody's hands, however many images were handed out before."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the indexes; no row changes."""
    op.create_index("leases_in_hand", "leases", ["clock", "expires_s"])
    op.create_index("leases_by_owner", "leases", ["owner", "note"])
