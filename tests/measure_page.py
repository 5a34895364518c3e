"""Measures what a visitor waits for. Run it with: python -m tests.measure_page"""

import statistics
import time
from urllib.parse import urlencode

from tests.served import HEATMAP, chromium, served_app, settled

SAY = {"preset": "Make it say"}
WHO = ("sister", "brother", "mother", "father", "uncle", "friend", "teacher", "doctor", "son")
SENTENCE = "My sister bought the old house that our grandfather had built here."
# Streamlit makes a new element of each chart that changes.
MARK = """() => { window.before = [...document.querySelectorAll(".figure.js-plotly-plot")]; }"""
DRAWN = """(count) => [...document.querySelectorAll(".figure.js-plotly-plot")].filter((chart) =>
  !window.before.includes(chart) && chart.querySelector(".main-svg .subplot")
).length >= (count || window.before.length)"""
ROWS = """() => [...document.querySelectorAll(".figure.js-plotly-plot .ytick text")]
  .map((label) => label.textContent).join()"""
CHANGED = f"(before) => ({ROWS})() !== before"
SAID = """(word) => [...document.querySelectorAll("[data-testid=stCaptionContainer]")]
  .some((said) => said.textContent.includes("best row found raises " + word))"""
PROJECTED = """(kind) => [...document.querySelectorAll(".figure.js-plotly-plot")]
  .some((chart) => chart._fullData?.[0].type === kind)"""
PAINTED = """(word) => {
  const label = document.querySelectorAll(".figure.js-plotly-plot .xtick text")[1];
  return label && word.startsWith(label.textContent);
}"""


def main():
    """Print seconds from opening a fresh server, and from what a visitor does to what is seen."""
    with served_app() as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        started = time.perf_counter()
        page.goto(f"{address}/translation?text=Hello+there.")
        page.get_by_role("heading", name="Translation").wait_for()
        print(f"fresh server, first paint                {time.perf_counter() - started:5.2f} s")
        page.wait_for_selector(HEATMAP)
        print(f"fresh server, first heatmap              {time.perf_counter() - started:5.2f} s")
        box = page.get_by_role("textbox", name="English sentence")

        def enter(word):  # twelve words, none twice, so that no run comes from the cache
            box.fill(f"My {word} bought the old house that our grandfather had built here.")
            return lambda: box.press("Enter"), PAINTED, word

        report("Enter to heatmap", page, map(enter, WHO))
        link = f"{address}/translation?text={SENTENCE.replace(' ', '+')}&tab="
        slider = page.get_by_role("slider", name="Output step")

        def step(count):
            page.evaluate(MARK)
            return lambda: slider.press("ArrowRight"), DRAWN, count

        for tab in ("Attention", "Probabilities", "Beam tree", "Inside a step"):
            for what, count in (("first chart", 1), ("all charts", 0)):
                page.goto("about:blank")
                page.goto(link + tab.replace(" ", "+"))
                page.wait_for_selector(".figure.js-plotly-plot .subplot")
                settled(page)
                page.wait_for_timeout(2_000)  # for what the server still reads
                report(f"{tab}, another step, {what}", page, map(step, [count] * 9))
        page.goto(link + "Attention")
        page.wait_for_selector(HEATMAP)
        settled(page)
        page.wait_for_timeout(1_500)
        for _ in range(9):
            slider.press("ArrowRight")
        go_on = page.get_by_role("button", name="Go on with it")

        def branch(number):
            page.wait_for_timeout(1_500)
            slider.press("ArrowLeft")
            page.wait_for_timeout(1_500)
            return go_on.click, CHANGED, page.evaluate(ROWS)

        report("going on from another token", page, map(branch, range(1, 5)))
        changed_runs(page, address)


def changed_runs(page, address):
    """Print seconds from a change of a run to what comes out of it."""

    def anew(path, **query):
        page.goto("about:blank")
        page.goto(f"{address}/{path}?{urlencode(query)}")
        page.wait_for_selector(".figure.js-plotly-plot .subplot")
        settled(page)
        page.wait_for_timeout(2_000)

    def until(act, shown=DRAWN, value=1):
        page.evaluate(MARK)
        return act, shown, value

    for name in ("lstm-attention-en-fr", "transformer-en-fr"):
        anew("translation", text=SENTENCE, tab="What if", checkpoint=name, muted="1 My")
        names = ("2 sister", "5 old", "6 house", "9 grandfather")
        chips = [page.get_by_role("button", name=word) for word in names]
        report(f"{name}, a word muted", page, (until(chip.click) for chip in chips))
        anew("translation", text=SENTENCE, tab="What if", checkpoint=name, muted="1 My", **SAY)
        box = page.get_by_role("textbox", name="this word")

        def say(word, box=box):
            box.fill(word)
            return lambda: box.press("Enter"), SAID, word

        report(f"{name}, make it say", page, map(say, ("chat", "maison", "livre")))
    anew("race", sentence=SENTENCE)
    box = page.get_by_role("textbox", name="English sentence")

    def race(who):
        box.fill(f"Her {who} sold the new car that our cousin had found here.")
        return until(lambda: box.press("Enter"), value=4)

    report("race of four, 12 words", page, map(race, WHO[1:6]))
    anew("map")
    for name, kind in (("PCA, 3-d", "scatter3d"), ("PCA, 2-d", "scatter")) * 2:
        choice = page.get_by_text(name, exact=True)
        report(f"map, {name}", page, [until(choice.click, PROJECTED, kind)])
    anew("lab", b="Where is the cat?")
    slider = page.get_by_role("slider", name="α: from A at 0")
    keys = [lambda: slider.press("ArrowRight")] * 5
    report("context vector, mixed and decoded", page, map(until, keys))


def report(what, page, actions):
    """Do one thing after the other; print how long the page took to show it."""
    waits = []
    for act, shown, value in actions:
        page.wait_for_timeout(800)
        started = time.perf_counter()
        act()
        page.wait_for_function(shown, arg=value, polling=10)
        waits.append(time.perf_counter() - started)
    median, worst = statistics.median(waits), max(waits)
    print(f"{what:<40} {median:5.2f} s median, {worst:.2f} s worst of {len(waits)}")


if __name__ == "__main__":
    main()
