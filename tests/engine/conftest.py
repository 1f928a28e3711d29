"""What tests of the engine share."""

import pytest
from tiny import tiny_images


@pytest.fixture
def pool(request):
    """Pixels and labels of as many tiny images as the test module's N."""
    return tiny_images(request.module.N)
