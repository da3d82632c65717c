"""Sign-in with OpenID Connect, from the browser over a real provider and back."""

from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.settings import DATABASE_NAME
from app.store import people
from app.store.engine import Database
from app.store.people import Person
from tests.app.server import Server, needs_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.app.oidc_provider import Provider

pytestmark = [
    needs_browser,
    pytest.mark.skipif(find_spec("authlib") is None, reason="OpenID Connect needs the extra review-oidc"),
]
READER = "li@hospital.cn"


@pytest.fixture(scope="module")
def provider() -> Iterator["Provider"]:
    from tests.app.oidc_provider import Provider

    running = Provider()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def server(
    provider: "Provider", make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    from tests.app.oidc_provider import CLIENT_ID, CLIENT_SECRET

    folder = tmp_path_factory.mktemp("oidc")
    project = make_run(folder / "run", num_cases=2)
    with closing(Database(project / DATABASE_NAME)) as database:
        reader = Person(name=READER, display_name="李医师", roles=frozenset({"reader"}))
        people.put(database, reader, actor="local")
    secrets = folder / "oidc.toml"
    running = Server(project, folder / "server.log", "--sign-in", "oidc", "--oidc", str(secrets))
    lines = {
        "redirect_uri": f"{running.url}/oauth2callback",
        "cookie_secret": "0123456789abcdef0123456789abcdef",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "server_metadata_url": f"{provider.issuer}/.well-known/openid-configuration",
    }
    secrets.write_text("[auth]\n" + "".join(f'{name} = "{value}"\n' for name, value in lines.items()))
    secrets.chmod(0o600)
    running.start()
    yield running
    running.kill()


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """A page of a new reader; it asks the provider, too."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    yield context.new_page()
    context.close()


def sign_in(page: "Page", server: Server) -> None:
    page.goto(server.url)
    page.get_by_text("请先登录").wait_for()
    assert page.locator("[data-testid=stDataFrame]").count() == 0
    page.get_by_role("button", name="登录", exact=True).click()


def test_who_signs_in_is_the_person_of_that_claim_until_they_sign_out(
    server: Server, provider: "Provider", page: "Page"
):
    provider.claims = {"sub": "1", "email": READER.upper(), "email_verified": True}
    sign_in(page, server)
    page.wait_for_selector("[data-testid=stDataFrame]")
    page.goto(f"{server.url}/people")
    page.get_by_text("无权访问").wait_for()
    page.goto(f"{server.url}/about")
    page.get_by_role("button", name="退出登录").click()
    page.get_by_text("请先登录").wait_for()


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"sub": "2", "email": "stranger@hospital.cn", "email_verified": True}, "stranger@hospital.cn"),
        ({"sub": "3", "email": READER, "email_verified": False}, "尚未验证"),
        ({"sub": "4"}, "没有可用的姓名标识"),
    ],
    ids=["stranger", "unverified", "nameless"],
)
def test_a_stranger_an_unverified_address_and_no_name_see_no_case(
    server: Server, provider: "Provider", page: "Page", claims: dict[str, object], said: str
):
    provider.claims = claims
    sign_in(page, server)
    page.get_by_text(said).first.wait_for()
    assert page.locator("[data-testid=stDataFrame]").count() == 0
    assert "胸腔" not in page.content()
