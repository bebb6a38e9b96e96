// Copies what the pages need from the npm packages into app/static/vendor, which is not committed.
import { cp, mkdir, rm } from "node:fs/promises";

const vendor = new URL("../app/static/vendor/", import.meta.url);
const modules = new URL("../node_modules/", import.meta.url);
const files = [
  ["leaflet/dist/leaflet.js", "leaflet/leaflet.js"],
  ["leaflet/dist/leaflet.css", "leaflet/leaflet.css"],
  ["leaflet/dist/images", "leaflet/images"],
  ["leaflet/LICENSE", "leaflet/LICENSE"],
  ["protomaps-leaflet/dist/protomaps-leaflet.js", "protomaps/protomaps-leaflet.js"],
  ["protomaps-leaflet/LICENSE", "protomaps/LICENSE"],
  ["@fontsource-variable/public-sans/files/public-sans-latin-wght-normal.woff2", "fonts/public-sans.woff2"],
  ["@fontsource-variable/public-sans/LICENSE", "fonts/public-sans-LICENSE"],
  ["@fontsource-variable/source-serif-4/files/source-serif-4-latin-wght-normal.woff2", "fonts/source-serif-4.woff2"],
  ["@fontsource-variable/source-serif-4/LICENSE", "fonts/source-serif-4-LICENSE"],
];

await rm(vendor, { recursive: true, force: true });
for (const [from, to] of files) {
  const target = new URL(to, vendor);
  await mkdir(new URL(".", target), { recursive: true });
  await cp(new URL(from, modules), target, { recursive: true });
}
