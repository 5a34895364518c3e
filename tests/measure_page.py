"""Measures what a visitor waits for. Run it with: python -m tests.measure_page"""

import statistics
from urllib.parse import urlencode

from tests.served import chromium, served_app, settled

SAY = {"preset": "Optimize for a word"}
ASKED = ("Hello!", "Do you like films?", "Which one?", "Why that one?", "What do you eat?")
TALE = "The old city of Lyon, where {} was born, opened a new museum of silk in March. "
WHO = ("sister", "brother", "mother", "father", "uncle", "friend", "teacher", "doctor", "son")
SENTENCE = "My sister bought the old house that our grandfather had built here."
TABS = ("Attention", "Probabilities", "Beam tree", "Step internals")
# When the visitor did something, and when the page last changed: what is in sight, and all of it.
# Figures out of sight are drawn in idle moments; text counts as in sight wherever it stands.
WATCH = """() => {
  const watched = window.changes;
  const changes = window.changes = { began: 0, seen: 0, all: 0 };
  if (watched) return;
  for (const kind of ["keydown", "click"]) {
    addEventListener(kind, () => { window.changes.began ||= performance.now(); }, true);
  }
  new MutationObserver((found) => {
    const far = found.every(({ target }) => !target.isConnected
      || (target.closest ? target : target.parentElement).closest(".figure")?.near === false);
    window.changes.all = performance.now();
    if (!far) window.changes.seen = window.changes.all;
  }).observe(document.querySelector("[data-testid=stMain]"),
    { subtree: true, childList: true, characterData: true });
}"""
# The time from Enter to the first word of the reply that follows.
FIRST = """() => {
  const name = "[aria-label='Chat message from assistant'] [data-testid=stText]";
  const before = document.querySelectorAll(name).length;
  let pressed = 0;
  window.first = 0;
  addEventListener("keydown", () => { pressed = performance.now(); },
    { capture: true, once: true });
  const watch = new MutationObserver(() => {
    const reply = document.querySelectorAll(name)[before];
    if (!pressed || !reply?.textContent) return;
    window.first = performance.now() - pressed;
    watch.disconnect();
  });
  watch.observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
QUIET = """() => !document.querySelector("[data-testid=stStatusWidget]") && window.changes.began
  && performance.now() - Math.max(window.changes.began, window.changes.all) > 1500"""


def main():
    """Print seconds from what a visitor does to what is seen."""
    with served_app() as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})

        def anew(path, **query):
            page.goto("about:blank")
            query = {"tab": "Attention"} | query
            page.goto(f"{address}/{path}?{urlencode(query)}")
            page.wait_for_selector(".figure .main-svg")
            settled(page)
            page.wait_for_timeout(2_000)  # for what the server still reads
            page.locator(".figure").first.scroll_into_view_if_needed()

        def say(box, sentence):  # none twice, so that no run comes from the cache
            box.fill(sentence)
            return lambda: box.press("Enter")

        def move(element):
            element.focus()
            # As when the visitor looks at the first figure while the keys change the step.
            page.locator(".figure").first.scroll_into_view_if_needed()
            return lambda: page.keyboard.press("ArrowRight")

        anew("translation", text="Hello there.")
        box = page.get_by_role("textbox", name="English sentence")
        text = "My {} bought the old house that our grandfather had built here."
        report("Enter, 12 words", page, (say(box, text.format(word)) for word in WHO))
        slider = page.get_by_role("slider", name="Decoding step")
        for tab in TABS:
            anew("translation", text=SENTENCE, tab=tab)
            report(f"{tab}, another step", page, (move(slider) for _ in range(9)))
        query = {"text": SENTENCE, "tab": "Attention", "checkpoint": "transformer-en-fr"}
        anew("translation", **query)
        box = page.get_by_role("combobox", name="Head", exact=True)
        report("Attention, another head", page, (say(box, head) for head in "12341"))
        anew("translation", **query, picture="Ribbons")
        slider = page.get_by_role("slider", name="Share of each row")
        report("Attention, another threshold", page, (move(slider) for _ in range(5)))
        anew("translation", text=SENTENCE, step=10)
        slider = page.get_by_role("slider", name="Decoding step")
        go_on = page.get_by_role("button", name="Continue with")

        def branch(_):
            slider.press("ArrowLeft")
            page.wait_for_timeout(1_500)
            return go_on.click

        report("going on from another token", page, map(branch, range(4)))
        for name in ("lstm-attention-en-fr", "transformer-en-fr"):
            query = {"text": SENTENCE, "tab": "What if", "checkpoint": name, "muted": "1 My"}
            anew("translation", **query)
            names = ("2 sister", "5 old", "6 house", "9 grandfather")
            chips = [page.get_by_role("button", name=word) for word in names]
            report(f"{name}, a word muted", page, (chip.click for chip in chips))
            anew("translation", **query, **SAY)
            box = page.get_by_role("textbox", name="this word")
            words = (say(box, word) for word in ("chat", "maison", "livre"))
            report(f"{name}, make it say", page, words)
        anew("compare", sentence=SENTENCE)
        box = page.get_by_role("textbox", name="English sentence")
        text = "Her {} sold the new car that our cousin had found here."
        report("race of four, 12 words", page, (say(box, text.format(word)) for word in WHO[1:6]))
        anew("sentence_map")
        for name in ("PCA, 3-d", "PCA, 2-d") * 2:
            report(f"map, {name}", page, [page.get_by_text(name, exact=True).click])
        page.goto(f"{address}/chatbot")
        box = page.get_by_role("textbox", name="Type a message")
        box.wait_for()
        report_first_words(page, box)
        for tab in ("Attention", "Step internals"):
            text = "".join(TALE.format(name) for name in ("Anna", "Paul", "Rose", "Hugo") * 5)
            anew("summarization", text=text, tab=tab)
            slider = page.get_by_role("slider", name="Decoding step")
            report(f"20 sentences, {tab}", page, (move(slider) for _ in range(5)))
        anew("context_vector", b="Where is the cat?")
        slider = page.get_by_role("slider", name="α: from A at 0")
        mixed = (move(slider) for _ in range(5))
        report("context vector, mixed and decoded", page, mixed)


def report_first_words(page, box):
    """Say one thing after the other to the chatbot; print how long its first words took."""
    taken = []
    for text in ASKED:
        box.fill(text)
        page.evaluate(FIRST)
        box.press("Enter")
        page.wait_for_function("window.first")
        taken.append(page.evaluate("window.first") / 1000)
        settled(page)
        page.wait_for_timeout(1_000)
    print(
        f"{'chat, first words of a reply':<40} {statistics.median(taken):5.2f} s median, "
        f"{max(taken):.2f} s worst of {len(taken)}",
        flush=True,
    )


def report(what, page, actions):
    """Do one thing after the other; print how long the page took to show it."""
    seen, everything = [], []
    for act in actions:
        page.wait_for_timeout(500)
        page.evaluate(WATCH)
        act()
        page.wait_for_function(QUIET, polling=100)
        began, *ends = page.evaluate("[changes.began, changes.seen, changes.all]")
        for waits, end in zip((seen, everything), ends, strict=True):
            waits.append((end - began) / 1000)
    print(
        f"{what:<40} {statistics.median(seen):5.2f} s median, {max(seen):.2f} s worst of "
        f"{len(seen)}; with what is out of sight {statistics.median(everything):.2f} s median",
        flush=True,
    )


if __name__ == "__main__":
    main()
