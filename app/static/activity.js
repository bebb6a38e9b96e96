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
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const MOST_AREAS = 12;

  const answer = await fetch(frame.dataset.activity);
  if (!answer.ok) {
    page("map-status").textContent = Words.say("no_alerts");
    return;
  }
  /**
   * `counts` are flat fives: position of the site, days since the first Monday, position of the
   * class and of the hours, and a number.
   * @typedef {[number, number, number, string]} SiteRow latitude, longitude, radius in meters (0: the whole district), district
   * @typedef {{ id: "alerts" | "complaints", title: string, one: string, many: string, classes: string[], sites: SiteRow[], counts: number[] }} ActivityLayer
   * @type {{ weeks: string[], through: string, districts: string[], layers: ActivityLayer[] }}
   */
  const data = await answer.json();
  const weeks = data.weeks;
  /** @type {("hours" | "weekdays" | "months")[]} */
  const CROSS = ["hours", "weekdays", "months"];
  const bands = [...document.querySelectorAll(".histogram input[name=hours]")].map((box) => box.value);
  const months = Array.from({ length: 7 * weeks.length }, (_, day) => String(new Date(Date.parse(`${weeks[0]}T00:00:00Z`) + day * 864e5).getUTCMonth() + 1));
  let first = weeks.indexOf(page("from").value);
  let last = weeks.indexOf(page("to").value);
  /** @type {number | null} */
  let timer = null;

  const layers = data.layers.map((layer) => {
    const sites = layer.sites.map(([lat, lon, reach, district]) => ({ lat, lon, reach, district, number: 0 }));
    const discs = Symbols.layer(map, looks[layer.id], (cluster) => noteOf(layer, cluster));
    SaferGround.part(layer.id, discs.group);
    return { ...layer, discs, sites, counts: Int32Array.from(layer.counts) };
  });
  const districts = Object.fromEntries([...page("district").options].map((option) => [option.value, option.textContent]));

  /** @type {(layer: { counts: Int32Array }) => number[]} */
  const perWeek = (layer) => {
    const found = new Array(weeks.length).fill(0);
    for (let i = 0; i < layer.counts.length; i += 5) found[Math.floor(layer.counts[i + 1] / 7)] += layer.counts[i + 4];
    return found;
  };
  /** @type {(layer: Pick<ActivityLayer, 'one' | 'many'>, cluster: { number: number, spots: { reach: number, district: string }[] }) => string} */
  const noteOf = (layer, { number, spots }) => {
    const what = word(layer, number);
    if (!spots[0].reach) return Words.say("in_district", { what, district: districts[spots[0].district] || spots[0].district });
    if (spots.length > 1) return Words.say("at_places", { what, places: Words.number(spots.length) });
    return Words.say("within", { what, reach: Words.length(spots[0].reach) });
  };
  /** @type {(layer: Pick<ActivityLayer, 'one' | 'many'>, number: number) => string} */
  const word = (layer, number) => `${Words.number(number)} ${number === 1 ? layer.one : layer.many}`;
  const long = Words.day;
  /** @type {(text: string, add?: number) => Date} */
  const date = (text, add = 0) => new Date(Date.parse(`${text}T00:00:00Z`) + add * 864e5);
  const lastDay = () => new Date(Math.min(Number(date(weeks[last], 6)), Number(date(data.through))));

  const paint = () => {
    const { district, kind, layers: on, ...more } = Filter.now();
    const some = Object.fromEntries(CROSS.map((name) => [name, new Set(more[name])]));
    const crossed = Object.fromEntries(CROSS.map((name) => [name, /** @type {Record<string, number>} */ ({})]));
    const sums = layers.map((layer) => {
      const { counts, sites } = layer;
      const wanted = layer.classes.indexOf(kind); // -1: all of them
      const districts = Object.fromEntries(data.districts.map((code) => [code, 0]));
      for (const site of sites) site.number = 0;
      for (let i = 0; i < counts.length; i += 5) {
        const [at, day, kindOf, hours, number] = counts.subarray(i, i + 5);
        if (day < 7 * first || day > 7 * last + 6) continue;
        if (wanted >= 0 && kindOf !== wanted) continue;
        const site = sites[at];
        if (district && site.district !== district) continue;
        /** @type {Record<string, string>} */
        const value = { hours: bands[hours], weekdays: String((day % 7) + 1), months: months[day] };
        const missed = CROSS.filter((name) => some[name].size && !some[name].has(value[name]));
        // Each chart counts what the others leave.
        if (layer === layers[0]) for (const name of CROSS) if (missed.every((one) => one === name)) crossed[name][value[name]] = (crossed[name][value[name]] || 0) + number;
        if (!missed.length) site.number += number;
      }
      for (const site of sites) {
        if (site.number) districts[site.district] += site.number;
      }
      return districts;
    });
    discs();
    histograms(crossed, CROSS.some((name) => some[name].size > 0));
    figures(sums, district, on);
    downloads(district, kind, on);
    bars();
    for (const { id } of layers) page(`legend-${id}`).hidden = !on.has(id);
  };
  /** @type {(crossed: Record<string, Record<string, number>>, filtered: boolean) => void} */
  const histograms = (crossed, filtered) => {
    for (const name of CROSS) {
      const numbers = crossed[name];
      const most = Math.max(1, ...Object.values(numbers));
      for (const box of document.querySelectorAll(`.histogram input[name="${name}"]`)) {
        const number = numbers[box.value] || 0;
        box.parentElement.querySelector("rect").setAttribute("width", String((100 * number) / most));
        box.parentElement.querySelector(".num").textContent = Words.number(number);
      }
    }
    page("downloads").hidden = filtered; // files cannot be cut by these
    page("histogram-clear").hidden = !filtered;
  };

  // The discs and the sizes of the legend follow numbers and zoom; names stay clear of them.
  const discs = () => {
    for (const { id, discs: drawn, sites } of layers) {
      drawn.draw(sites);
      const items = [...document.querySelectorAll(`#legend-${id} li`)];
      drawn.sizes().forEach(([number, radius], i) => {
        items[i].hidden = false;
        items[i].querySelector("circle").setAttribute("r", String(Math.max(radius, 1.5)));
        items[i].querySelector("span").textContent = Words.number(number);
      });
      items.slice(drawn.sizes().length).forEach((item) => { item.hidden = true; });
    }
    Labels.avoid(layers.flatMap(({ discs: drawn }) => drawn.boxes()));
  };

  /** @type {(sums: Record<string, number>[], district: string, on: Set<string>) => void} */
  const figures = (sums, district, on) => {
    const totals = sums.map((districts) => Object.values(districts).reduce((a, b) => a + b, 0));
    const told = layers.flatMap((layer, i) => (on.has(layer.id) ? [word(layer, totals[i])] : []));
    const sentence = told.length ? Words.say("told", {
      numbers: told.reduce((a, b) => Words.say("and", { first: a, second: b })),
      first: long(date(weeks[first])), last: long(lastDay()),
    }) : Words.say("neither");
    const now = Filter.now();
    const some = told.length && CROSS.some((name) => now[name].length > 0);
    page("activity-told").textContent = some ? Words.say("some", { told: sentence }) : sentence;
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
  /** @type {(layer: { title: string, discs: ReturnType<typeof Symbols.layer> }, site: { lat: number, lon: number, reach: number, district: string, number: number }, names: Record<string, string>) => HTMLElement} */
  const areaRow = (layer, site, names) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    const open = document.createElement("button");
    open.type = "button";
    open.className = "link";
    open.textContent = `${layer.title}, ${names[site.district] || site.district}`;
    open.addEventListener("click", () => {
      map.once("moveend", () => layer.discs.show(site));
      if (site.reach) map.fitBounds(L.latLng(site.lat, site.lon).toBounds(2 * site.reach), { maxZoom: 15, animate: !still.matches });
      else SaferGround.goTo(site.district);
    });
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

  map.on("zoomend", discs);
  makeBars();
  for (const name of ["first-week", "last-week"]) {
    const slider = page(name);
    slider.max = weeks.length - 1;
    slider.addEventListener("input", () => choose(Number(page("first-week").value), Number(page("last-week").value)));
    slider.addEventListener("change", () => remember(true));
  }
  page("play").addEventListener("click", play);
  for (const name of ["week-chooser", "play"]) page(name).hidden = false;
  page("histogram-submit").hidden = true;
  page("histogram-clear").addEventListener("click", () => {
    for (const box of document.querySelectorAll(".histogram input")) box.checked = false;
    Filter.changed();
  });
  page("week-selects").hidden = true;
  document.addEventListener("saferground:filter", ({ detail }) => choose(weeks.indexOf(detail.from), weeks.indexOf(detail.to)));
  SaferGround.refresh();
  paint();
});
