"""Templates of pages that people keep as files."""

import jinja2


def environment() -> jinja2.Environment:
    """Where the package's templates are found; texts are escaped, and a name that is missing is an error."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("budgetal", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["tight"] = lambda text: text.replace(" %", "\u00a0%")
    return made
