// How the drawing looks at a moment of the run.
const THICK = 26;  // pixels of a ribbon of weight 1
const FAINT = 0.004, TOLD = 0.1;  // weights below are not drawn, from here on are written
const FINISHED = {
  feed: 1, look: 1, context: 1, state: 1, readout: 1, choose: 1, write: 1,
};
const NOTHING = {
  feed: 0, look: 0, context: 0, state: 0, readout: 0, choose: 0, write: 0,
};

function clamp(value) { return Math.min(1, Math.max(0, value)); }

// Writing an attribute costs, even where nothing changes.
function set(element, name, value) {
  const text = typeof value === "number" ? String(Math.round(value * 1000) / 1000) : value;
  element.written ??= {};
  if (element.written[name] === text) return;
  element.written[name] = text;
  element.setAttribute(name, text);
}

Object.assign(Drawing.prototype, {
  // Shows the run at a moment: how far the source is read, and which step is how far done.
  paint({ read, step, done, progress, word }) {
    this.paintEncoder(read, step, progress, word);
    for (const each of this.start ?? []) {
      set(each, "opacity", read < this.encoder.length ? 0 : step > 0 ? 0.6 : 1);
    }
    this.decoder.forEach((column, index) => {
      const now = index === step, past = index < step || (now && done);
      this.paintStep(column, index, now ? progress : past ? FINISHED : NOTHING, now);
    });
    this.paintRibbons(step, step < 0 ? 0 : progress.look, progress.write);
    if (this.trunks) {
      const open = read >= this.encoder.length ? 1 : 0;
      for (const trunk of this.trunks) set(trunk, "stroke-dashoffset", 1 - open);
      set(this.contexts[0].group, "opacity", open ? 1 : 0.12);
    }
    this.paintTraveller(step, progress);
    this.paintBeam(step, progress.choose);
  },

  paintEncoder(read, step, progress, word) {
    const key = [read, step, progress.look, word, this.view].join();
    if (this.shownEncoder === key) return;
    this.shownEncoder = key;
    const count = this.encoder.length;
    const weights = step >= 0 && progress.look > 0
      ? weightsOf(this.picture, this.view, step) : null;
    this.encoder.forEach(({ parts, wires, rise, chip }, place) => {
      const ahead = clamp(read - place), backward = clamp(read - (count - 1 - place));
      parts.forEach((part, index) => set(part, "opacity", 0.08 + 0.92 * (index ? backward : ahead)));
      wires.forEach((wire, index) => set(wire, "opacity", 0.15 + 0.85 * (index ? backward : ahead)));
      if (!chip) return;
      set(rise, "opacity", 0.15 + 0.85 * ahead);
      const share = weights ? weights[place] * progress.look : 0;
      const colour = mixed(this.colours.chip, this.colours.blue, share ** 0.8);
      set(chip.firstChild, "style", `fill:${colour}`);
      set(chip.lastChild, "style", `fill:${share > 0.02 ? readableOn(colour) : this.colours.ink}`);
      chip.classList.toggle("chosen", place === word);
    });
  },

  paintStep(column, index, progress, now) {
    const { group, ghost, readout, wires, reads, gives, feedback, chip } = column;
    const { group: context, ghost: contextGhost } = this.contexts[index];
    set(group, "opacity", progress.state);
    set(ghost, "opacity", progress.state > 0 ? 0 : 1);
    if (contextGhost) {
      set(context, "opacity", progress.context);
      set(contextGhost, "opacity", progress.context > 0 ? 0 : 1);
      context.classList.toggle("now", now);
    } else if (now) context.classList.add("now");
    if (readout) {
      set(readout, "opacity", progress.readout);
      readout.classList.toggle("now", now);
    }
    wires.forEach((wire) => set(wire, "opacity", progress.choose));
    reads.forEach((wire) => set(wire, "opacity", progress.feed));
    gives.forEach((wire, each) => set(wire, "opacity",
      gives.length > 1 && each === 0 ? Math.min(progress.state, 1) * (progress.look > 0 ? 1 : 0.4)
        : progress.context));
    if (feedback) set(feedback, "opacity", progress.feed * (now ? 1 : 0.55));
    set(chip, "opacity", progress.write);
    set(chip, "pointer-events", progress.write ? "auto" : "none");
    for (const each of [group, chip, feedback, ...wires, ...reads, ...gives]) {
      if (!each || each.lit === now) continue;
      each.lit = now;
      each.classList.toggle("now", now);
      if (each.hasAttribute("marker-end")) {
        each.setAttribute("marker-end", `url(#${now ? "nowhead" : "head"})`);
      }
    }
  },

  paintRibbons(step, grown, written) {
    if (!this.ribbonPool) return;
    const key = `${step} ${this.view}`;
    if (this.shownRibbons !== key) {
      this.shownRibbons = key;
      this.placeRibbons(step);
    }
    for (const path of this.ribbonPool) set(path, "stroke-dashoffset", 1 - grown);
    for (const text of this.told) set(text, "opacity", grown);
    for (const path of this.copyPool) set(path, "opacity", written);
  },

  // What is copied goes past the decoder, from the source straight to the output.
  placeCopies(step, weights) {
    const { layout: { y }, picture: { target } } = this;
    const share = step < 0 || !target.copying ? 0 : target.copying[step];
    const places = strongest(weights, this.copyPool.length, 0.05);
    this.copyPool.forEach((path, index) => {
      const place = places[index], weight = place === undefined ? 0 : share * weights[place];
      set(path, "display", weight < 0.02 ? "none" : "inline");
      if (weight < 0.02) return;
      const from = this.encoder[place].x, to = this.decoder[step].x, side = to + 26;
      set(path, "d", `M${from} ${y.source - 15}C${from + 30} ${y.context} ` +
        `${side} ${y.context} ${side} ${y.state}S${to + 12} ${y.output + 30} ${to + 6} ` +
        `${y.output + 15}`);
      set(path, "stroke-width", Math.max(1.5, 8 * weight).toFixed(2));
    });
  },

  placeRibbons(step) {
    const { layout: { y }, picture } = this;
    const weights = step < 0 ? [] : weightsOf(picture, this.view, step);
    const to = step < 0 ? 0 : this.decoder[step].x;
    const low = y.encoder - 2, high = y.context + 17, middle = (low + high) / 2;
    this.placeCopies(step, weights);
    this.ribbonPool.forEach((path, place) => {
      const weight = weights[place] ?? 0, { x } = this.encoder[place];
      set(path, "display", weight < FAINT ? "none" : "inline");
      if (weight < FAINT) return;
      const land = to + (x - to) / 40;
      set(path, "d", `M${x} ${low}C${x} ${middle} ${land} ${middle} ${land} ${high}`);
      set(path, "stroke-width", Math.max(0.8, weight * THICK).toFixed(2));
    });
    const named = [];
    for (const place of strongest(weights, 3 * this.told.length, TOLD)) {
      const apart = named.every(
        (other) => Math.abs(this.encoder[other].x - this.encoder[place].x) > 34);
      if (apart && named.length < this.told.length) named.push(place);
    }
    this.told.forEach((text, index) => {
      const place = named[index];
      set(text, "display", place === undefined ? "none" : "inline");
      if (place === undefined) return;
      text.textContent = weights[place].toFixed(2);
      const beside = this.encoder[place].x + 6 + weights[place] * THICK / 2;
      set(text, "x", Math.min(beside, this.layout.width - 28));
      set(text, "y", y.boxes.encoder[0] - 6);
    });
  },

  paintTraveller(step, progress) {
    const path = step > 0 && this.decoder[step].feedback;
    const moving = path && progress.feed > 0 && progress.feed < 1;
    set(this.traveller, "display", moving ? "inline" : "none");
    if (!moving) return;
    const point = path.getPointAtLength(path.getTotalLength() * progress.feed);
    set(this.traveller, "cx", point.x);
    set(this.traveller, "cy", point.y);
  },

  // In a Transformer a state has looked at others of its lane: arcs to them, while it is shown.
  paintArcs(lane, position) {
    this.arcs ??= make("g", { class: "arcs" }, this.svg);
    this.arcs.replaceChildren();
    const columns = lane === "encoder" ? this.encoder : this.decoder;
    const weights = position === null ? null : ownWeightsOf(this.picture, lane, position);
    if (!weights) return;
    const from = columns[position].x, top = this.layout.y[lane === "encoder" ? "encoder" : "state"];
    for (const place of strongest(weights, 12, 0.02)) {
      const to = columns[place].x, high = 12 + Math.min(40, Math.abs(to - from) / 6);
      const path = place === position
        ? `M${from - 4} ${top}C${from - 14} ${top - 18} ${from + 14} ${top - 18} ${from + 4} ${top}`
        : `M${to} ${top}C${to} ${top - high} ${from} ${top - high} ${from} ${top}`;
      make("path", {
        class: "ribbon", d: path, "stroke-width": Math.max(1, 10 * weights[place]).toFixed(1),
      }, this.arcs);
    }
  },

  // The elements that a formula of a step is about, or that a part's name stands for.
  elementsOf(kind, step) {
    if (step < 0) return [];
    if (kind === "attention") return this.ribbonPool ?? [];
    if (kind === "output" || kind === "copy") return [this.decoder[step].chip];
    if (kind === "context") return [this.contexts[step].group];
    if (kind === "readout") return [this.decoder[step].readout].filter(Boolean);
    if (kind === "self") return this.decoder.slice(0, step + 1).map(({ group }) => group);
    return [this.decoder[step].group];
  },
});
