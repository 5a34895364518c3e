// The whole sequence in small, with the window that is in view: to be dragged, clicked or keyed.
const MAP_HIGH = 34, MAP_ROW = 9, MAP_LEAST = 14;  // pixels: its height, a lane's, the window's

Object.assign(Player.prototype, {
  listenToMap() {
    const { map, stage } = this;
    map.onpointerdown = (event) => {
      const { left, width } = map.getBoundingClientRect(), share = stage.scrollWidth / width;
      const at = (event.clientX - left) * share, wide = stage.clientWidth;
      const inside = at >= stage.scrollLeft && at <= stage.scrollLeft + wide;
      this.held = { left, share, by: inside ? at - stage.scrollLeft : wide / 2 };
      map.setPointerCapture(event.pointerId);
      this.dragMap(event);
    };
    map.onpointermove = (event) => this.dragMap(event);
    map.onpointerup = map.onpointercancel = () => { this.held = null; };
    map.onkeydown = (event) => this.pressMap(event);
  },

  dragMap({ clientX }) {
    if (!this.held) return;
    const { left, share, by } = this.held;
    this.stage.scrollLeft = (clientX - left) * share - by;
  },

  pressMap(event) {
    const { stage } = this, page = stage.clientWidth / 2;
    const to = {
      ArrowLeft: stage.scrollLeft - page, ArrowRight: stage.scrollLeft + page,
      Home: 0, End: stage.scrollWidth,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    stage.scrollTo({ left: to, behavior: calm.matches ? "instant" : "smooth" });
  },

  drawMap() {
    const { map, drawing: { layout, colours }, picture } = this;
    map.hidden = !layout.scrolls;
    this.root.classList.toggle("mapped", layout.scrolls);
    if (map.hidden) return;
    const svg = map.firstElementChild;
    svg.setAttribute("viewBox", `0 0 ${layout.width} ${MAP_HIGH}`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.replaceChildren();
    const lane = (columns, y) => columns.map(({ x, width }) => make("rect", {
      x: x - width * 0.42, y, width: width * 0.84, height: MAP_ROW,
    }, svg));
    this.mapOutput = lane(layout.targets, 5);
    this.mapSource = lane(layout.sources, MAP_HIGH - 5 - MAP_ROW);
    this.mapOutput.forEach((each, step) => set(each, "fill", mixed(
      colours.zero, colours.gold, 0.15 + 0.85 * picture.target.probabilities[step])));
    this.window = make("rect", { class: "window", y: 1, height: MAP_HIGH - 2 }, svg);
    this.mapStep = undefined;
    this.scrollMap();
  },

  // What is written so far, and where this step looks.
  paintMap() {
    const key = `${this.step} ${this.view}`;
    if (this.map.hidden || this.mapStep === key) return;
    this.mapStep = key;
    const { colours } = this.drawing, { step } = this;
    const weights = step < 0 ? null : weightsOf(this.picture, this.view, step);
    const most = weights ? Math.max(...weights, 1e-6) : 1;
    this.mapOutput.forEach((each, index) => set(
      each, "opacity", index === step ? 1 : index < step ? 0.55 : 0.15));
    this.mapSource.forEach((each, place) => set(each, "fill", mixed(
      colours.line, colours.blue, weights ? (weights[place] / most) ** 0.7 : 0)));
  },

  scrollMap() {
    const { map, stage } = this;
    if (map.hidden || !this.window) return;
    const { scrollLeft: left, clientWidth: wide, scrollWidth: all } = stage;
    const shown = Math.max(wide, (MAP_LEAST * all) / Math.max(1, map.clientWidth));
    set(this.window, "x", Math.min(left, all - shown));
    set(this.window, "width", shown);
    const { sources, gutter } = this.drawing.layout;
    const seen = sources.flatMap(({ x }, place) => (
      x >= left + gutter && x <= left + wide ? [place + 1] : []));
    map.setAttribute("aria-valuenow", Math.round((100 * left) / Math.max(1, all - wide)));
    map.setAttribute("aria-valuetext", seen.length
      ? `source ${seen[0]} to ${seen.at(-1)} of ${sources.length}` : "beyond the source");
  },
});
