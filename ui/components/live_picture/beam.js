// The beam: the hypotheses that the search kept at each step, drawn above the output.
const BEAM_ROOM = 136, BEAM_LEAST = 13, BEAM_MOST = 20;  // pixels for all rows, and for one
const BEAM_TOP = 12, BEAM_FOOT = 22;  // above the first row, and between the last and the output
const ENDED = 0.4;  // opacity of a hypothesis that was pruned later

function beamRow(beam) {
  const rows = Math.max(...beam.rows) + 1;
  return Math.min(BEAM_MOST, Math.max(BEAM_LEAST, BEAM_ROOM / rows));
}

function beamHeight(beam) {
  return BEAM_TOP + (Math.max(...beam.rows) + 1) * beamRow(beam) + BEAM_FOOT;
}

// The nodes from a first token to this one.
function beamPath(beam, node) {
  const path = [];
  for (let each = node; each >= 0; each = beam.parents[each]) path.unshift(each);
  return path;
}

function beamText(beam, node) {
  return beamPath(beam, node).map((each) => {
    const token = beam.tokens[each];
    return beam.begins[each] ? ` ${token}` : token.replace(/^·/u, "");
  }).join("").trim();
}

// What was kept at a step, best rank first.
function beamAt(beam, step) {
  return beam.steps.flatMap((each, node) => (each === step ? [node] : []))
    .sort((one, other) => beam.rows[one] - beam.rows[other]);
}

function shortened(text, room) {
  if (textWidth(text) <= room) return text;
  const letters = [...text];
  while (letters.length > 1 && textWidth(`${letters.join("")}…`) > room) letters.pop();
  return `${letters.join("")}…`;
}

Object.assign(Drawing.prototype, {
  drawBeam() {
    const { picture: { beam }, layout: { targets, y } } = this;
    if (!y.beam) return;
    const row = beamRow(beam), won = new Set(beam.won), shown = new Set(beam.shown);
    const high = Math.min(17, row - 1);
    this.beam = beam.steps.map((step, node) => {
      const column = targets[step];
      if (!column) return null;  // beyond the end of the output that is shown
      const kind = `${won.has(node) ? "won" : ""} ${shown.has(node) ? "shown" : ""}`;
      const group = this.part("beam", node, this.tokens, { class: `part node ${kind}` });
      const middle = y.beam + (beam.rows[node] + 0.5) * row;
      const text = shortened(beam.tokens[node], column.width - 8);
      const wide = Math.min(column.width - 3, textWidth(text) + 8);
      make("rect", { class: "chip", x: column.x - wide / 2, y: middle - high / 2, width: wide,
        height: high, rx: 4 }, group);
      make("text", { class: "small", x: column.x, y: middle + 3.5 }, group, text);
      return { group, line: null, step, middle, left: column.x - wide / 2,
        right: column.x + wide / 2 };
    });
    this.beam.forEach((each, node) => this.joinBeam(each, node, won.has(node)));
  },

  joinBeam(each, node, won) {
    const before = each && this.beam[this.picture.beam.parents[node]];
    if (!before) return;
    const half = (before.right + each.left) / 2;
    each.line = make("path", { class: `branch ${won ? "won" : ""}`,
      d: `M${before.right} ${before.middle}C${half} ${before.middle} ${half} ${each.middle} ` +
        `${each.left} ${each.middle}` }, this.wires);
  },

  // Up to this step; what was pruned since is faint, what was finished is not.
  paintBeam(step, chosen) {
    if (!this.beam) return;
    const key = `${step} ${chosen}`;
    if (this.shownBeam === key) return;
    this.shownBeam = key;
    const { beam } = this.picture, alive = new Set();
    beam.steps.forEach((at, node) => {
      if (at !== step && !(at < step && beam.finished[node])) return;
      for (const each of beamPath(beam, node)) alive.add(each);
    });
    this.beam.forEach((each, node) => {
      if (!each) return;
      const seen = each.step < step ? 1 : each.step === step ? chosen : 0;
      const strength = seen * (alive.has(node) || each.step === step ? 1 : ENDED);
      for (const part of [each.group, each.line]) if (part) set(part, "opacity", strength);
      set(each.group, "pointer-events", seen ? "auto" : "none");
    });
  },
});

Object.assign(Player.prototype, {
  switchBeam() {
    this.beamWanted = !this.beamWanted;
    this.beamSwitch.setAttribute("aria-pressed", this.beamWanted);
    this.draw();
    this.paint();
  },

  // The same in words, beside the picture.
  fillBeam(step) {
    const { beam } = this.picture, on = this.hasBeam && step >= 0;
    this.kept.hidden = this.keptName.hidden = !on;
    if (!on) return;
    const nodes = beamAt(beam, step), won = new Set(beam.won);
    this.keptName.textContent = nodes.length
      ? "Beam: kept at this step, with Σ log P" : "Beam: the search had ended before this step";
    this.kept.replaceChildren(...nodes.map((node) => this.keptLine(beam, node, won.has(node))));
  },

  keptLine(beam, node, won) {
    const place = document.createElement("li"), text = document.createElement("span");
    const value = document.createElement("span"), whole = beamText(beam, node);
    place.classList.toggle("won", won);
    place.title = whole;
    text.className = "candidate";
    text.textContent = whole.length > 26 ? `…${whole.slice(-25)}` : whole;
    value.className = "value";
    value.textContent = beam.sums[node].toFixed(2).replace("-", "−");
    place.append(text, value);
    return place;
  },

  beamLines(node) {
    const { beam } = this.picture;
    const number = (value) => value.toFixed(2).replace("-", "−");
    const on = beam.won.includes(node);
    const ends = beam.finished[node] ? "complete" : "kept";
    return [beamText(beam, node), `P(${beam.tokens[node]}) = ${percent(beam.shares[node])}`,
      `Σ log P = ${number(beam.sums[node])}, score ${number(beam.scores[node])}`,
      on ? `${ends}, and part of the output that won` : ends];
  },
});
