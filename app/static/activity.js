// Alerts and complaints on the map: approximate areas, filtered by week together with the figures
// and tables of the page. Needs map.js, which says when the map is there.
"use strict";

document.addEventListener("saferground:map", async ({ detail: { map } }) => {
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
  const data = await answer.json();
  const weeks = data.weeks;
  const form = page("weeks");
  let first = weeks.indexOf(form.elements.from.value);
  let last = weeks.indexOf(form.elements.to.value);
  let timer = null;

  // One circle a site, drawn once; filtering sets its look.
  const canvas = L.canvas({ pane: SaferGround.pane(map, "areas", 400), padding: 0.4 });
  const layers = data.layers.map((layer) => {
    const group = L.layerGroup();
    const sites = layer.sites.map(([lat, lon, radius, district]) => {
      const note = document.createElement("span");
      const circle = L.circle([lat, lon], { renderer: canvas, radius, color: looks[layer.id], weight: 1.5, fillColor: looks[layer.id] });
      circle.bindTooltip(note, { sticky: true });
      return { circle, note, district, radius, shown: false, number: 0 };
    });
    SaferGround.part(layer.id, group);
    return { ...layer, group, sites };
  });

  const perWeek = (layer) => {
    const found = new Array(weeks.length).fill(0);
    for (let i = 0; i < layer.counts.length; i += 4) found[layer.counts[i + 1]] += layer.counts[i + 3];
    return found;
  };
  const word = (layer, number) => `${Words.number(number)} ${number === 1 ? layer.one : layer.many}`;
  const long = Words.day;
  const date = (text, add = 0) => new Date(Date.parse(`${text}T00:00:00Z`) + add * 864e5);
  const lastDay = () => new Date(Math.min(date(weeks[last], 6), date(data.through)));

  const paint = () => {
    const sums = layers.map((layer) => {
      for (const site of layer.sites) site.number = 0;
      const districts = Object.fromEntries(data.districts.map((code) => [code, 0]));
      const { counts, sites } = layer;
      for (let i = 0; i < counts.length; i += 4) {
        if (counts[i + 1] < first || counts[i + 1] > last) continue;
        sites[counts[i]].number += counts[i + 3];
        districts[sites[counts[i]].district] += counts[i + 3];
      }
      for (const site of sites) {
        const look = classes.find(([least]) => site.number >= least);
        if (look) {
          site.circle.setStyle({ fillOpacity: look[1] });
          site.note.textContent = Words.say("here", { what: word(layer, site.number) });
        }
        if (look && !site.shown) layer.group.addLayer(site.circle);
        if (!look && site.shown) layer.group.removeLayer(site.circle);
        site.shown = Boolean(look);
      }
      return districts;
    });
    figures(sums);
    bars();
    for (const { id, group } of layers) page(`legend-${id}`).hidden = !map.hasLayer(group);
  };

  const figures = (sums) => {
    const totals = sums.map((districts) => Object.values(districts).reduce((a, b) => a + b, 0));
    page("activity-told").textContent = Words.say("told", {
      numbers: layers.map((layer, i) => word(layer, totals[i])).reduce((a, b) => Words.say("and", { first: a, second: b })),
      first: long(date(weeks[first])), last: long(lastDay()),
    });
    for (const cell of document.querySelectorAll("#activity-table [data-layer]")) {
      const i = layers.findIndex((layer) => layer.id === cell.dataset.layer);
      const number = cell.dataset.district ? sums[i][cell.dataset.district] : totals[i];
      cell.textContent = Words.number(number);
    }
    const alerts = layers.findIndex((layer) => layer.id === "alerts");
    SaferGround.notes((code) => (alerts < 0 || !map.hasLayer(layers[alerts].group) ? "" : word(layers[alerts], sums[alerts][code] || 0)));
    const names = Object.fromEntries([...document.querySelectorAll("#activity-table tbody th[data-code]")].map((head) => [head.dataset.code, head.textContent]));
    page("areas").replaceChildren(...layers.flatMap((layer) => [...layer.sites]
      .filter((site) => site.number)
      .sort((a, b) => b.number - a.number)
      .slice(0, MOST_AREAS)
      .map((site) => areaRow(layer, site, names))));
  };
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
  const drawn = [];
  const makeBars = () => {
    const chart = page("week-bars");
    const main = perWeek(layers[0]);
    const most = Math.max(1, ...main);
    chart.setAttribute("viewBox", `0 0 ${weeks.length * 4} 40`);
    weeks.forEach((week, i) => {
      const bar = document.createElementNS(SVG, "rect");
      const height = (main[i] / most) * 38;
      bar.setAttribute("x", i * 4 + 0.4);
      bar.setAttribute("width", 3.2);
      bar.setAttribute("y", 40 - height);
      bar.setAttribute("height", height);
      chart.append(bar);
      drawn.push(bar);
    });
  };
  const bars = () => {
    drawn.forEach((bar, i) => bar.setAttribute("class", i >= first && i <= last ? "on" : "off"));
    for (const [slider, week] of [[page("first-week"), first], [page("last-week"), last]]) {
      slider.value = week;
      slider.setAttribute("aria-valuetext", Words.say("week", { day: long(date(weeks[week])) }));
    }
    page("weeks-told").textContent = Words.say("span", { first: long(date(weeks[first])), last: long(lastDay()) });
  };

  const remember = () => {
    form.elements.from.value = weeks[first];
    form.elements.to.value = weeks[last];
    const now = new URLSearchParams(location.search);
    now.set("from", weeks[first]);
    now.set("to", weeks[last]);
    history.replaceState(null, "", `${location.pathname}?${now}`);
  };
  const choose = (from, to) => {
    first = Math.max(0, Math.min(from, to));
    last = Math.min(weeks.length - 1, Math.max(from, to));
    paint();
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    page("play").textContent = Words.say("play");
    remember();
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
    slider.addEventListener("change", remember);
  }
  form.addEventListener("change", (event) => {
    if (event.target.tagName !== "SELECT") return;
    choose(weeks.indexOf(form.elements.from.value), weeks.indexOf(form.elements.to.value));
    remember();
  });
  page("play").addEventListener("click", play);
  for (const name of ["week-chooser", "play"]) page(name).hidden = false;
  page("week-selects").hidden = true;
  page("layers").addEventListener("change", () => setTimeout(paint)); // once the layer is on or off
  addEventListener("popstate", () => {
    const now = new URLSearchParams(location.search);
    const from = weeks.indexOf(now.get("from")), to = weeks.indexOf(now.get("to"));
    if (from >= 0 && to >= 0) choose(from, to);
  });
  SaferGround.refresh();
  paint();
});
