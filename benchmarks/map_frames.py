"""What a frame of the map costs while it is moved, in a headless Chromium that draws in software.

Example:
    python benchmarks/map_frames.py --n 50000 --json
    python benchmarks/map_frames.py --against ../before/budgetal/web/static   # two versions in turn, and their ratio

On a machine that is busy with other work the clock tells of that work, the processor time hardly does.
Needs Chromium, chromedriver and selenium (the extra `dev`).
"""

import argparse
import functools
import json
import shutil
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

STATIC = Path(__file__).parents[1] / "budgetal" / "web" / "static"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
)
PAGE = b"""<!doctype html><meta charset="utf-8"><title>map</title>
<style>body { margin: 0 } canvas { width: 100vw; height: 100vh; display: block }</style><canvas id="map"></canvas>"""
SET_UP = """
const [n, done] = arguments;
import("/map_view.js").then(async ({ MapView }) => {
  const view = (window.view = new MapView(document.getElementById("map")));
  let state = 1;
  const random = () => ((state = (1664525 * state + 1013904223) >>> 0) / 2 ** 32);
  const place = (k) => Math.cos(1 + ((k >> 1) % 10) * ((k % 2) + 1)) + 0.3 * (random() + random() - 1);
  view.place(Float32Array.from({ length: 2 * n }, (_, k) => place(k)));
  view.fit();
  const looks = Uint8Array.from({ length: 4 * n }, (_, k) => (k % 4 === 3 ? 15 : 40 + 20 * ((k >> 2) % 10)));
  view.paint(looks, Uint32Array.from({ length: n }, (_, i) => i));
  window.drawn = 0;
  view.onDrawn = () => (window.drawn += 1);
  setTimeout(done, 500);
});
"""
MOVES = {
    "panned": "view.pan(i % 40 < 20 ? 6 : -6, i % 2)",
    "zoomed": "view.zoom(i % 40 < 20 ? 1.03 : 1 / 1.03)",
}
MOVE = """
const [frames, done] = arguments;
const frame = () => new Promise(requestAnimationFrame);
const move = async () => {
  const began = await frame();
  for (let i = 1; i <= frames; i++) {
    %s;
    await frame();
  }
  // Until the last one is on the screen.
  view.gl.finish();
  done(performance.now() - began);
};
move();
"""
REST = """
const [done] = arguments;
setTimeout(() => {
  const before = window.drawn;
  const { canvas } = view;
  setTimeout(() => done({ frames: window.drawn - before, sharp: canvas.width === canvas.clientWidth }), 1000);
}, 2000);
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=50_000, help="points")
    parser.add_argument("--frames", type=int, default=60, help="of each movement, each time")
    parser.add_argument("--times", type=int, default=3, help="how often each version is measured, in turn")
    parser.add_argument("--against", type=Path, help="folder of another version's static files")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    versions = {"now": STATIC} | ({"before": options.against} if options.against else {})
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in versions}
    for _ in range(options.times):
        for name, folder in versions.items():
            runs[name].append(measured(folder, options.n, options.frames))
    show({"n": options.n, **{name: summary(found) for name, found in runs.items()}}, as_json=options.json)


def measured(static: Path, n: int, frames: int) -> dict[str, Any]:
    """Milliseconds a frame of panning and of zooming, by the clock and of processor time; what is drawn at rest."""
    found: dict[str, Any] = {}
    with served(static) as address, chromium() as browser:
        browser.get(address)
        browser.execute_async_script(SET_UP, n)
        for name, move in MOVES.items():
            began_s = processor_s(browser)
            found[f"{name}_ms"] = browser.execute_async_script(MOVE % move, frames) / frames
            found[f"{name}_processor_ms"] = 1000 * (processor_s(browser) - began_s) / frames
        found["rest"] = browser.execute_async_script(REST)
    return found


def processor_s(browser: webdriver.Chrome) -> float:
    """Processor time of all processes of the browser so far."""
    driver = psutil.Process(browser.service.process.pid)
    times = [process.cpu_times() for process in driver.children(recursive=True)]
    return sum(one.user + one.system for one in times)


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the runs. sharp_at_rest: whether the picture has the window's resolution once nothing moves."""
    names = [name for name in runs[0] if name.endswith("_ms")]
    return {
        **{name: round(statistics.median(run[name] for run in runs), 1) for name in names},
        "frames_at_rest": max(run["rest"]["frames"] for run in runs),
        "sharp_at_rest": all(run["rest"]["sharp"] for run in runs),
    }


def show(found: dict[str, Any], *, as_json: bool) -> None:
    if "before" in found:
        names = [name for name in found["now"] if name.endswith("_ms")]
        found["times_as_fast"] = {name: round(found["before"][name] / found["now"][name], 2) for name in names}
    print(json.dumps(found, indent=1) if as_json else "\n".join(f"{name}: {value}" for name, value in found.items()))


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The files of `folder`, with a page that holds nothing but the map."""

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/":
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.end_headers()
                self.wfile.write(PAGE)
            else:
                super().do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    options = Options()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, "--window-size=1280,800"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    browser.set_script_timeout(300)
    yield browser
    browser.quit()


if __name__ == "__main__":
    main()
