// The drawing: all parts of a picture, made once.
const SPACE = "http://www.w3.org/2000/svg";
const BLOCKS = {
  encoder: ["self-attention", "feed-forward"],
  decoder: ["self-attention", "cross-attention", "feed-forward"],
};

function make(tag, attributes, parent, text) {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

// Writes x_t and x_{t−1} with real subscripts; everything else as it is.
function writeFormula(place, text, svg = false) {
  place.replaceChildren();
  for (const [, plain, long, short] of text.matchAll(/([^_]+)|_\{([^}]*)\}|_(.)/gu)) {
    if (plain !== undefined) {
      place.append(svg ? make("tspan", {}, null, plain) : plain);
    } else if (svg) {
      make("tspan", { dy: 3, "font-size": "0.75em" }, place, long ?? short);
      make("tspan", { dy: -3 }, place, "\u200b");
    } else {
      const sub = document.createElement("sub");
      sub.textContent = long ?? short;
      place.append(sub);
    }
  }
}

class Drawing {
  constructor(svg, picture, layout, colours, view) {
    Object.assign(this, { svg, picture, layout, colours, view, shownRibbons: "" });
    const { width, y } = layout;
    svg.setAttribute("viewBox", `0 0 ${width} ${y.height}`);
    svg.setAttribute("width", width);
    svg.setAttribute("height", y.height);
    svg.replaceChildren();
    make("style", {}, svg, styleSheet(colours));
    const defs = make("defs", {}, svg);
    for (const [name, colour] of Object.entries({
      head: colours.faint, flowhead: colours.blue, nowhead: colours.gold,
    })) {
      const marker = make("marker", {
        id: name, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7,
        orient: "auto-start-reverse", markerUnits: "userSpaceOnUse",
      }, defs);
      make("path", { d: "M0 1 L7 4 L0 7 Z", fill: colour }, marker);
    }
    for (const name of ["boxes", "wires", "ribbons", "states", "tokens", "labels"]) {
      this[name] = make("g", { class: name }, svg);
    }
    this.drawBoxes();
    this.drawEncoder();
    this.drawContext();
    this.drawDecoder();
    this.drawStart();
    this.drawBeam();
    this.traveller = make("circle", { class: "traveller", r: 5 }, this.tokens);
    this.drawLabels();
  }

  drawBoxes() {
    const { width, y } = this.layout;
    for (const [top, bottom] of Object.values(y.boxes)) {
      make("rect", {
        class: "lane", x: 1, y: top, width: width - 2, height: bottom - top, rx: 8,
      }, this.boxes);
    }
  }

  strip(name, position, part, { x, top, width, across = false, cells = CELLS }, parent) {
    const values = cellsOf(this.picture.strips[name], position, part, cells);
    const group = make("g", {}, parent);
    const height = across ? top.height : this.layout.y.strip;
    const step = (across ? width : height) / values.length;
    values.forEach((value, index) => make("rect", {
      x: across ? x - width / 2 + index * step : x - width / 2,
      y: across ? top.y : top.y + index * step,
      width: across ? step + 0.4 : width,
      height: across ? height : step + 0.4,
      fill: cellColour(this.colours, value),
    }, group));
    make("rect", {
      class: "frame", x: x - width / 2, y: top.y, width, height, rx: 1.5,
    }, group);
    return group;
  }

  arrow(kind, path, parent = this.wires) {
    const head = { arrow: "head", flow: "flowhead", back: "head" }[kind];
    return make("path", { class: kind, d: path, "marker-end": `url(#${head})` }, parent);
  }

  part(kind, index, parent, attributes = {}) {
    return make("g", {
      class: "part", "data-kind": kind, "data-index": index, ...attributes,
    }, parent);
  }

  token(kind, index, text, { x, width }, y, parent) {
    const group = this.part(kind, index, parent, {
      class: `part token ${kind}`, role: "button", tabindex: -1,
    });
    const wide = Math.min(width - 3, textWidth(text) + 12);
    make("rect", {
      class: "chip", x: x - wide / 2, y: y - 14, width: wide, height: 28, rx: 7,
    }, group);
    make("text", { x, y: y + 4.5 }, group, text);
    return group;
  }

  drawEncoder() {
    const { picture: { model, source, strips }, layout: { sources, sound, y } } = this;
    const both = strips.encoder.parts === 2;
    const recurrent = ["rnn", "lstm", "gru"].includes(model.kind);
    const half = Math.min(both ? 16 : 10, sources[0].width / 2 - (sound ? 0.5 : 3));
    const end = y.encoder + y.strip;
    this.encoder = sources.map((column, place) => {
      const { x } = column;
      const group = this.part("encoder", place, this.states);
      if (!sound) this.sheets(group, x, y.encoder, 2 * half, model.encoderLayers);
      const width = both ? half - (sound ? 0 : 1.5) : 2 * half;
      const parts = Array.from({ length: strips.encoder.parts }, (_, part) => this.strip(
        "encoder", place, part,
        { x: both ? x + (part ? 1 : -1) * (half + (sound ? 0 : 1.5)) / 2 : x,
          top: { y: y.encoder }, width, cells: CELLS }, group,
      ));
      const wires = [];
      const next = sources[place + 1];
      if (recurrent && next && !sound) {
        const from = x + half + 2, to = next.x - half - 2;
        const high = both ? end - y.strip * 0.8 : end - y.strip / 2;
        wires.push(this.arrow("flow", `M${from} ${high}H${to}`));
        if (both) wires.push(this.arrow("flow", `M${to} ${end - y.strip * 0.2}H${from}`));
      }
      const rise = sound ? null
        : this.arrow("arrow", `M${x} ${y.source - 16}V${end + 4}`);
      const chip = sound ? null
        : this.token("source", place, source.tokens[place], column, y.source, this.tokens);
      return { group, parts, wires, rise, chip, half, x };
    });
    if (sound) this.drawSound(recurrent, both);
  }

  // Under the states of a recording stand its seconds, and the direction of reading.
  drawSound(recurrent, both) {
    const { picture: { model }, layout: { sources, y } } = this;
    const first = sources[0].x, last = sources.at(-1).x, top = y.boxes.encoder[1];
    if (recurrent) {
      this.arrow("flow", `M${first} ${y.encoder - 6}H${last}`);
      if (both) this.arrow("flow", `M${last} ${top - 6}H${first}`);
    }
    this.drawSpectrogram();
    const seconds = sources.length * model.seconds;
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10].find((each) => seconds / each <= 12) ?? 20;
    const wide = (last - first) / Math.max(1, sources.length - 1);
    for (let tick = 0; tick <= seconds; tick += step) {
      const x = first - wide / 2 + (tick / model.seconds) * wide;
      make("text", { class: "tick", x, y: y.source + 27 }, this.tokens, `${+tick.toFixed(1)} s`);
    }
  }

  drawSpectrogram() {
    const { picture: { source: { sound } }, layout: { sources, y }, colours } = this;
    if (!sound) return;
    const values = bytes(sound.values), wide = sources[0].width;
    const start = sources[0].x - wide / 2, step = (sources.length * wide) / sound.columns;
    const high = 36 / sound.bands, foot = y.source + 14;
    for (let column = 0; column < sound.columns; column += 1) {
      for (let band = 0; band < sound.bands; band += 1) {
        const value = values[column * sound.bands + band] / 255;
        if (value < 0.04) continue;
        make("rect", {
          x: (start + column * step).toFixed(1), y: (foot - (band + 1) * high).toFixed(1),
          width: (step + 0.3).toFixed(1), height: (high + 0.3).toFixed(1),
          fill: mixed(colours.page, colours.blue, value),
        }, this.boxes);
      }
    }
  }

  sheets(group, x, top, width, layers) {
    for (let sheet = Math.min(layers, 4) - 1; sheet > 0; sheet -= 1) {
      make("rect", {
        class: "sheet", x: x - width / 2 + 3 * sheet, y: top + 3 * sheet, width,
        height: this.layout.y.strip, rx: 2,
      }, group);
    }
  }

  drawContext() {
    const { picture: { model, strips }, layout: { sources, targets, y } } = this;
    const strip = y.context, top = y.boxes.encoder[0];
    if (model.attends) {
      this.contexts = targets.map(({ x, width }, step) => {
        const wide = Math.min(width - 8, 54), group = this.part("context", step, this.states);
        this.strip("context", step, 0,
          { x, top: { y: strip, height: 16 }, width: wide, across: true, cells: 16 }, group);
        const ghost = make("rect", {
          class: "ghost", x: x - wide / 2, y: strip, width: wide, height: 16, rx: 2,
        }, this.boxes);
        return { group, ghost };
      });
      this.ribbonPool = sources.map(() => make("path", {
        class: "ribbon", pathLength: 1, "stroke-dasharray": 1,
      }, this.ribbons));
      this.copyPool = !model.copies ? [] : [0, 1, 2].map(() => make("path", {
        class: "ribbon copied",
      }, this.ribbons));
      this.told = [0, 1, 2, 3].map(() => make("text", { class: "told" }, this.ribbons));
      return;
    }
    const first = targets[0].x, last = Math.max(targets.at(-1).x, sources.at(-1).x);
    const group = this.part("context", 0, this.states);
    this.strip("context", 0, 0, {
      x: (first + last) / 2, top: { y: strip, height: 16 }, width: last - first + 24,
      across: true, cells: strips.context.cells,
    }, group);
    this.contexts = targets.map(() => ({ group }));
    const ends = strips.encoder.parts === 2 ? [sources[0], sources.at(-1)] : [sources.at(-1)];
    this.trunks = ends.map(({ x }) => make("path", {
      class: "trunk", d: `M${x} ${y.encoder - 2}V${strip + 17}`, pathLength: 1,
      "stroke-dasharray": 1,
    }, this.ribbons));
    const [end] = ends.slice(-1);
    make("text", {
      class: "note", x: end.x - 14, y: (top + y.boxes.context[1]) / 2 + 4, "text-anchor": "end",
    }, this.ribbons, "what the decoder gets of the source");
  }

  drawDecoder() {
    const { picture: { model, target, strips }, layout: { targets, y } } = this;
    const recurrent = ["rnn", "lstm", "gru"].includes(model.kind);
    const bottom = y.state + y.strip, half = 10;
    const luong = model.readout && model.feeds !== "context";
    this.decoder = targets.map((column, step) => {
      const { x } = column, before = targets[step - 1];
      const group = this.part("decoder", step, this.states);
      this.sheets(group, x, y.state, 2 * half, model.decoderLayers);
      this.strip("decoder", step, 0, { x, top: { y: y.state }, width: 2 * half }, group);
      const ghost = make("rect", {
        class: "ghost", x: x - half, y: y.state, width: 2 * half, height: y.strip, rx: 2,
      }, this.boxes);
      let readout = null;
      if (model.readout && strips.readout.cells) {
        readout = this.part("readout", step, this.states);
        const wide = Math.min(column.width - 8, 40);
        this.strip("readout", step, 0,
          { x, top: { y: y.readout, height: 10 }, width: wide, across: true, cells: 12 }, readout);
      }
      const wires = [];
      const peak = model.readout ? y.readout : y.state;
      if (model.readout) wires.push(this.arrow("arrow", `M${x} ${y.state - 2}V${y.readout + 12}`));
      wires.push(this.arrow("arrow", `M${x} ${peak - 3}V${y.output + 17}`));
      const reads = [];
      if (recurrent && before) {
        const level = y.state + y.strip * 0.6;
        reads.push(this.arrow("arrow", `M${before.x + half + 2} ${level}H${x - half - 2}`));
      }
      if (model.feeds === "readout" && before) {
        const from = before.x + Math.min(before.width - 8, 40) / 2 + 2;
        reads.push(this.arrow("back",
          `M${from} ${y.readout + 5}C${from + 12} ${y.readout + 5} ` +
          `${x - half - 16} ${y.state + 20} ${x - half - 2} ${y.state + 20}`));
      }
      const gives = [];
      if (model.attends && luong) {
        const side = x + half + 5;
        gives.push(this.arrow("arrow",
          `M${x} ${bottom + 2}V${y.context - 3}`));
        gives.push(this.arrow("arrow", `M${side} ${y.context - 2}V${y.readout + 13}`));
      } else if (model.attends) {
        gives.push(this.arrow("arrow", `M${x} ${y.context - 2}V${bottom + 3}`));
      } else if (model.feeds !== "token" || step === 0) {
        gives.push(this.arrow("arrow", `M${x} ${y.context - 2}V${bottom + 3}`));
      }
      const feedback = before && this.arrow("back",
        `M${before.x + 4} ${y.output + 15}C${before.x + 4} ${y.state - 6} ` +
        `${x - half - 22} ${y.state + 9} ${x - half - 3} ${y.state + 9}`);
      const chip = this.token(
        "output", step, target.tokens[step], column, y.output, this.tokens);
      const colour = mixed(
        this.colours.chip, this.colours.gold, 0.15 + 0.75 * target.probabilities[step]);
      chip.firstChild.style.fill = colour;
      chip.lastChild.style.fill = readableOn(colour);
      return { group, ghost, readout, wires, reads, gives, feedback, chip, x };
    });
  }

  // What a recurrent decoder begins with: the last state that the encoder has left.
  drawStart() {
    const { picture: { model, strips }, layout: { narrow, sources, targets, y } } = this;
    if (!["rnn", "lstm", "gru"].includes(model.kind)) return;
    const side = targets[0].x - 17, level = y.state + y.strip * 0.6;
    const into = `V${level}H${targets[0].x - 12}`;
    const turn = y.boxes.encoder[0] - 9;
    const ends = strips.encoder.parts === 2 ? [sources.at(-1), sources[0]] : [sources.at(-1)];
    this.start = [];
    if (model.attends) {
      for (const [index, { x }] of ends.entries()) {
        const from = `M${x} ${y.encoder - 2}V${turn}H${side}`;
        this.start.push(index ? make("path", { class: "back", d: from }, this.wires)
          : this.arrow("back", from + into));
      }
      // Where no ribbon is; in a narrow picture, where neither the first one nor its weight is.
      const [first, second = first, third = second] = sources;
      const place = narrow ? { x: (second.x + third.x) / 2 - 20, y: turn - 5 }
        : { x: side - 8, y: (y.boxes.context[1] + y.boxes.encoder[0]) / 2 + 4, "text-anchor": "end" };
      this.start.push(make("text", { class: "note halo", ...place }, this.wires));
      writeFormula(this.start.at(-1), "s_0 = h_T", true);
    } else if (model.feeds !== "token") {
      this.start.push(this.arrow("back", `M${side} ${y.context - 1}${into}`));
    }
  }

  // Names stand still while time is scrolled.
  drawLabels() {
    const { picture: { model, parts }, layout: { narrow, gutter, scrolls, y } } = this;
    const tops = {
      output: y.output - 14, decoder: y.boxes.decoder[0], context: y.boxes.context[0],
      encoder: y.boxes.encoder[0], source: y.source - 14, beam: y.boxes.beam?.[0],
    };
    if (!narrow && scrolls) {
      make("rect", {
        class: "cover", x: 0, y: 0, width: gutter - 6, height: y.height,
      }, this.labels);
    }
    for (const [key, { name, symbol, lines }] of Object.entries(parts)) {
      if (tops[key] === undefined) continue;
      const box = y.boxes[key], top = tops[key];
      if (narrow && !box) continue;
      const group = this.part("lane", key, this.labels);
      if (narrow) {
        make("rect", {
          class: "cover inside still", x: 8, y: top + 3, height: 16,
          width: textWidth(`${name}: ${symbol.replace(/[_{}]/g, "")}`) + 8,
        }, group);
      } else if (scrolls || !box) {
        make("rect", {
          class: `cover ${box ? "inside" : ""}`, x: 1, y: box ? top : top - 6,
          width: gutter - 7, height: box ? box[1] - top : 40, rx: 8,
        }, group);
      }
      const line = (text, number, kind) => writeFormula(make("text", {
        class: kind, x: 12, y: top + (narrow ? 14 : 19) + number * 16,
      }, group), text, true);
      if (narrow) line(`${name}: ${symbol}`, 0, "symbol");
      else {
        line(name, 0, "name");
        line(symbol, 1, "symbol");
        const room = box && gutter >= GUTTER ? Math.floor((box[1] - top - 44) / 16) : 0;
        const blocks = room && model.kind === "transformer" && BLOCKS[key];
        if (blocks) this.drawBlocks(group, blocks, model[`${key}Layers`], top + 42, box[1] - 5);
        else lines.slice(0, Math.max(0, room)).forEach((text, index) => line(text, 2 + index, "note"));
      }
    }
  }

  // The blocks of a layer, from below in the order in which they follow each other.
  drawBlocks(group, blocks, layers, top, bottom) {
    const high = Math.min(15, (bottom - top) / blocks.length);
    blocks.forEach((name, index) => {
      const y = bottom - (index + 1) * high;
      make("rect", { class: "chip", x: 12, y: y + 1, width: 82, height: high - 2, rx: 3 }, group);
      make("text", { class: "small", x: 53, y: y + high / 2 + 3.5 }, group, name);
    });
    make("text", { class: "note", x: 99, y: (top + bottom) / 2 + 4 }, group, `×${layers}`);
  }

  // Names follow what is scrolled; columns far out of sight are not drawn.
  scrolled(left, wide) {
    this.labels.setAttribute("transform", `translate(${left} 0)`);
    const far = ({ x }) => (x < left - wide || x > left + 2 * wide ? "none" : "inline");
    for (const column of this.encoder) {
      for (const each of [column.group, column.chip]) if (each) set(each, "display", far(column));
    }
    for (const column of this.decoder) {
      for (const each of [column.group, column.readout]) if (each) set(each, "display", far(column));
    }
  }
}
