// What the scripts of app/static meet in a page, for `tsc`; no page loads this file.

// Which kind of element a name leads to is decided by a template, which is not read here: it has
// what every element has, and whatever else a script asks of it.
interface Part extends HTMLElement {
  [property: string]: any;
}
interface Document {
  getElementById(id: string): Part;
}
interface ParentNode {
  querySelector(selectors: string): Part;
  querySelectorAll(selectors: string): NodeListOf<Part>;
}

// A place on a map: latitude and longitude, in degrees.
type Place = [number, number];

// What lies under everything: kind and, of streets, rank.
type BaseFeature = GeoJSON.Feature<GeoJSON.Geometry, { kind: string; rank: number }>;

declare const protomapsL: any; // of protomaps-leaflet

// A zone as the map's file tells it.
interface ZoneFacts {
  id: string;
  rank: number;
  title: string;
  district: string;
  reasons: string[];
  area: string;
  parts?: string; // releases of earlier versions do not tell them
}

// The events that scripts of one page tell each other.
interface FilterChoice {
  district: string;
  kind: string;
  from: string;
  to: string;
  layers: Set<string>;
  hours: string[]; // none for all of them, as of the next two
  weekdays: string[];
  months: string[];
}
interface OwnEvents {
  "saferground:map": CustomEvent<{ map: import("leaflet").Map }>;
  "saferground:filter": CustomEvent<FilterChoice & { restored: boolean }>;
  "staffmap:drawn": CustomEvent<StaffMapDrawn>;
}
interface Document {
  addEventListener<Name extends keyof OwnEvents>(name: Name, listener: (event: OwnEvents[Name]) => void): void;
}

// A layer of a map of the staff's pages as app/maps/staff.py writes it, and what was drawn of it.
interface StaffLayer {
  name: string;
  title: string;
  keys: { label: string; colour: string }[];
  shapes?: GeoJSON.FeatureCollection<GeoJSON.Geometry, { key?: number; tip?: string; href?: string; label?: string; id?: string }>;
  group?: string;
  shown?: boolean;
  filled?: boolean;
  weight?: number;
  address?: string;
  picture?: string;
  bounds?: [number, number, number, number]; // south, west, north, east
}
interface DrawnLayer {
  told: StaffLayer;
  drawn: any; // a layer of Leaflet, or a group of some
}
interface StaffMapDrawn {
  map: import("leaflet").Map;
  layers: DrawnLayer[];
}
