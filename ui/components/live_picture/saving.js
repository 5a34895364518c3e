// The picture as a file: drawn shapes and text, or a raster of them.
const SCALE = 2;  // pixels of a raster for one of the picture

Object.assign(Player.prototype, {
  // The whole picture as it stands, beyond what is scrolled into view, with its ground.
  still() {
    const { svg, drawing: { layout, colours } } = this;
    const copy = svg.cloneNode(true);
    copy.setAttribute("xmlns", SPACE);
    copy.querySelector(".labels").removeAttribute("transform");
    for (const part of copy.querySelectorAll(".part")) part.removeAttribute("display");
    for (const part of copy.querySelectorAll(".lit")) part.classList.remove("lit");
    for (const part of copy.querySelectorAll("[tabindex]")) {
      part.removeAttribute("tabindex");
      part.removeAttribute("role");
    }
    const ground = make("rect", {
      width: layout.width, height: layout.y.height, fill: colours.page,
    });
    copy.prepend(make("title", {}, null, this.picture.title), ground);
    return new XMLSerializer().serializeToString(copy);
  },

  async keep(format) {
    const drawn = new Blob([this.still()], { type: "image/svg+xml" });
    const file = format === "svg" ? drawn : await this.raster(drawn);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `live-picture.${format}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  },

  async raster(drawn) {
    const image = new Image(), address = URL.createObjectURL(drawn);
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = SCALE * this.drawing.layout.width;
    canvas.height = SCALE * this.drawing.layout.y.height;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(address);
    return new Promise((made) => canvas.toBlob(made, "image/png"));
  },
});
