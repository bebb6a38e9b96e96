// @ts-check
// Search for a street, an intersection or a place by name as one types: the names come in one file
// when the field is first entered. The rules are those of geodata/publishing/search.py.
"use strict";

const Search = (() => {
  const MOST = 8;
  const SHORT = new Map(Object.entries({
    street: "st", str: "st", saint: "st", avenue: "ave", av: "ave", avenida: "ave", boulevard: "blvd", boul: "blvd",
    parkway: "pkwy", pky: "pkwy", turnpike: "tpke", terrace: "ter", road: "rd", drive: "dr", lane: "ln", court: "ct",
    place: "pl", circle: "cir", highway: "hwy", square: "sq", trail: "trl", mount: "mt", fort: "ft",
    north: "n", south: "s", east: "e", west: "w", northeast: "ne", northwest: "nw", southeast: "se", southwest: "sw",
    first: "1st", second: "2nd", third: "3rd", fourth: "4th", fifth: "5th", sixth: "6th", seventh: "7th", eighth: "8th",
    ninth: "9th", tenth: "10th", eleventh: "11th", twelfth: "12th",
  }));
  const ORDER = ["neighbourhood", "street", "crossing", "park", "water"];
  const BETWEEN = /\s*[&/@+]\s*|\s+(?:and|at|y|con)\s+/i;

  /**
   * @typedef {{ text: string, words: string[] }} Name
   * @typedef {{ kind: string, names: number[], at: [number, number], district: string }} Spot `names` are positions
   * @typedef {Spot & { name: string }} Found
   * @typedef {[string, number[], number, number, number]} Row kind, names, latitude, longitude, district
   * @typedef {{ names: string[], spots: Row[], kinds: Record<string, string>, districts: Record<string, string> }} NamesFile
   */

  /**
   * The words of a name as they are compared: no accents, no capitals, usual words short.
   * @type {(text: string) => string[]}
   */
  const wordsOf = (text) => (text.toLowerCase().normalize("NFKD").replace(/[\p{M}'’]/gu, "").match(/[a-z0-9]+/g) || [])
    .map((word) => SHORT.get(word) || word);

  /**
   * Whether one letter too many, too few, wrong or swapped makes one word of the other.
   * @type {(word: string, other: string) => boolean}
   */
  const oneSlip = (word, other) => {
    if (Math.abs(word.length - other.length) > 1) return false;
    let start = 0;
    while (start < Math.min(word.length, other.length) && word[start] === other[start]) start += 1;
    const a = word.slice(start), b = other.slice(start);
    const swapped = a.length > 1 && b.length > 1 && a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2);
    return a.slice(1) === b.slice(1) || a.slice(1) === b || a === b.slice(1) || swapped;
  };
  /** @type {(word: string, other: string, alike: boolean) => number} */
  const price = (word, other, alike) => {
    if (word === other) return 0;
    if (other.startsWith(word)) return 1;
    return alike && word.length >= 4 && oneSlip(word, other) ? 3 : Infinity;
  };
  /**
   * How far words are from a name, `Infinity` where it is not meant.
   * @type {(asked: string[], name: string[], alike: boolean) => number}
   */
  const cost = (asked, name, alike) => {
    const left = [...name];
    let total = 0;
    for (const word of asked) {
      let best = Infinity, place = -1;
      left.forEach((other, i) => {
        const one = price(word, other, alike);
        if (one < best) [best, place] = [one, i];
      });
      if (place < 0) return Infinity;
      total += best;
      left.splice(place, 1);
    }
    return total + 0.1 * left.length;
  };

  /**
   * The spots that a text names, the best first; at most `most` of them.
   * @type {(names: Name[], spots: Spot[], text: string, most?: number) => Found[]}
   */
  const find = (names, spots, text, most = MOST) => {
    const parts = text.split(BETWEEN).map(wordsOf).filter((words) => words.length);
    const whole = wordsOf(text);
    if (!whole.length) return [];
    /** @type {(spot: Spot) => string} */
    const title = (spot) => spot.names.map((name) => names[name].text).join(" & ");
    /** @type {(found: [number, Spot][]) => Found[]} */
    const first = (found) => found
      .sort((a, b) => Math.round((a[0] - b[0]) * 1e6) || ORDER.indexOf(a[1].kind) - ORDER.indexOf(b[1].kind) || (title(a[1]) < title(b[1]) ? -1 : title(a[1]) > title(b[1]) ? 1 : 0))
      .slice(0, most)
      .map(([, spot]) => ({ ...spot, name: title(spot) }));
    for (const alike of [false, true]) {
      /** @type {(asked: string[]) => number[]} */
      const costs = (asked) => names.map((name) => cost(asked, name.words, alike));
      /** @type {[number, Spot][]} */
      let found = [];
      if (parts.length === 2) {
        const [one, two] = parts.map(costs);
        for (const spot of spots) {
          if (spot.kind !== "crossing") continue;
          const [a, b] = spot.names;
          const total = Math.min(one[a] + two[b], one[b] + two[a]);
          if (total < Infinity) found.push([total, spot]);
        }
      }
      if (!found.length) {
        const single = costs(whole);
        found = spots.filter((spot) => spot.kind !== "crossing" && single[spot.names[0]] < Infinity).map((spot) => /** @type {[number, Spot]} */ ([single[spot.names[0]], spot]));
      }
      if (found.length) return first(found);
    }
    if (parts.length !== 2) return [];
    return parts.flatMap((part) => find(names, spots, part.join(" "), Math.floor(most / 2)));
  };
  /** @type {(told: NamesFile) => { names: Name[], spots: Spot[] }} */
  const read = (told) => ({
    names: told.names.map((text) => ({ text, words: wordsOf(text) })),
    spots: told.spots.map(([kind, names, lat, lon, district]) => ({ kind: told.kinds[kind], names, at: [lat, lon], district: told.districts[district] })),
  });
  return { find, read };
})();

document.addEventListener("saferground:map", ({ detail: { map } }) => {
  /** @type {(name: string) => Part} */
  const page = (name) => document.getElementById(name);
  const field = page("place"), list = page("place-list"), status = page("search-told");
  const address = page("map-frame").dataset.names;
  if (!address) return;
  const kinds = page("place-kinds").dataset;
  const districts = Object.fromEntries([...page("district").options].map((option) => [option.value, option.textContent]));
  /** @type {Promise<ReturnType<typeof Search.read>> | null} */
  let loading = null;
  /** @type {ReturnType<typeof Search.find>} */
  let found = []; // for what was sought
  let sought = "", active = -1;

  field.setAttribute("role", "combobox");
  field.setAttribute("aria-controls", "place-list");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-expanded", "false");
  const load = () => {
    loading = loading || fetch(address).then((answer) => {
      if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
      return answer.json();
    }).then(Search.read).catch((error) => { loading = null; throw error; }); // the next may succeed
    return loading;
  };

  const close = () => {
    list.hidden = true;
    active = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  /** @type {(place: number) => void} */
  const mark = (place) => {
    active = place;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === place)));
    if (place >= 0) field.setAttribute("aria-activedescendant", list.children[place].id);
    else field.removeAttribute("aria-activedescendant");
  };
  const show = () => {
    list.replaceChildren(...found.map((spot, i) => {
      const item = document.createElement("li");
      item.id = `place-${i}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      const note = document.createElement("small");
      note.textContent = `${kinds[spot.kind]}, ${districts[spot.district] || spot.district}`;
      item.append(spot.name, " ", note);
      item.addEventListener("mousedown", (event) => { event.preventDefault(); go(spot); });
      return item;
    }));
    list.hidden = !found.length;
    active = -1;
    field.setAttribute("aria-expanded", String(found.length > 0));
    if (found.length) tell(`${found.length} ${field.dataset.some}`, false);
    else tell(Words.say("nothing", { asked: field.value.trim() }), true);
  };
  // What a list says for itself is for those who do not see it; that nothing was found is for all.
  /** @type {(text: string, seen: boolean) => void} */
  const tell = (text, seen) => {
    status.textContent = text;
    status.classList.toggle("visually-hidden", !seen);
  };
  const forget = () => { // what the server found for a search before
    const matches = page("matches");
    if (matches) matches.remove();
  };
  /** @type {(spot: ReturnType<typeof Search.find>[number]) => void} */
  const go = (spot) => {
    field.value = spot.name;
    sought = "";
    close();
    forget();
    tell("", false);
    Here.show(spot.at, { focus: true, street: spot.kind === "street" ? spot.name : "" }); // a step of its own, which the view then belongs to
    map.setView(spot.at, spot.kind === "crossing" ? 17 : 15, { animate: false });
  };
  const search = async () => {
    const text = field.value.trim();
    if (text === sought) return;
    found = [];
    close();
    tell("", false);
    if (text) {
      const { names, spots } = await load();
      if (text !== field.value.trim()) return; // typed on meanwhile
      found = Search.find(names, spots, text);
      show();
    }
    sought = text;
  };

  field.addEventListener("focus", () => load().catch(console.error), { once: true });
  field.addEventListener("input", () => search().catch(console.error));
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if ((event.key !== "ArrowDown" && event.key !== "ArrowUp") || list.hidden) return;
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    mark((active + step + found.length + (active < 0 && step < 0 ? 1 : 0)) % found.length);
  });
  page("search").addEventListener("submit", async (event) => {
    event.preventDefault();
    const asked = field.value.trim();
    if (!asked) return;
    const chosen = active;
    try {
      await search();
    } catch (error) {
      console.error(error);
      forget();
      tell(Words.say("search_failed"), true);
      Here.fail();
      return;
    }
    if (asked !== field.value.trim()) return;
    if (found.length) go(found[Math.max(0, chosen)]);
    else {
      forget();
      tell(Words.say("nothing", { asked }), true);
      Here.fail();
    }
  });
});
