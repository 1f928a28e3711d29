"""What axe-core finds wrong with a page for those who read it by ear, by keyboard or with weak eyes."""

from axe_core_python.selenium import Axe

GRAVE = ("serious", "critical")


def faults(browser) -> list[str]:
    """Grave faults of the page as it is shown now, one line each: the rule, what it asks, and where it is broken."""
    found = Axe().run(browser)["violations"]
    return [
        f"{fault['id']}: {fault['help']}: {', '.join(str(node['target'][0]) for node in fault['nodes'][:5])}"
        for fault in found
        if fault["impact"] in GRAVE
    ]
