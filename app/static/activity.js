// @ts-check
// Alerts and complaints on the map: approximate areas, filtered by week together with the figures
// and tables of the page. Needs map.js, which says when the map is there.
"use strict";

document.addEventListener("saferground:map", async ({ detail: { map } }) => {
  /** @type {(name: string) => Part} */
  const page = (name) => document.getElementById(name);
  const frame = page("map-frame");
  if (!frame.dataset.activity) return;
  const looks = { alerts: "#0b5fa5", complaints: "#6b3fa0" };
  const classes = [[10, 0.72], [5, 0.5], [2, 0.3], [1, 0.14]];
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const MOST_AREAS = 12;

  const answer = await fetch(frame.dataset.activity);
  if (!answer.ok) {
    page("map-status").textContent = Words.say("no_alerts");
    return;
  }
  /**
   * `counts` are flat fours: position of the site, of the week, of the class, and a number.
   * @typedef {{ circle: L.Circle, district: string, radius: number, look: number[] | null, number: number }} Site
   * @typedef {[number, number, number, string]} SiteRow latitude, longitude, radius in metres, district
   * @typedef {{ id: "alerts" | "complaints", title: string, one: string, many: string, classes: string[], sites: SiteRow[], counts: number[] }} ActivityLayer
   * @type {{ weeks: string[], through: string, districts: string[], layers: ActivityLayer[] }}
   */
  const data = await answer.json();
  const weeks = data.weeks;
  let first = weeks.indexOf(page("from").value);
  let last = weeks.indexOf(page("to").value);
  /** @type {number | null} */
  let timer = null;

  // One circle a site, made once; filtering changes the look of those whose class changes.
  const canvas = L.canvas({ pane: SaferGround.pane(map, "areas", 400), padding: 0.4 });
  const layers = data.layers.map((layer) => {
    const group = L.layerGroup();
    const sites = layer.sites.map(([lat, lon, radius, district]) => {
      const circle = L.circle([lat, lon], { renderer: canvas, radius, color: looks[layer.id], weight: 1.5, fillColor: looks[layer.id] });
      /** @type {Site} */
      const site = { circle, district, radius, look: null, number: 0 };
      circle.bindTooltip(() => noteOf(layer, site), { sticky: true });
      return site;
    });
    SaferGround.part(layer.id, group);
    return { ...layer, group, sites, counts: Int32Array.from(layer.counts) };
  });

  /** @type {(layer: { counts: Int32Array }) => number[]} */
  const perWeek = (layer) => {
    const found = new Array(weeks.length).fill(0);
    for (let i = 0; i < layer.counts.length; i += 4) found[layer.counts[i + 1]] += layer.counts[i + 3];
    return found;
  };
  /** @type {(layer: ActivityLayer, site: Site) => HTMLElement} */
  const noteOf = (layer, site) => {
    const note = document.createElement("span");
    note.textContent = Words.say("here", { what: word(layer, site.number) });
    return note;
  };
  /** @type {(layer: Pick<ActivityLayer, 'one' | 'many'>, number: number) => string} */
  const word = (layer, number) => `${Words.number(number)} ${number === 1 ? layer.one : layer.many}`;
  const long = Words.day;
  /** @type {(text: string, add?: number) => Date} */
  const date = (text, add = 0) => new Date(Date.parse(`${text}T00:00:00Z`) + add * 864e5);
  const lastDay = () => new Date(Math.min(Number(date(weeks[last], 6)), Number(date(data.through))));

  const paint = () => {
    const { district, kind, layers: on } = Filter.now();
    const sums = layers.map((layer) => {
      const { counts, sites } = layer;
      const wanted = layer.classes.indexOf(kind); // -1: all of them
      const districts = Object.fromEntries(data.districts.map((code) => [code, 0]));
      for (const site of sites) site.number = 0;
      for (let i = 0; i < counts.length; i += 4) {
        if (counts[i + 1] < first || counts[i + 1] > last) continue;
        if (wanted >= 0 && counts[i + 2] !== wanted) continue;
        const site = sites[counts[i]];
        if (!district || site.district === district) site.number += counts[i + 3];
      }
      for (const site of sites) {
        if (site.number) districts[site.district] += site.number;
        restyle(layer, site);
      }
      return districts;
    });
    figures(sums, district, on);
    downloads(district, kind, on);
    bars();
    for (const { id } of layers) page(`legend-${id}`).hidden = !on.has(id);
  };
  /** @type {(layer: { group: L.LayerGroup }, site: Site) => void} */
  const restyle = (layer, site) => {
    const look = classes.find(([least]) => site.number >= least) || null;
    if (look === site.look) return;
    if (look) site.circle.setStyle({ fillOpacity: look[1] });
    if (look && !site.look) layer.group.addLayer(site.circle);
    if (!look) layer.group.removeLayer(site.circle);
    site.look = look;
  };

  /** @type {(sums: Record<string, number>[], district: string, on: Set<string>) => void} */
  const figures = (sums, district, on) => {
    const totals = sums.map((districts) => Object.values(districts).reduce((a, b) => a + b, 0));
    const told = layers.flatMap((layer, i) => (on.has(layer.id) ? [word(layer, totals[i])] : []));
    page("activity-told").textContent = told.length ? Words.say("told", {
      numbers: told.reduce((a, b) => Words.say("and", { first: a, second: b })),
      first: long(date(weeks[first])), last: long(lastDay()),
    }) : Words.say("neither");
    page("sheet-span").textContent = `${page("activity-told").textContent}.`;
    for (const cell of document.querySelectorAll("#activity-table [data-layer]")) {
      const i = layers.findIndex((layer) => layer.id === cell.dataset.layer);
      const number = cell.dataset.district ? sums[i][cell.dataset.district] : totals[i];
      cell.textContent = Words.number(number);
    }
    for (const cell of document.querySelectorAll("#activity-table [data-layer], #activity-table [data-head]")) cell.hidden = !on.has(cell.dataset.layer || cell.dataset.head);
    for (const row of document.querySelectorAll("#activity-table [data-row]")) row.hidden = Boolean(district) && row.dataset.row !== district;
    document.querySelector("#activity-table tfoot tr").hidden = Boolean(district);
    const alerts = layers.findIndex((layer) => layer.id === "alerts");
    SaferGround.notes((code) => (alerts < 0 || !on.has("alerts") || (district && code !== district) ? "" : word(layers[alerts], sums[alerts][code] || 0)));
    const names = Object.fromEntries([...document.querySelectorAll("#activity-table tbody th[data-code]")].map((head) => [head.dataset.code, head.textContent]));
    page("areas").replaceChildren(...layers.filter((layer) => on.has(layer.id)).flatMap((layer) => layer.sites
      .filter((site) => site.number)
      .sort((a, b) => b.number - a.number)
      .slice(0, MOST_AREAS)
      .map((site) => areaRow(layer, site, names))));
  };
  /** @type {(district: string, kind: string, on: Set<string>) => void} */
  const downloads = (district, kind, on) => {
    for (const part of document.querySelectorAll("#downloads [data-head]")) part.hidden = !on.has(part.dataset.head);
    for (const link of document.querySelectorAll("#downloads a[data-kind]")) {
      const address = new URL(link.href);
      /** @type {(key: string, value: string) => void} */
      const put = (key, value) => (value ? address.searchParams.set(key, value) : address.searchParams.delete(key));
      put("from", weeks[first]);
      put("through", lastDay().toISOString().slice(0, 10));
      put("district", district);
      put("class", link.dataset.kind ? kind : "");
      link.href = address;
    }
  };
  /** @type {(layer: { title: string }, site: Site, names: Record<string, string>) => HTMLElement} */
  const areaRow = (layer, site, names) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    const open = document.createElement("button");
    open.type = "button";
    open.className = "link";
    open.textContent = `${layer.title}, ${names[site.district] || site.district}`;
    open.addEventListener("click", () => map.fitBounds(site.circle.getBounds(), { maxZoom: 15, animate: !still.matches }));
    head.append(open);
    const number = document.createElement("td");
    number.className = "num";
    number.textContent = Words.number(site.number);
    row.append(head, number);
    return row;
  };

  // A bar a week; those shown are dark. Two sliders choose the first and the last.
  const SVG = "http://www.w3.org/2000/svg";
  /** @type {SVGElement[]} */
  const drawn = [];
  const makeBars = () => {
    const chart = page("week-bars");
    const main = perWeek(layers[0]);
    const most = Math.max(1, ...main);
    chart.setAttribute("viewBox", `0 0 ${weeks.length * 4} 40`);
    weeks.forEach((week, i) => {
      const bar = document.createElementNS(SVG, "rect");
      const height = (main[i] / most) * 38;
      bar.setAttribute("x", String(i * 4 + 0.4));
      bar.setAttribute("width", "3.2");
      bar.setAttribute("y", String(40 - height));
      bar.setAttribute("height", String(height));
      chart.append(bar);
      drawn.push(bar);
    });
  };
  const bars = () => {
    drawn.forEach((bar, i) => bar.setAttribute("class", i >= first && i <= last ? "on" : "off"));
    for (const [name, week] of /** @type {[string, number][]} */ ([["first-week", first], ["last-week", last]])) {
      const slider = page(name);
      slider.value = week;
      slider.setAttribute("aria-valuetext", Words.say("week", { day: long(date(weeks[week])) }));
    }
    page("weeks-told").textContent = Words.say("span", { first: long(date(weeks[first])), last: long(lastDay()) });
  };

  /** @type {(step: boolean) => void} */
  const remember = (step) => {
    page("from").value = weeks[first];
    page("to").value = weeks[last];
    Filter.remember(step);
  };
  /** @type {(from: number, to: number) => void} */
  const choose = (from, to) => {
    first = Math.max(0, Math.min(from, to));
    last = Math.min(weeks.length - 1, Math.max(from, to));
    paint();
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    page("play").textContent = Words.say("play");
    remember(true);
  };
  const play = () => {
    if (timer) return stop();
    if (last === weeks.length - 1) choose(0, last - first);
    page("play").textContent = Words.say("pause");
    timer = setInterval(() => {
      if (last === weeks.length - 1) return stop();
      return choose(first + 1, last + 1);
    }, still.matches ? 1600 : 650);
    return undefined;
  };

  makeBars();
  for (const name of ["first-week", "last-week"]) {
    const slider = page(name);
    slider.max = weeks.length - 1;
    slider.addEventListener("input", () => choose(Number(page("first-week").value), Number(page("last-week").value)));
    slider.addEventListener("change", () => remember(true));
  }
  page("play").addEventListener("click", play);
  for (const name of ["week-chooser", "play"]) page(name).hidden = false;
  page("week-selects").hidden = true;
  document.addEventListener("saferground:filter", ({ detail }) => choose(weeks.indexOf(detail.from), weeks.indexOf(detail.to)));
  SaferGround.refresh();
  paint();
});
