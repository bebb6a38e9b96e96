// @ts-check
// The map as it is seen, as one picture: title, legend, dates, source and scale with it. It is
// drawn here from what the page has drawn already; nothing is asked of anybody.
"use strict";

const Picture = (() => {
  const INK = "#16233b", QUIET = "#56617a", PAPER = "#fdfcf9", SHARP = 2, EDGE = 28, COLUMN = 300;
  /** @type {(name: string) => Part} */
  const page = (name) => document.getElementById(name);
  /** @type {(size: number, weight?: number, family?: string) => string} */
  const font = (size, weight = 400, family = "Public Sans") => `${weight} ${size}px "${family}", sans-serif`;
  /** @type {L.Map} */
  let map = null;

  /**
   * A text in lines that fit a width, in pixels, as the pen writes them.
   * @type {(pen: Pick<CanvasRenderingContext2D, "measureText">, text: string, width: number) => string[]}
   */
  const lines = (pen, text, width) => {
    const found = [];
    let line = "";
    for (const word of text.trim().split(/\s+/)) {
      const longer = line ? `${line} ${word}` : word;
      if (line && pen.measureText(longer).width > width) { found.push(line); line = word; } else line = longer;
    }
    return line ? [...found, line] : found;
  };
  /** @type {(element: Pick<Element, "getAttribute">, name: string, otherwise?: number) => number} */
  const number = (element, name, otherwise = 0) => Number(element.getAttribute(name) ?? otherwise);

  /** @type {(pen: CanvasRenderingContext2D, svg: SVGElement, left: number, top: number) => void} */
  const paths = (pen, svg, left, top) => {
    const [x, y] = svg.getAttribute("viewBox").split(" ").map(Number);
    for (const path of svg.querySelectorAll("path")) {
      pen.save();
      pen.translate(left - x, top - y);
      const shape = new Path2D(path.getAttribute("d"));
      if (path.getAttribute("fill") !== "none") {
        pen.globalAlpha = number(path, "fill-opacity", 1);
        pen.fillStyle = path.getAttribute("fill");
        pen.fill(shape, "evenodd");
      }
      if (path.getAttribute("stroke") !== "none") {
        pen.globalAlpha = number(path, "stroke-opacity", 1);
        pen.strokeStyle = path.getAttribute("stroke");
        pen.lineWidth = number(path, "stroke-width", 1);
        pen.setLineDash((path.getAttribute("stroke-dasharray") || "").split(/[ ,]+/).filter(Boolean).map(Number));
        pen.lineJoin = "round";
        pen.stroke(shape);
      }
      pen.restore();
    }
  };
  /** @type {(pen: CanvasRenderingContext2D, icon: HTMLElement, box: { left: number, top: number, width: number, height: number }) => void} */
  const label = (pen, icon, box) => {
    const inner = /** @type {HTMLElement} */ (icon.firstElementChild);
    if (!inner || getComputedStyle(inner).visibility === "hidden") return;
    const [outer, own] = [icon.getBoundingClientRect(), inner.getBoundingClientRect()];
    /** @type {[number, number]} */
    const middle = [box.left + own.left + own.width / 2 - outer.left, box.top + own.top + own.height / 2 - outer.top];
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const name = inner.classList.contains("zone-number") ? inner : icon.querySelector(".district-name");
    if (!name || !own.width) return;
    const [size, weight] = name === inner ? [12, 700] : [14, 650];
    pen.strokeStyle = "rgba(255, 255, 255, .9)";
    pen.lineWidth = 4;
    pen.lineJoin = "round";
    const note = name.querySelector("small");
    /** @type {[string, number, number, string][]} text, size, weight, colour */
    const rows = [[[...name.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.textContent).join(""), size, weight, getComputedStyle(name).color]];
    if (note && note.textContent) rows.push([note.textContent, 12, 600, "#0b5fa5"]);
    rows.forEach(([text, points, bold, colour], i) => {
      pen.font = font(points, bold);
      pen.fillStyle = colour;
      const y = middle[1] - 8 * (rows.length - 1) + i * 17;
      pen.strokeText(text, middle[0], y);
      pen.fillText(text, middle[0], y);
    });
  };

  // What a pane holds: tiles lie deeper in it than all else.
  /** @type {(pane: Element) => Element[]} */
  const drawn = (pane) => [...pane.children].flatMap((one) => (one.classList.contains("leaflet-layer") && one.tagName === "DIV" ? [...one.querySelectorAll("canvas")] : [one]));

  // What lies on the map, from the lowest pane up; places are those on the screen.
  /** @type {(pen: CanvasRenderingContext2D, left: number, top: number) => void} */
  const chart = (pen, left, top) => {
    const frame = map.getContainer().getBoundingClientRect();
    const size = map.getSize();
    pen.save();
    pen.beginPath();
    pen.rect(left, top, size.x, size.y);
    pen.clip();
    pen.translate(left, top);
    pen.fillStyle = "#eef0f2";
    pen.fillRect(0, 0, size.x, size.y);
    const panes = Object.values(map.getPanes()).filter((one) => one !== map.getPanes().mapPane && getComputedStyle(one).display !== "none");
    /** @type {(pane: Element) => number} */
    const height = (pane) => Number(getComputedStyle(pane).zIndex) || 0;
    for (const pane of panes.sort((a, b) => height(a) - height(b))) {
      for (const element of /** @type {any} */ (drawn(pane))) {
        const rect = element.getBoundingClientRect();
        const box = { left: rect.left - frame.left, top: rect.top - frame.top, width: rect.width, height: rect.height };
        pen.globalAlpha = Number(getComputedStyle(element).opacity);
        pen.imageSmoothingEnabled = element.tagName !== "IMG";
        if (element.tagName === "CANVAS" || element.tagName === "IMG") pen.drawImage(element, box.left, box.top, box.width, box.height);
        else if (element.tagName === "svg") paths(pen, element, box.left, box.top);
        else if (element.classList.contains("leaflet-marker-icon")) label(pen, element, box);
        pen.globalAlpha = 1;
      }
    }
    scale(pen, 12, size.y - 14);
    source(pen, size.x - 8, size.y - 8);
    north(pen, size.x - 26, 34);
    pen.restore();
  };
  /** @type {(pen: CanvasRenderingContext2D, left: number, bottom: number) => void} */
  const scale = (pen, left, bottom) => {
    const bars = [...document.querySelectorAll(".leaflet-control-scale-line")].reverse();
    pen.textAlign = "left";
    pen.textBaseline = "alphabetic";
    pen.font = font(12);
    bars.forEach((bar, i) => {
      const y = bottom - i * 22;
      pen.fillStyle = "rgba(255, 255, 255, .85)";
      pen.fillRect(left - 4, y - 15, bar.offsetWidth + pen.measureText(bar.textContent).width + 16, 21);
      pen.fillStyle = pen.strokeStyle = INK;
      pen.lineWidth = 2;
      pen.setLineDash([]);
      pen.stroke(new Path2D(`M${left},${y - 5}v5h${bar.offsetWidth}v-5`));
      pen.fillText(bar.textContent, left + bar.offsetWidth + 8, y + 1);
    });
  };

  // An arrow to the north, which is up on every map.
  /** @type {(pen: CanvasRenderingContext2D, x: number, y: number) => void} */
  const north = (pen, x, y) => {
    pen.fillStyle = "rgba(255, 255, 255, .85)";
    pen.fillRect(x - 14, y - 26, 28, 46);
    pen.fillStyle = INK;
    pen.fill(new Path2D(`M${x},${y - 22}l8,20l-8,-5l-8,5z`));
    pen.textAlign = "center";
    pen.font = font(12, 650);
    pen.fillText("N", x, y + 14);
  };
  /** @type {(pen: CanvasRenderingContext2D, right: number, bottom: number) => void} */
  const source = (pen, right, bottom) => {
    const line = document.querySelector(".base-source");
    if (!line) return;
    pen.font = font(11);
    const width = pen.measureText(line.textContent).width;
    pen.fillStyle = "rgba(255, 255, 255, .85)";
    pen.fillRect(right - width - 8, bottom - 16, width + 12, 20);
    pen.fillStyle = INK;
    pen.textAlign = "right";
    pen.fillText(line.textContent, right, bottom - 2);
  };

  /**
   * How many columns a legend of a width has, and how wide each is, in pixels.
   * @type {(width: number) => { columns: number, wide: number }}
   */
  const columnsOf = (width) => {
    const columns = Math.max(1, Math.floor((width + EDGE) / (COLUMN + EDGE)));
    return { columns, wide: (width - (columns - 1) * EDGE) / columns };
  };
  /**
   * The legend of what is shown, in columns; where it is not to be painted, how high it is.
   * @type {(pen: CanvasRenderingContext2D, left: number, top: number, width: number, paint: boolean) => number}
   */
  const legend = (pen, left, top, width, paint) => {
    const { columns, wide } = columnsOf(width);
    const blocks = [...document.querySelectorAll(".map-legend > div")].filter((block) => !block.hidden);
    const ends = new Array(columns).fill(top);
    for (const block of blocks) {
      const at = ends.indexOf(Math.min(...ends));
      const x = left + at * (wide + EDGE);
      let y = ends[at] + 20;
      pen.textAlign = "left";
      pen.textBaseline = "alphabetic";
      pen.font = font(13, 650);
      for (const line of lines(pen, block.querySelector(".legend-head").textContent, wide)) { if (paint) { pen.fillStyle = INK; pen.fillText(line, x, y); } y += 18; }
      pen.font = font(12.5);
      for (const item of block.querySelectorAll("li:not([hidden])")) {
        const mark = item.querySelector("svg > *");
        if (paint && mark) swatch(pen, mark, x, y - 12);
        for (const line of lines(pen, item.textContent, wide - 34)) { if (paint) { pen.fillStyle = INK; pen.fillText(line, x + 34, y); } y += 17; }
        y += 3;
      }
      ends[at] = y;
    }
    return Math.max(...ends);
  };
  /** @type {(pen: CanvasRenderingContext2D, mark: Element, x: number, y: number) => void} */
  const swatch = (pen, mark, x, y) => {
    const [fill, stroke] = [mark.getAttribute("fill"), mark.getAttribute("stroke")];
    const shape = new Path2D();
    if (mark.tagName === "circle") shape.arc(x + 12, y + 8, Math.min(12, number(mark, "r", 7)), 0, 2 * Math.PI);
    else shape.rect(x + number(mark, "x"), y + number(mark, "y"), number(mark, "width"), number(mark, "height"));
    pen.setLineDash([]);
    if (fill !== "none") {
      pen.globalAlpha = number(mark, "fill-opacity", 1);
      pen.fillStyle = fill;
      pen.fill(shape);
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = stroke;
    pen.lineWidth = number(mark, "stroke-width", 1);
    pen.stroke(shape);
  };

  const told = () => {
    const chosen = ["district", "class"].map(page).filter((field) => field && field.value);
    return [
      document.querySelector(".map-title p").textContent,
      chosen.map((field) => field.selectedOptions[0].textContent).join("; "),
      document.querySelector(".sheet-foot").textContent,
    ].map((text) => text.replace(/\s+/g, " ").trim()).filter(Boolean);
  };
  const sheet = () => {
    const size = map.getSize();
    const width = Math.max(size.x, COLUMN) + 2 * EDGE;
    const canvas = document.createElement("canvas");
    const pen = canvas.getContext("2d");
    const [under, ...more] = told();
    const foot = more.pop();
    pen.font = font(26, 600, "Source Serif");
    const title = lines(pen, page("map-title").textContent, width - 2 * EDGE);
    pen.font = font(12.5);
    const ends = lines(pen, foot, width - 2 * EDGE);
    const top = EDGE + title.length * 32 + (1 + more.length) * 22 + 6;
    const below = legend(pen, EDGE, top + size.y, width - 2 * EDGE, false);
    canvas.width = width * SHARP;
    canvas.height = (below + ends.length * 18 + EDGE) * SHARP;
    pen.scale(SHARP, SHARP);
    pen.fillStyle = PAPER;
    pen.fillRect(0, 0, width, canvas.height);
    pen.fillStyle = INK;
    pen.font = font(26, 600, "Source Serif");
    title.forEach((line, i) => pen.fillText(line, EDGE, EDGE + 24 + i * 32));
    pen.fillStyle = QUIET;
    pen.font = font(15);
    [under, ...more].forEach((line, i) => pen.fillText(line, EDGE, EDGE + 20 + title.length * 32 + i * 22));
    chart(pen, EDGE, top);
    legend(pen, EDGE, top + size.y, width - 2 * EDGE, true);
    pen.fillStyle = QUIET;
    pen.textAlign = "left";
    pen.font = font(12.5);
    ends.forEach((line, i) => pen.fillText(line, EDGE, below + 18 + i * 18));
    return canvas;
  };

  const save = () => sheet().toBlob((content) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(content);
    link.download = `${page("save-png").dataset.name}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }, "image/png");

  document.addEventListener("saferground:map", ({ detail }) => {
    map = detail.map;
    page("map-tools").hidden = false;
    page("save-png").addEventListener("click", save);
    page("print-map").addEventListener("click", () => print());
    addEventListener("beforeprint", () => {
      const old = page("print-sheet");
      if (old) old.remove();
      const canvas = sheet();
      canvas.id = "print-sheet";
      document.querySelector(".map-layout").before(canvas);
      document.body.classList.add("with-sheet");
    });
    addEventListener("afterprint", () => {
      page("print-sheet").remove();
      document.body.classList.remove("with-sheet");
    });
  });
  return { sheet, lines, columnsOf };
})();
