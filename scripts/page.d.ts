// What the scripts of app/static meet in a page, for `tsc`; no page loads this file.

// Which kind of element a name leads to is decided by a template, which is not read here.
interface Document {
  getElementById(id: string): any;
}
interface ParentNode {
  querySelector(selectors: string): any;
  querySelectorAll(selectors: string): NodeListOf<any>;
}

// A place on a map: latitude and longitude, in degrees.
type Place = [number, number];

// The events that scripts of one page tell each other.
interface FilterChoice {
  district: string;
  kind: string;
  from: string;
  to: string;
  layers: Set<string>;
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
interface StaffMapDrawn {
  map: import("leaflet").Map;
  layers: { told: StaffLayer; drawn: any }[];
}
