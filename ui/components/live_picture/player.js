// The player: time, keys, the panel beside the picture, and what is chosen.
const TOKEN = 150, READING = 2400;  // milliseconds for a source token, and at most for all
const STEP = 900;  // milliseconds for a step of the decoder
const RESTS_AFTER = 1500;  // milliseconds after playing by itself, until the chosen step is shown
const SENT_AFTER = 350;  // milliseconds after the last key, so that a run of keys is one choice
const AHEAD = {
  feed: [0, 0.22], look: [0.12, 0.42], context: [0.36, 0.5], state: [0.48, 0.62],
  readout: [0.6, 0.7], choose: [0.66, 0.84], write: [0.84, 1],
};  // the context comes before the state
const BEHIND = {
  feed: [0, 0.22], state: [0.2, 0.36], look: [0.34, 0.58], context: [0.54, 0.66],
  readout: [0.64, 0.74], choose: [0.7, 0.86], write: [0.86, 1],
};  // and here after it

const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const percent = (share) => `${(100 * share).toFixed(1)} %`;

class Player {
  constructor(root) {
    const find = (name) => root.querySelector(`.${name}`);
    this.root = root;
    for (const name of ["stage", "panel", "title", "after", "candidates", "formulas", "opens",
      "play", "before", "next", "scrub", "speed", "views", "tip", "spoken", "map", "kept", "story"]) {
      this[name] = find(name);
    }
    this.beamSwitch = find("beam-switch");
    this.keptName = find("kept-name");
    this.beamWanted = false;
    this.svg = this.stage.querySelector("svg");
    this.time = 0;
    this.word = null;
    this.view = 0;
    this.listen();
  }

  // Takes what the page gives; the same run again keeps its place.
  receive(data, send) {
    this.send = send;
    const anew = data.run !== this.run, dark = data.dark !== this.dark;
    const chosen = data.step !== this.given;
    Object.assign(this, {
      explains: data.explains, dark: data.dark, given: data.step, word: data.word, shares: data.shares,
    });
    if (anew) {
      this.run = data.run;
      this.picture = unpack(data.picture);
      this.source = this.picture.source.tokens.length;
      this.target = this.picture.target.tokens.length;
      this.view = 0;
      this.playing = false;
      this.autoplay = data.autoplay && !calm.matches;
      this.fillControls(data.opens);
    }
    this.root.classList.toggle("dark", this.dark);
    if (anew || dark) this.draw();
    if (anew) this.time = this.autoplay ? 0 : this.timeOf(data.step ?? this.tellingStep());
    else if (chosen && data.step !== null && !this.playing) this.time = this.timeOf(data.step);
    this.paint();
    if (anew) this.reveal(true);
  }

  // Time is counted in tokens: first those of the source, then those of the output.
  timeOf(step) { return this.source + step + 1; }

  get end() { return this.source + this.target; }

  get step() {
    return this.time <= this.source ? -1
      : Math.min(this.target, Math.ceil(this.time - this.source - 1e-9)) - 1;
  }

  get hasBeam() { return this.beamWanted && Boolean(this.picture.beam); }

  draw() {
    const width = Math.max(280, this.stage.clientWidth);
    this.drawn = width;
    const layout = layOut(this.picture, width, this.hasBeam);
    this.root.classList.toggle("narrow", layout.narrow);
    this.drawing = new Drawing(
      this.svg, this.picture, layout, PALETTES[this.dark ? "dark" : "light"], this.view,
    );
    this.svg.setAttribute("aria-label", this.picture.title);
    this.drawing.scrolled(this.stage.scrollLeft, width);
    this.drawMap();
    this.panelStep = undefined;
  }

  fillControls(opens) {
    this.scrub.max = this.target;
    this.deeper = opens;
    this.opens.replaceChildren(...Object.values(opens).map((name) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.onclick = () => this.open(name, Math.max(0, this.step));
      return button;
    }));
    this.opens.parentElement.hidden = !Object.keys(opens).length;
    const names = this.picture.attention?.views ?? [];
    this.beamSwitch.hidden = !this.picture.beam;
    this.views.hidden = names.length < 2;
    this.views.replaceChildren(...names.map((name, index) => new Option(name, index)));
  }

  progress() {
    const past = this.time - this.source, step = this.step;
    if (step < 0) return NOTHING;
    const share = past - step;
    if (share >= 1 || calm.matches) return FINISHED;
    const { feeds, attends, readout } = this.picture.model;
    const spans = readout && attends && feeds !== "context" ? BEHIND : AHEAD;
    return Object.fromEntries(Object.entries(spans).map(([name, [from, to]]) => {
      const done = clamp((share - from) / (to - from));
      return [name, done * done * (3 - 2 * done)];
    }));
  }

  paint() {
    const { step } = this, progress = this.progress();
    const read = calm.matches && this.time > 0 ? this.source : Math.min(this.time, this.source);
    this.drawing.paint({
      read, step, done: progress === FINISHED, progress, word: this.word,
    });
    this.paintPanel(step, progress);
    this.paintStory(step, progress);
    this.paintMap();
    const stop = Math.max(0, step + 1);
    if (Number(this.scrub.value) !== stop) this.scrub.value = stop;
  }

  paintPanel(step, progress) {
    if (this.panelStep !== step || this.panelView !== this.view) {
      this.panelStep = step;
      this.panelView = this.view;
      this.fillPanel(step);
    }
    this.candidates.style.setProperty("--shown", step < 0 ? 0 : progress.choose);
    const now = this.playing && Object.entries(
      { decoder: "state", attention: "look", context: "context", readout: "readout",
        output: "choose" },
    ).reverse().find(([, name]) => progress[name] > 0 && progress[name] < 1)?.[0];
    for (const line of this.formulas.children) {
      line.classList.toggle("now", line.dataset.part === now);
    }
  }

  fillPanel(step) {
    const { picture } = this;
    this.fillBeam(step);
    this.fillStory(step);
    if (step < 0) {
      const word = picture.model.seconds ? "recording" : "source";
      this.title.textContent = `Reading the ${word}`;
      this.after.textContent = "the encoder makes one state of each position";
      this.candidates.replaceChildren();
      const { formula, numbers } = picture.source;
      this.formulas.replaceChildren(this.line({
        part: "encoder", formula, numbers: numbers.at(-1),
      }));
      this.scrub.setAttribute("aria-valuetext", "source read, nothing written yet");
      return;
    }
    const { candidates, rank, formulas } = picture.steps[step];
    const token = picture.target.tokens[step], share = picture.target.probabilities[step];
    this.title.textContent = `Step ${step + 1} of ${this.target}`;
    this.after.textContent = step
      ? `after “${picture.target.tokens[step - 1]}”, the decoder chooses`
      : "after the start token, the decoder chooses";
    const rows = candidates.map(([name, value], place) => [name, value, place === rank]);
    if (rank >= rows.length) rows.splice(-1, 1, [token, share, true]);
    this.candidates.replaceChildren(...rows.map((row) => this.candidate(...row)));
    this.formulas.replaceChildren(...formulas.map((line) => this.line(this.withView(line, step))));
    this.scrub.setAttribute("aria-valuetext", `step ${step + 1}, ${token}`);
    if (!this.playing) this.spoken.textContent = this.inWords(step);
  }

  // The weights of the head that is looked at, in place of the mean's.
  withView(line, step) {
    if (line.part !== "attention" || !this.view) return line;
    const weights = weightsOf(this.picture, this.view, step);
    const told = strongest(weights, 2).map(
      (place) => `${this.picture.source.tokens[place]}: ${weights[place].toFixed(2)}`);
    return { ...line, numbers: told.join(" · ") };
  }

  inWords(step) {
    const { source, target } = this.picture, weights = weightsOf(this.picture, this.view, step);
    const looked = weights && strongest(weights, 3, 0.05).map(
      (place) => `${source.tokens[place]} ${Math.round(100 * weights[place])} %`).join(", ");
    const where = looked ? `, attention: ${looked}` : "";
    return `Step ${step + 1}: ${target.tokens[step]}, ` +
      `${percent(target.probabilities[step])}${where}`;
  }

  candidate(name, share, chosen) {
    const row = document.createElement("li"), bar = document.createElement("span");
    const label = document.createElement("span"), value = document.createElement("span");
    row.classList.toggle("chosen", chosen);
    label.className = "candidate";
    label.textContent = name;
    bar.className = "bar";
    bar.style.setProperty("--share", share);
    value.className = "value";
    value.textContent = percent(share);
    row.append(label, bar, value);
    return row;
  }

  line({ part, formula, numbers }) {
    const place = document.createElement("li"), shown = document.createElement("span");
    const values = document.createElement("span");
    place.dataset.part = part;
    shown.className = "formula";
    values.className = "numbers";
    writeFormula(shown, formula);
    writeFormula(values, numbers);
    place.append(shown, values);
    place.onmouseenter = () => this.light(part);
    place.onmouseleave = () => this.light(null);
    return place;
  }

  light(kind) {
    for (const each of this.lit ?? []) each.classList.remove("lit");
    this.lit = kind ? this.drawing.elementsOf(kind, this.step) : [];
    for (const each of this.lit) each.classList.add("lit");
  }

  start() {
    if (this.time >= this.end) this.time = 0;
    this.setPlaying(true);
    this.clock = undefined;
    requestAnimationFrame((now) => this.tick(now));
  }

  setPlaying(playing) {
    this.playing = playing;
    this.play.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.play.title = playing ? "Pause (space)" : "Play (space)";
    this.play.classList.toggle("playing", playing);
  }

  tick(now) {
    if (!this.playing || !this.root.isConnected) return;
    const passed = Math.min(now - (this.clock ?? now), 250) * Number(this.speed.value);
    const before = Math.floor(this.time);
    this.clock = now;
    const reading = this.time < this.source;
    const each = reading ? Math.min(TOKEN, READING / this.source) : STEP;
    this.time = Math.min(this.end, this.time + passed / each);
    this.paint();
    if (Math.floor(this.time) !== before) this.reveal();
    if (this.time < this.end) requestAnimationFrame((next) => this.tick(next));
    else this.finish();
  }

  finish() {
    this.setPlaying(false);
    this.spoken.textContent = this.inWords(this.target - 1);
    if (!this.autoplay) this.share();
    else {  // what plays by itself chooses nothing
      setTimeout(() => {
        if (!this.playing && this.time === this.end) this.rest();
      }, RESTS_AFTER);
    }
    this.autoplay = false;
  }

  rest() {
    this.time = this.timeOf(this.given ?? this.tellingStep());
    this.paint();
    this.reveal();
  }

  pause() {
    if (!this.playing) return;
    this.autoplay = false;
    this.setPlaying(false);
    if (this.step >= 0) {
      this.time = this.timeOf(this.step);
      this.paint();
      this.share();
    }
  }

  toggle() {
    if (this.playing) this.pause();
    else {
      this.autoplay = false;
      this.start();
    }
  }

  select(step) {
    this.setPlaying(false);
    this.autoplay = false;
    const last = this.target - 1;
    this.time = step < 0 ? this.source : this.timeOf(Math.min(step, last));
    this.paint();
    this.reveal();
    if (step >= 0) this.share();
  }

  // Tells the page which step is chosen, for all that shows it.
  share() {
    clearTimeout(this.sharing);
    if (!this.shares || this.step < 0 || this.step === this.given) return;
    this.sharing = setTimeout(() => {
      this.given = this.step;
      this.tell("step", this.step);
    }, SENT_AFTER);
  }

  open(name, step) {
    clearTimeout(this.sharing);
    this.tell("open", { name, step });
  }

  tell(name, value) { this.send?.(name, value); }

  // Keeps what is shown in view where time is wider than the screen.
  reveal(atOnce = false) {
    const { stage, drawing } = this, wide = stage.clientWidth;
    if (stage.scrollWidth <= wide + 1) return;
    const { gutter } = drawing.layout, [first, last] = this.span(wide - gutter - 120);
    const left = stage.scrollLeft;
    if (first > left + gutter + 40 && last < left + wide - 60) return;
    const smooth = !atOnce && !calm.matches;
    stage.scrollTo({ left: first - gutter - 60, behavior: smooth ? "smooth" : "instant" });
  }

  // From where to where of the picture is looked at: a step, and what it looks at if both fit.
  span(room) {
    const { sources, targets } = this.drawing.layout, { step } = this;
    if (step < 0) {
      const { x } = sources[Math.min(this.source - 1, Math.floor(this.time))];
      return [x, x];
    }
    const { x } = targets[step], weights = weightsOf(this.picture, this.view, step);
    const other = weights ? sources[strongest(weights, 1)[0]].x : x;
    return Math.abs(other - x) <= room ? [Math.min(x, other), Math.max(x, other)] : [x, x];
  }
}
