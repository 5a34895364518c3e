// Colours of a light and a dark page, and the style that a drawing carries with it.
const PALETTES = {
  light: {
    page: "#ffffff", ink: "#16202c", faint: "#566273", line: "#d3dae4", lane: "#f7f9fc",
    blue: "#2b6cc4", gold: "#c58600", goldInk: "#7a5200", zero: "#eef1f5",
    low: "#c25a17", high: "#1f5fb0", chip: "#f3f6fa",
  },
  dark: {
    page: "#11161d", ink: "#e6eaf0", faint: "#9fabbb", line: "#344050", lane: "#161d27",
    blue: "#6ca6ee", gold: "#f2c14b", goldInk: "#f2c14b", zero: "#1d2631",
    low: "#e8863f", high: "#5c9ff0", chip: "#1c2531",
  },
};

function styleSheet(colours) {
  return `
text { font-family: "Source Sans", "Source Sans Pro", system-ui, sans-serif; fill: ${colours.ink};
  font-variant-numeric: tabular-nums; }
.lane { fill: ${colours.lane}; stroke: ${colours.line}; }
.cover { fill: ${colours.page}; }
.cover.still { stroke: none !important; }
.cover.inside { fill: ${colours.lane}; stroke: ${colours.line}; }
.name { font-weight: 600; font-size: 14px; }
.symbol, .note { font-size: 12px; fill: ${colours.faint}; }
.token text { font-size: 13px; font-weight: 600; text-anchor: middle; }
.chip { fill: ${colours.chip}; stroke: ${colours.line}; }
.output .chip { stroke: transparent; }
.arrow { fill: none; stroke: ${colours.faint}; stroke-width: 1.2; }
.flow { fill: none; stroke: ${colours.blue}; stroke-width: 1.5; }
.back { fill: none; stroke: ${colours.faint}; stroke-width: 1.2; stroke-dasharray: 3 3; }
.ghost { fill: none; stroke: ${colours.line}; stroke-dasharray: 3 3; }
.sheet { fill: ${colours.lane}; stroke: ${colours.faint}; stroke-opacity: 0.6; }
.frame { fill: none; stroke: ${colours.faint}; stroke-opacity: 0.35; }
.ribbon { fill: none; stroke: ${colours.blue}; stroke-opacity: 0.5; stroke-linecap: butt; }
.ribbon.copied { stroke: ${colours.gold}; stroke-dasharray: 2 5; stroke-opacity: 0.9; }
.trunk { fill: none; stroke: ${colours.blue}; stroke-opacity: 0.55; stroke-width: 12; }
.told { font-size: 12px; font-weight: 600; }
.told, .halo { paint-order: stroke; stroke: ${colours.page}; stroke-width: 3px; }
.now .frame, .now.frame { stroke: ${colours.gold}; stroke-opacity: 1; stroke-width: 2.5; }
.now .chip { stroke: ${colours.gold}; stroke-width: 2; }
.now.arrow, .now.back, .now .arrow { stroke: ${colours.gold}; stroke-width: 2; }
.chosen .chip { stroke: ${colours.blue}; stroke-width: 2.5; }
.traveller { fill: ${colours.gold}; }
.part { cursor: pointer; outline: none; }
.lit .frame, .lit.frame { stroke: ${colours.ink}; stroke-opacity: 1; stroke-width: 2.5; }
.lit .chip, .token:focus-visible .chip { stroke: ${colours.ink}; stroke-width: 2.5; }
.ribbon.lit { stroke-opacity: 0.85; }
.small { font-size: 10.5px; text-anchor: middle; }
.branch { fill: none; stroke: ${colours.faint}; stroke-width: 1.2; }
.branch.won { stroke: ${colours.gold}; stroke-width: 3; }
.node.won .chip { stroke: ${colours.gold}; stroke-width: 2; }
.node.shown .chip { fill: ${mixed(colours.chip, colours.gold, 0.3)}; }
.node .small { font-size: 11px; }
.node.won text { font-weight: 700; }
.tick { font-size: 11px; fill: ${colours.faint}; text-anchor: middle; }`;
}

function mixed(from, to, share) {
  const channel = (colour, at) => parseInt(colour.slice(at, at + 2), 16);
  return "#" + [1, 3, 5].map((at) => Math.round(
    channel(from, at) + (channel(to, at) - channel(from, at)) * share,
  ).toString(16).padStart(2, "0")).join("");
}

function readableOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return (luminance + 0.05) ** 2 > 0.0525 ? "#000000" : "#ffffff";
}

function cellColour(colours, value) {
  return mixed(colours.zero, value < 0 ? colours.low : colours.high, Math.abs(value) ** 0.7);
}
