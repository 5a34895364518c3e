"""Measures what a visitor waits for. Run it with: python -m tests.measure_page"""

import statistics
import time

from tests.served import HEATMAP, chromium, served_app

WHO = ("sister", "brother", "mother", "father", "uncle", "friend", "teacher", "doctor", "son")
PAINTED = """(word) => {
  const label = document.querySelectorAll(".js-plotly-plot .xtick text")[1];
  return label && word.startsWith(label.textContent);
}"""


def main():
    """Print seconds from opening a fresh server, and from Enter to the painted heatmap."""
    with served_app() as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        started = time.perf_counter()
        page.goto(f"{address}/translation?text=Hello+there.")
        page.get_by_role("heading", name="Translation").wait_for()
        print(f"fresh server, first paint    {time.perf_counter() - started:5.2f} s")
        page.wait_for_selector(HEATMAP)
        print(f"fresh server, first heatmap  {time.perf_counter() - started:5.2f} s")
        box, waits = page.get_by_role("textbox", name="English sentence"), []
        for word in WHO:  # twelve words, none twice, so that no run comes from the cache
            box.fill(f"My {word} bought the old house that our grandfather had built here.")
            started = time.perf_counter()
            box.press("Enter")
            page.wait_for_function(PAINTED, arg=word, polling=10)
            waits.append(time.perf_counter() - started)
            page.wait_for_timeout(800)
        median, worst = statistics.median(waits), max(waits)
        print(f"Enter to heatmap             {median:5.2f} s median, {worst:.2f} s worst")


if __name__ == "__main__":
    main()
