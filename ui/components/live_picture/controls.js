// What a visitor does: keys, clicks and hovers, and the component that the page mounts.
const KINDS = {
  source: "x", encoder: "h", context: "c", decoder: "s", readout: "r", output: "y",
};
const UP = ["source", "encoder", "context", "decoder", "readout", "output"];

Object.assign(Player.prototype, {
  listen() {
    const { root, stage, svg } = this;
    this.play.onclick = () => this.toggle();
    this.before.onclick = () => this.select(Math.max(-1, this.step - 1));
    this.next.onclick = () => this.select(this.step + 1);
    this.beamSwitch.onclick = () => this.switchBeam();
    this.listenToMap();
    this.scrub.oninput = () => this.select(Number(this.scrub.value) - 1);
    this.views.onchange = () => this.look(Number(this.views.value));
    root.onkeydown = (event) => this.press(event);
    stage.onscroll = () => {
      this.drawing?.scrolled(stage.scrollLeft, stage.clientWidth);
      this.scrollMap();
      this.hide();
    };
    svg.onclick = (event) => this.choose(event.target.closest(".part"));
    svg.ondblclick = (event) => {
      const { kind, index } = event.target.closest(".part")?.dataset ?? {};
      if (this.deeper[kind]) this.open(this.deeper[kind], this.stepOf(kind, Number(index)));
    };
    svg.onpointerover = (event) => this.hover(event.target.closest(".part"));
    svg.onpointerleave = () => this.hide();
    svg.onfocusin = (event) => this.hover(event.target.closest(".part"));
    svg.onfocusout = () => this.hide();
    for (const button of root.querySelectorAll(".save")) {
      button.setAttribute("aria-label", `Save as ${button.textContent}`);
      button.onclick = () => this.keep(button.dataset.format);
    }
  },

  look(view) {
    this.view = this.drawing.view = view;
    this.paint();
  },

  press(event) {
    if (event.target.closest("select, input") && event.key !== " ") return;
    const pressed = event.target.closest(".bar-of-controls button, .opens button");
    if (pressed && [" ", "Enter"].includes(event.key)) return;
    const part = event.target.closest?.(".part");
    const act = {
      " ": () => this.toggle(),
      ArrowLeft: () => this.select(Math.max(-1, this.step - 1)),
      ArrowRight: () => this.select(this.step + 1),
      Home: () => this.select(0),
      End: () => this.select(this.target - 1),
      ArrowUp: () => this.climb(1),
      ArrowDown: () => this.climb(-1),
      Enter: () => part && this.choose(part),
      Escape: () => this.hide(),
    }[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  },

  // Up and down go from part to part of the step; what each is appears beside it.
  climb(by) {
    const kinds = UP.filter((kind) => this.elementAt(kind));
    const at = kinds.indexOf(this.shownKind);
    const kind = kinds[Math.min(kinds.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    const part = kind && this.elementAt(kind);
    if (part) {
      this.hover(part);
      this.shownKind = kind;
      this.spoken.textContent = this.tip.textContent;
    }
  },

  // Beside the parts of a step there are nodes of the beam, several to a step.
  stepOf(kind, index) { return kind === "beam" ? this.picture.beam.steps[index] : index; },

  elementAt(kind) {
    const step = Math.max(0, this.step);
    const weights = weightsOf(this.picture, this.view, step);
    const place = this.word ?? (weights ? strongest(weights, 1)[0] : this.source - 1);
    const index = kind === "source" || kind === "encoder" ? place
      : kind === "context" && !this.picture.attention ? 0 : step;
    return this.svg.querySelector(`.part[data-kind=${kind}][data-index="${index}"]`);
  },

  choose(part) {
    if (!part) return;
    const { kind, index } = part.dataset, place = Number(index);
    if (kind === "lane") return;
    if (kind === "beam") {
      this.select(this.stepOf(kind, place));
      return;
    }
    if (kind === "source" || kind === "encoder") {
      this.word = this.word === place ? null : place;
      this.pause();
      this.paint();
      if (this.shares) this.tell("word", place);
    } else if (kind !== "context" || this.picture.attention) {
      this.select(place);
    }
  },

  hover(part) {
    if (part === this.hovered) return;
    this.hide();
    if (!part) return;
    this.hovered = part;
    part.classList.add("lit");
    const { kind, index } = part.dataset;
    const lines = kind === "lane" ? this.laneLines(index) : this.partLines(kind, Number(index));
    if (this.deeper[kind]) lines.push(`Double click: ${this.deeper[kind]}`);
    this.fillTip(lines, kind, Number(index));
    for (const line of this.formulas.children) {
      const same = Number(index) === this.step || (kind === "context" && !this.picture.attention);
      line.classList.toggle("lit", line.dataset.part === kind && same);
    }
    if (kind === "encoder" || kind === "decoder") this.drawing.paintArcs(kind, Number(index));
    this.placeTip(part);
  },

  hide() {
    if (!this.hovered) return;
    this.hovered.classList.remove("lit");
    this.drawing.paintArcs("encoder", null);
    this.hovered = this.shownKind = null;
    this.tip.hidden = true;
    for (const line of this.formulas.children) line.classList.remove("lit");
  },

  laneLines(key) {
    const { name, symbol, lines } = this.picture.parts[key];
    return [`${name}: ${symbol}`, ...lines];
  },

  partLines(kind, index) {
    const { picture, view } = this, { source, target, units } = picture;
    if (kind === "beam") return this.beamLines(index);
    const step = Math.max(0, this.step);
    const fixed = kind === "context" && !picture.attention;
    const name = fixed ? "c" : `${KINDS[kind]}_{${index + 1}}`;
    if (kind === "source" || kind === "encoder") {
      const weights = this.step < 0 ? null : weightsOf(picture, view, step);
      const looked = weights ? [`α = ${weights[index].toFixed(3)} at step ${step + 1}`] : [];
      if (kind === "source") return [`${name} = ${source.tokens[index]}`, ...looked];
      return [`${name}, ${units.encoder} units, at “${source.tokens[index]}”`,
        source.formula, source.numbers[index], ...looked];
    }
    const lines = picture.steps[index].formulas;
    if (kind === "output") {
      const { rank } = picture.steps[index];
      return [`${name} = ${target.tokens[index]}`,
        `P = ${percent(target.probabilities[index])}, rank ${rank + 1}`];
    }
    const line = lines.find(({ part }) => part === kind);
    const size = `${name}, ${units[kind]} units`;
    return line ? [size, line.formula, line.numbers] : [size];
  },

  fillTip(lines, kind, index) {
    this.tip.replaceChildren(...lines.map((text) => {
      const line = document.createElement("p");
      writeFormula(line, text);
      return line;
    }));
    const strip = this.picture.strips[kind];
    if (!strip?.cells) return;
    const row = document.createElement("p");
    row.className = "strip";
    for (let part = 0; part < strip.parts; part += 1) {
      for (const value of cellsOf(strip, index, part, strip.cells)) {
        const cell = document.createElement("span");
        cell.style.background = cellColour(this.drawing.colours, value);
        row.append(cell);
      }
    }
    this.tip.append(row);
  },

  placeTip(part) {
    const frame = this.root.getBoundingClientRect(), box = part.getBoundingClientRect();
    this.tip.hidden = false;
    const wide = this.tip.offsetWidth, high = this.tip.offsetHeight;
    // Below what comes from the source, else beside: what a part is made of stays in sight.
    const below = ["source", "encoder"].includes(part.dataset.kind);
    const beside = box.right - frame.left + 14;
    const left = below ? box.left + box.width / 2 - frame.left - wide / 2
      : beside + wide <= frame.width ? beside : box.left - frame.left - wide - 14;
    const top = below ? box.bottom - frame.top + 8 : box.top - frame.top + box.height / 2 - high / 2;
    this.tip.style.left = `${Math.max(0, Math.min(frame.width - wide, left))}px`;
    this.tip.style.top = `${Math.max(0, top)}px`;
  },
});

const players = new WeakMap();

function mount({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".live");
  let player = players.get(root);
  if (!player) {
    player = new Player(root);
    players.set(root, player);
    player.size = new ResizeObserver(() => {
      if (player.drawing && Math.abs(player.stage.clientWidth - player.drawn) > 1) {
        player.draw();
        player.paint();
        player.reveal(true);
      }
    });
    player.size.observe(player.stage);
    player.sight = new IntersectionObserver(([{ isIntersecting }]) => {
      player.near = isIntersecting;
      player.begin();
    }, { threshold: 0.6 });
    player.sight.observe(player.stage);
  }
  player.receive(data, setTriggerValue);
  player.begin();
  return () => {
    player.playing = false;
    player.size.disconnect();
    player.sight.disconnect();
    players.delete(root);
  };
}

// Plays once by itself, when it has come into sight.
Player.prototype.begin = function () {
  if (this.autoplay && this.near && !this.playing && this.time === 0) this.start();
};

export default mount;
