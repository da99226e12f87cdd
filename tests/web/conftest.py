"""A page with real workers for all tests of this folder, and an empty database for each."""

from __future__ import annotations

import pytest

pytest.importorskip("django", reason="the extra web is not installed")

import web_page


@pytest.fixture(scope="session")
def workers():
    from django.core.management import call_command

    from lzgis.web import pages
    from lzgis.web.supervisor import Supervisor

    call_command("migrate", verbosity=0, interactive=False)
    supervisor = Supervisor(web_page.OPTIONS)
    pages.use(supervisor)
    supervisor.start()
    yield supervisor
    supervisor.stop()


@pytest.fixture
def page(workers):
    """A browser on a page without accounts, whose database is empty."""
    from django.core.management import call_command

    call_command("flush", verbosity=0, interactive=False)
    return web_page.client()
