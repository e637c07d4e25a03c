"""A browser for tests of pages: Debian's Chromium, or another one with its driver; skipped with a word without it."""

import shutil

import pytest


def start(folder):
    """A browser without a window; the test is skipped where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="no selenium: pip install -e '.[browser]'")
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no Chromium with its driver: apt install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for one in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={folder}",
    ):
        options.add_argument(one)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    opened.set_script_timeout(120)
    return opened


class Page:
    """A page of `markov page` in a browser."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, path):
        """Load a page and wait until its model is there."""
        self.driver.get(path.as_uri())
        self.wait("while (!window.markov?.ready) await new Promise((go) => setTimeout(go, 10));")
        return self

    def run(self, script, *given):
        """The value of a script."""
        return self.driver.execute_script(script, *given)

    def wait(self, script, *given):
        """The value of a script, which may wait."""
        whole = f"const done = [...arguments].pop(); (async () => {{ {script} }})().then(done, (e) => done(String(e)));"
        return self.driver.execute_async_script(whole, *given)

    def type(self, name, text):
        """Set a field by its id, as typing does."""
        self.run(
            "const f = document.getElementById(arguments[0]); f.value = arguments[1];"
            "f.dispatchEvent(new Event('input', {bubbles: true}));",
            name,
            text,
        )

    def click(self, name):
        """Press the button with this id, and wait until texts are written."""
        self.run("document.getElementById(arguments[0]).click()", name)
        self.wait(
            "while (document.getElementById('written').getAttribute('aria-busy') === 'true')"
            " await new Promise((go) => setTimeout(go, 10)); return true;"
        )

    def texts(self, selector):
        """The text of elements."""
        return self.run("return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)", selector)

    def value(self, name):
        """The text of a field."""
        return self.run("return document.getElementById(arguments[0]).value", name)

    def complaints(self):
        """Lines of the console that report an error."""
        return [line["message"] for line in self.driver.get_log("browser") if line["level"] == "SEVERE"]
