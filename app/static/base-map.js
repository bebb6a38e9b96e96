// @ts-check
// The base map: streets, water, parks, rail and names out of one file of tiles (PMTiles, Protomaps
// schema), drawn quietly under the data. The same script draws it in a release's own folder.
"use strict";

const BaseMap = (() => {
  const FONT = "Public Sans";
  const colours = {
    ground: "#fbfaf7", water: "#bdd3e2", park: "#dfe7d6", building: "#efece5", casing: "#c4beb2", major: "#f1e9d6",
    rail: "#8b8579", limit: "#5b6475", street: "#ffffff", path: "#dedad2",
    far: { 1: "#a8a297", 2: "#c6c1b7", 3: "#dedad2" },
    name: "#57534a", place: "#4b556a", green: "#4e6b3f", blue: "#3f6680",
  };
  const NEAR = 14; // from this zoom on streets are white with an edge, before that lines
  const PARKS = new Set(["park", "nature_reserve", "forest", "wood", "cemetery", "golf_course", "recreation_ground", "garden", "village_green", "grass"]);
  const PLACES = new Set(["place", "neighbourhood", "locality", "macrohood", "borough"]);

  /** @typedef {{ geomType: number, props: Record<string, any> }} Drawn */
  /** @typedef {(zoom: number, feature: Drawn) => boolean} Which */

  /**
   * 1 for major streets to 3 for minor ones, 4 for paths, 0 for what is no street.
   * @type {(feature: Drawn) => number}
   */
  const rank = ({ props: { kind, kind_detail: detail = "" } }) => {
    if (kind === "highway") return 1;
    if (kind === "major_road") return /^(secondary|tertiary)/.test(detail) ? 2 : 1;
    if (kind === "minor_road") return detail === "service" ? 4 : 3;
    return kind === "path" ? 4 : 0;
  };
  /**
   * Pixels at a zoom, between stops of zoom and pixels.
   * @type {(stops: [number, number][]) => (zoom: number) => number}
   */
  const wide = (stops) => (zoom) => {
    const next = stops.findIndex(([at]) => at >= zoom);
    if (next < 0) return stops[stops.length - 1][1];
    if (next === 0) return stops[0][1];
    const [[z0, a], [z1, b]] = [stops[next - 1], stops[next]];
    return a * (b / a) ** ((zoom - z0) / (z1 - z0));
  };
  /** @type {Record<number, (zoom: number) => number>} by rank */
  const widths = {
    1: wide([[9, 0.7], [12, 2], [14, 4.5], [16, 9], [18, 20]]),
    2: wide([[11, 0.8], [12, 1.2], [14, 3], [16, 7], [18, 16]]),
    3: wide([[12, 0.5], [13, 0.8], [14, 1.6], [16, 5], [18, 13]]),
  };
  /** @type {(zoom: number) => number} */
  const one = () => 1;

  /** @type {() => any[]} */
  const paint = () => {
    const { PolygonSymbolizer, LineSymbolizer } = protomapsL;
    /** @type {(layer: string, symbolizer: any, filter?: Which, zooms?: { minzoom?: number, maxzoom?: number }) => any} */
    const rule = (layer, symbolizer, filter, zooms = {}) => ({ dataLayer: layer, symbolizer, filter, ...zooms });
    /** @type {(wanted: number) => Which} */
    const ranked = (wanted) => (_, feature) => rank(feature) === wanted;
    /** @type {(layer: string) => any} */
    const rail = (layer) => rule(layer, new LineSymbolizer({ color: colours.rail, width: one, dash: [6, 3], dashColor: colours.rail, dashWidth: 1.3 }), (_, { props }) => props.kind === "rail", { minzoom: 11 });
    return [
      rule("landuse", new PolygonSymbolizer({ fill: colours.park }), (_, { props, geomType }) => geomType === 3 && PARKS.has(props.kind)),
      rule("water", new PolygonSymbolizer({ fill: colours.water }), (_, { geomType }) => geomType === 3),
      rule("water", new LineSymbolizer({ color: colours.water, width: wide([[10, 0.8], [16, 3]]) }), (_, { geomType }) => geomType === 2),
      rule("buildings", new PolygonSymbolizer({ fill: colours.building }), undefined, { minzoom: 15 }),
      rule("roads", new LineSymbolizer({ color: colours.path, width: 1 }), ranked(4), { minzoom: 15 }),
      ...[3, 2, 1].map((one) => rule("roads", new LineSymbolizer({ color: colours.far[/** @type {1 | 2 | 3} */ (one)], width: widths[one] }), ranked(one), { maxzoom: NEAR - 1 })),
      ...[3, 2, 1].map((one) => rule("roads", new LineSymbolizer({ color: colours.casing, width: (/** @type {number} */ zoom) => widths[one](zoom) + 1.8, lineCap: "round", lineJoin: "round" }), ranked(one), { minzoom: NEAR })),
      ...[3, 2, 1].map((one) => rule("roads", new LineSymbolizer({ color: one === 1 ? colours.major : colours.street, width: widths[one], lineCap: "round", lineJoin: "round" }), ranked(one), { minzoom: NEAR })),
      rail("roads"), rail("rail"),
      rule("boundaries", new LineSymbolizer({ color: colours.limit, width: 1.5 }), (_, { props }) => props.kind === "limit"),
    ];
  };
  /** @type {() => any[]} */
  const names = () => {
    const { LineLabelSymbolizer, CenteredTextSymbolizer, LineLabelPlacement } = protomapsL;
    /** @type {(wanted: number, minzoom: number, size: number) => any} */
    const street = (wanted, minzoom, size) => ({
      dataLayer: "roads", minzoom, filter: (/** @type {number} */ _, /** @type {Drawn} */ feature) => rank(feature) === wanted,
      symbolizer: new LineLabelSymbolizer({ labelProps: ["name"], fill: colours.name, stroke: colours.ground, width: 3, fontFamily: FONT, fontSize: size, fontWeight: 500, position: LineLabelPlacement ? LineLabelPlacement.Center : 2, repeatDistance: 320 }),
    });
    /** @type {(layer: string, fill: string, minzoom: number, size: number, weight: number, filter?: Which) => any} */
    const spot = (layer, fill, minzoom, size, weight, filter) => ({
      dataLayer: layer, minzoom, filter,
      symbolizer: new CenteredTextSymbolizer({ labelProps: ["name"], fill, stroke: colours.ground, width: 3, fontFamily: FONT, fontSize: size, fontWeight: weight, lineHeight: 1.4, maxLineChars: 16 }),
    });
    /** @type {Which} */
    const isPlace = (_, { props }) => PLACES.has(props.kind);
    return [
      spot("places", colours.place, 9, 12.5, 650, (_, { props }) => isPlace(_, { props, geomType: 1 }) && (props.kind === "locality" || (props.kind === "place" && props.rank === 1))),
      street(1, 12, 11.5),
      spot("places", colours.place, 13, 11.5, 600, isPlace),
      spot("park_names", colours.green, 14, 11, 500),
      spot("pois", colours.green, 14, 11, 500, (_, { props }) => PARKS.has(props.kind)),
      street(2, 13, 11.5),
      spot("water_names", colours.blue, 13, 11, 500),
      spot("water", colours.blue, 13, 11, 500, (_, { geomType }) => geomType === 1),
      street(3, 15, 11),
    ];
  };

  /**
   * Parts of a file; of a host that sends no parts the whole, once.
   * @type {(address: string) => { getKey: () => string, getBytes: (offset: number, length: number, signal?: AbortSignal) => Promise<{ data: ArrayBuffer }> }}
   */
  const source = (address) => {
    /** @type {ArrayBuffer | null} */
    let whole = null;
    return {
      getKey: () => address,
      getBytes: async (offset, length, signal) => {
        if (!whole) {
          const answer = await fetch(address, { signal, headers: { Range: `bytes=${offset}-${offset + length - 1}` } });
          if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
          const data = await answer.arrayBuffer();
          if (answer.status === 206) return { data };
          whole = data;
        }
        return { data: whole.slice(offset, offset + length) };
      },
    };
  };

  /**
   * Draw the base map on a map, and beside it whose data it is; `address` may be a source of bytes.
   * @type {(map: L.Map, address: any, attribution: string, options?: Record<string, any>) => Promise<any>}
   */
  const draw = async (map, address, attribution, options = {}) => {
    map.getContainer().classList.add("with-base");
    if (attribution) {
      const source = new L.Control({ position: "bottomright" });
      source.onAdd = () => {
        const line = document.createElement("p");
        line.className = "base-source";
        line.textContent = attribution;
        return line;
      };
      source.addTo(map);
    }
    const Archive = new protomapsL.PmtilesSource("none.pmtiles", true).p.constructor;
    const file = new Archive(typeof address === "string" ? source(address) : address);
    const { maxZoom } = await file.getHeader();
    return protomapsL.leafletLayer({
      url: file, maxDataZoom: maxZoom, paintRules: paint(), labelRules: names(), attribution: "",
      devicePixelRatio: Math.max(2, devicePixelRatio), // between zooms tiles are stretched
      backgroundColor: colours.ground, tasks: [document.fonts.load(`500 12px "${FONT}"`)], ...options,
    }).addTo(map);
  };
  return { draw };
})();
