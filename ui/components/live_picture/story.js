// The four parts in plain words, for who sees them for the first time; each lights while it works.
const STORY_PHASES = {
  encoder: [], attention: ["look"], context: ["context"],
  decoder: ["feed", "state", "readout", "choose", "write"],
};

function readingInWords({ model, source }) {
  const unit = model.seconds ? "stretch of sound" : "token";
  const what = model.seconds ? "recording" : "source";
  if (model.kind === "transformer") {
    return `reads the whole ${what} at once and makes one state of each ${unit}.`;
  }
  const way = model.bidirectional ? "in both directions" : `${unit} by ${unit}`;
  return `reads the ${what} ${way} and keeps a state for each of ${source.tokens.length} positions.`;
}

Object.assign(Player.prototype, {
  storyParts(step) {
    const { picture } = this, attends = Boolean(picture.attention);
    return [
      ["encoder", "Encoder", `${readingInWords(picture)} A strip is such a state: ` +
        "blue numbers are above 0, orange ones below."],
      ...(attends ? [["attention", "Attention", this.lookingInWords(step)]] : []),
      ["context", "Context vector", attends
        ? "is the sum of the states, each by its weight: what this step reads of the source."
        : "is the last encoder state: one vector for the whole source, the same at every step."],
      ["decoder", "Decoder", this.writingInWords(step)],
    ];
  },

  lookingInWords(step) {
    const weights = step < 0 ? null : weightsOf(this.picture, this.view, step);
    if (!weights) return "decides, at each step anew, which of these states to read: the ribbons.";
    const told = strongest(weights, 2, 0.05).map((place) => (
      `“${this.picture.source.tokens[place]}” ${Math.round(100 * weights[place])} %`));
    return `decides which states this step reads: ${told.join(", ") || "a little of each"}.`;
  },

  writingInWords(step) {
    const { target, attention } = this.picture;
    const from = `its own state, the token before${attention ? " and the context" : ""}`;
    if (step < 0) return `writes one token at a time, from ${from}.`;
    return `writes the next token from ${from}: “${target.tokens[step]}”, ` +
      `${percent(target.probabilities[step])} probable.`;
  },

  fillStory(step) {
    this.story.hidden = !this.explains;
    if (!this.explains) return;
    this.story.replaceChildren(...this.storyParts(step).map(([part, name, text]) => {
      const place = document.createElement("li"), term = document.createElement("b");
      term.textContent = `${name} `;
      place.dataset.part = part;
      place.append(term, text);
      place.onmouseenter = () => this.lightStory(part);
      place.onmouseleave = () => this.light(null);
      return place;
    }));
  },

  lightStory(part) {
    if (part === "encoder") {
      this.light(null);
      this.lit = this.drawing.encoder.map(({ group }) => group);
      for (const each of this.lit) each.classList.add("lit");
    } else this.light(part);
  },

  paintStory(step, progress) {
    for (const place of this.story.children) {
      const phases = STORY_PHASES[place.dataset.part];
      const works = step < 0 ? place.dataset.part === "encoder"
        : phases.some((name) => progress[name] > 0 && progress[name] < 1);
      place.classList.toggle("now", this.playing && works);
    }
  },

  // The last step that writes a word and looks at one: there is most to see at it.
  tellingStep() {
    const { source, target, attention } = this.picture, word = /\p{L}/u;
    for (let step = this.target - 1; attention && step >= 0; step -= 1) {
      const [place] = strongest(weightsOf(this.picture, 0, step), 1);
      const words = word.test(target.tokens[step]) && !target.special[step];
      const looks = word.test(source.tokens[place]) && !source.special[place];
      if (words && looks) return step;
    }
    return this.target - 1;
  },
});
