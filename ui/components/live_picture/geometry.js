// What is drawn and where: numbers of a picture unpacked, its columns and lanes laid out.
const LEVELS = 127, WEIGHT_UNIT = 65535;  // as the description packs cells and weights
const CELLS = 12, CELL = 5;  // of a strip in the picture, and the height of one in pixels
const LEAST_PITCH = 24, MOST_PITCH = 84, LEAST_SOUND = 5, MOST_SOUND = 26;
const EDGE = 10, NARROW = 480, MEDIUM = 660;
const GUTTER = 122, SHORT_GUTTER = 76;
const FONT = "600 13px 'Source Sans', 'Source Sans Pro', system-ui, sans-serif";

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function unpack(picture) {
  const strips = {};
  for (const [name, { parts, cells, values }] of Object.entries(picture.strips)) {
    strips[name] = { parts, cells, values: new Int8Array(bytes(values).buffer) };
  }
  const attention = picture.attention && {
    views: picture.attention.views,
    weights: new Uint16Array(bytes(picture.attention.weights).buffer),
  };
  const own = {};
  for (const [lane, weights] of Object.entries(picture.own)) {
    own[lane] = weights && new Uint16Array(bytes(weights).buffer);
  }
  return { ...picture, strips, attention, own };
}

// The cells of one part of a vector, from -1 to 1, pooled to at most `count` by magnitude.
function cellsOf(strip, position, part, count) {
  const start = (position * strip.parts + part) * strip.cells;
  const many = Math.min(count, strip.cells), found = [];
  for (let cell = 0; cell < many; cell += 1) {
    const first = Math.floor((cell * strip.cells) / many);
    const last = Math.floor(((cell + 1) * strip.cells) / many);
    let value = 0;
    for (let index = first; index < last; index += 1) {
      const next = strip.values[start + index];
      if (Math.abs(next) > Math.abs(value)) value = next;
    }
    found.push(value / LEVELS);
  }
  return found;
}

function weightsOf(picture, view, step) {
  if (!picture.attention) return null;
  const source = picture.source.tokens.length, target = picture.target.tokens.length;
  const start = (view * target + step) * source;
  return Array.from(
    picture.attention.weights.subarray(start, start + source), (weight) => weight / WEIGHT_UNIT,
  );
}

// What a position of a lane of length `count` looks at in its own lane, null where not recorded.
function ownWeightsOf(picture, lane, position) {
  const weights = picture.own[lane];
  if (!weights) return null;
  const count = picture[lane === "encoder" ? "source" : "target"].tokens.length;
  return Array.from(
    weights.subarray(position * count, (position + 1) * count), (weight) => weight / WEIGHT_UNIT,
  );
}

// The positions that a step looks at most, strongest first.
function strongest(weights, count, least = 0) {
  return [...weights.keys()].filter((place) => weights[place] >= least)
    .sort((one, other) => weights[other] - weights[one]).slice(0, count);
}

const ruler = document.createElement("canvas").getContext("2d");
function textWidth(text) {
  ruler.font = FONT;
  return ruler.measureText(text).width;
}

// The largest pitch at which columns, none narrower than it needs to be, fill the room.
function fittingPitch(needs, room, least, most) {
  const total = (pitch) => needs.reduce((sum, need) => sum + Math.max(need, pitch), 0);
  let low = least, high = most;
  if (total(low) >= room) return low;
  for (let turn = 0; turn < 24; turn += 1) {
    const middle = (low + high) / 2;
    if (total(middle) <= room) low = middle;
    else high = middle;
  }
  return low;
}

function columns(needs, pitch, start) {
  let edge = start;
  return needs.map((need) => {
    const width = Math.max(need, pitch), center = edge + width / 2;
    edge += width;
    return { x: center, width };
  });
}

function lanes(model, narrow, room) {
  const label = narrow ? 18 : 0, strip = CELLS * CELL;
  const output = 24 + room, decoderTop = output + 34;
  const readout = decoderTop + 12 + label;
  const state = model.readout ? readout + 24 : readout;
  const decoderEnd = state + strip + 14;
  const contextTop = decoderEnd + 20, context = contextTop + 12 + label;
  const contextEnd = context + 16 + 18;
  const encoderTop = contextEnd + 54, encoder = encoderTop + 14 + label;
  const encoderEnd = encoder + strip + 14;
  const source = encoderEnd + (model.seconds ? 30 : 36);
  return {
    output, readout, state, context, encoder, source, strip,
    beam: room ? BEAM_TOP : 0,
    boxes: {
      ...(room ? { beam: [1, room - BEAM_FOOT + BEAM_TOP / 2] } : {}),
      decoder: [decoderTop, decoderEnd], context: [contextTop, contextEnd],
      encoder: [encoderTop, encoderEnd],
    },
    height: source + 30,
  };
}

// beam: whether the hypotheses that were kept are drawn too.
function layOut(picture, available, beam) {
  const { model, source, target } = picture;
  const narrow = available < NARROW;
  const gutter = narrow ? EDGE : available < MEDIUM ? SHORT_GUTTER : GUTTER;
  const room = available - gutter - EDGE, sound = model.seconds > 0;
  const needs = (tokens) => tokens.map((token) => textWidth(token) + 14);
  const targetNeeds = needs(target.tokens);
  const sourceNeeds = sound ? source.tokens.map(() => 0) : needs(source.tokens);
  let targetPitch = fittingPitch(targetNeeds, room, LEAST_PITCH, MOST_PITCH);
  let sourcePitch = sound
    ? fittingPitch(sourceNeeds, room, LEAST_SOUND, MOST_SOUND)
    : fittingPitch(sourceNeeds, room, LEAST_PITCH, MOST_PITCH);
  if (!sound) sourcePitch = targetPitch = Math.min(sourcePitch, targetPitch);
  const end = (all) => all.at(-1).x + all.at(-1).width / 2;
  const sources = columns(sourceNeeds, sourcePitch, gutter);
  let targets = columns(targetNeeds, targetPitch, gutter);
  const beyond = end(sources) - gutter, alike = beyond < 1.6 * (end(targets) - gutter);
  if (beyond > room && alike) {  // where time is scrolled, what belongs together stands together
    targetPitch = fittingPitch(targetNeeds, beyond, LEAST_PITCH, 2 * MOST_PITCH);
    targets = columns(targetNeeds, targetPitch, gutter);
  }
  const width = Math.max(available, Math.max(end(sources), end(targets)) + EDGE);
  const scrolls = width > available + 1;
  const y = lanes(model, narrow, beam ? beamHeight(picture.beam) : 0);
  return { narrow, gutter, sound, sources, targets, width, scrolls, y };
}
