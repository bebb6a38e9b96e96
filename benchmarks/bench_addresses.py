"""Addresses with twenty kinds of dirt and more, over real streets: precision, recall, distance.

python -m benchmarks.bench_addresses SHARED-DATA [--each N] [--seed N]

Streets and their names are real (OpenStreetMap contributors), and so are the addresses of Durham;
numbers along streets and the dirt are invented. Rules were chosen on Baltimore and are reported on
Washington and Durham; those for elsewhere were chosen on Liechtenstein and are reported on Porto.
"""

import argparse
import itertools
import re
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
import shapely.ops

from geodata.geocoding.index import build_index
from geodata.geocoding.match import METHODS, MatchRules, find_all
from geodata.geocoding.parse import street_of
from geodata.geocoding.words import DIRECTIONS, ORDINALS, TYPES, ordinal
from geodata.readers.delimited import read_table

RIGHT_METRES = 100.0
PIECE_METRES = 120.0
DROP = re.compile(r"\b(?:motorway|trunk|footway|path|steps|cycleway)\b")
SHORT = {"STREET": ["ST", "STR"], "AVENUE": ["AVE", "AV"], "ROAD": ["RD"], "COURT": ["CT"]}
SHORT |= {"PLACE": ["PL"], "DRIVE": ["DR"], "LANE": ["LN"], "BOULEVARD": ["BLVD"], "WAY": ["WY"]}
SIDES = {"NORTH": "N", "SOUTH": "S", "EAST": "E", "WEST": "W"}
SIDES |= {"NORTHEAST": "NE", "NORTHWEST": "NW", "SOUTHEAST": "SE", "SOUTHWEST": "SW"}
UNITS = ["APT 4B", "#3", "UNIT 12", "REAR", "STE 200", "2ND FL", "LOT 5", "BASEMENT", ", APT 7"]
BEFORE = ["WALMART @ ", "SHELL STATION, ", "NEAR ", "LINCOLN PARK / "]
AFTER = [" (BEHIND STORE)", " @ SHELL STATION", " / REAR LOT", " IN ALLEY"]
NONE = [
    "UNKNOWN",
    "PARKING LOT",
    "SAME AS ABOVE",
    "N/A",
    "HOSPITAL",
    "1234",
    "JOHN SMITH HOME",
    "-",
]
ELSEWHERE = [
    "OKEECHOBEE RD",
    "ZZYZX CT",
    "PIKES BLUFF TRL",
    "QUAHOG AVE",
    "UVALDE PLZ",
    "XENIA BLVD",
]


def streets_of(path, crs):
    """Return named streets of an extract in pieces of a block, a row each: ``street``, ``line``."""
    ways = gpd.read_file(path, layer="lines").to_crs(crs)
    ways = ways[ways["highway"].notna() & ways["name"].notna()]
    ways = ways[~ways["highway"].str.contains(DROP)]
    rows = []
    for name, mine in ways.groupby("name"):
        merged = shapely.line_merge(shapely.union_all(mine.geometry.to_numpy()))
        lines = [one for one in shapely.get_parts(merged) if one.length > 20]
        if not lines:
            continue
        middle = shapely.get_coordinates(shapely.centroid(lines))
        axis = (
            np.linalg.svd(middle - middle.mean(axis=0) + 1e-9)[2][0] if len(lines) > 1 else [1, 0]
        )
        for at in np.argsort(middle @ axis):
            line = lines[at]
            ends = shapely.get_coordinates(line)[[0, -1]] @ axis
            line = line if ends[0] <= ends[1] else shapely.reverse(line)
            cuts = np.linspace(0, 1, max(int(line.length // PIECE_METRES), 1) + 1)
            pieces = itertools.pairwise(cuts)
            rows += [(name, shapely.ops.substring(line, a, b, normalized=True)) for a, b in pieces]
    return pd.DataFrame(rows, columns=["street", "line"])


def number_streets(pieces):
    """Number both sides of every piece, a hundred each, from the start of its street on."""
    block = (pieces.groupby("street").cumcount() + 1) * 100
    sides = [pieces.assign(first=block + odd, last=block + 98 + odd, postcode="") for odd in (0, 1)]
    return pd.concat(sides, ignore_index=True)


def leave_out(rows, rng):
    """Take one street in twenty away; addresses on it must not be found elsewhere."""
    written = pd.Series(sorted(set(rows["street"])), dtype=object)
    once = ~written.map(street_of).duplicated(keep=False)
    names = written[once].to_numpy()
    gone = rng.choice(names, max(len(names) // 20, 1), replace=False)
    return rows[~rows["street"].isin(gone)].reset_index(drop=True), [n.upper() for n in gone]


class Dirt:
    """Makes addresses of one kind each: the text and where it lies, nothing if it has no place."""

    def __init__(self, rng, truth, metre, left_out, segments=None):
        self.rng, self.truth, self.metre, self.segments = rng, truth, metre, segments
        self.known, self.left_out = set(truth["street"]), left_out

    def one(self):
        row = self.truth.iloc[self.rng.integers(len(self.truth))]
        return int(row["number"]), row["street"].upper(), (row["x"], row["y"])

    def pick(self, values):
        return values[self.rng.integers(len(values))]

    def clean(self):
        number, street, xy = self.one()
        return f"{number} {street}", xy

    def case_and_points(self):
        number, street, xy = self.one()
        words = street.lower().split()
        return f" {number}  {'  '.join(words)}.", xy

    def short_type(self):
        number, street, xy = self.one()
        words = [self.pick(SHORT.get(word, [word])) for word in street.split()]
        return f"{number} {' '.join([street.split()[0], *words[1:]])}", xy

    def short_side(self):
        number, street, xy = self.with_side()
        return f"{number} {' '.join(SIDES.get(word, word) for word in street.split())}", xy

    def both_short(self):
        number, street, xy = self.with_side()
        words = [SIDES.get(word, self.pick(SHORT.get(word, [word]))) for word in street.split()]
        return f"{number} {'. '.join(words)}.", xy

    def without_type(self):
        number, street, xy = self.one()
        words = street.split()
        kept = [words[0], *(word for word in words[1:] if word not in TYPES)]
        return f"{number} {' '.join(kept)}", xy

    def without_side(self):
        number, street, xy = self.with_side()
        return f"{number} {' '.join(word for word in street.split() if word not in SIDES)}", xy

    def side_at_other_end(self):
        number, street, xy = self.with_side()
        words = street.split()
        sides = [word for word in words if word in SIDES]
        rest = [word for word in words if word not in SIDES]
        order = [*rest, *sides] if words[0] in SIDES else [*sides, *rest]
        return f"{number} {' '.join(order)}", xy

    def ordinal_words(self):
        number, street, xy = self.find(lambda name: re.search(r"\b\d+(ST|ND|RD|TH)\b", name))
        tens = ["", "", "TWENTY", "THIRTY", "FORTY", "FIFTY", "SIXTY"]
        ones = ["TENTH", *ORDINALS[:10]]
        digits = int(re.search(r"\b(\d+)(?:ST|ND|RD|TH)\b", street)[1])
        word = str(digits)
        if digits <= 10:
            word = ones[digits]
        elif 20 < digits < 70 and digits % 10:
            word = f"{tens[digits // 10]}{self.pick([' ', '-'])}{ones[digits % 10]}"
        return f"{number} {street.replace(ordinal(digits), word)}", xy

    def letter_wrong(self):
        return self.typed(lambda word, at: word[:at] + self.pick("AEIOUNRST") + word[at + 1 :])

    def letter_missing(self):
        return self.typed(lambda word, at: word[:at] + word[at + 1 :])

    def letters_swapped(self):
        return self.typed(lambda w, at: w[: at - 1] + w[at] + w[at - 1] + w[at + 1 :])

    def two_letters_wrong(self):
        text, xy = self.letter_missing()
        words = text.split()
        longest = max(words, key=len)
        at = int(self.rng.integers(1, len(longest)))
        return text.replace(longest, longest[:at] + self.pick("AEIOUNRST") + longest[at + 1 :]), xy

    def unit(self):
        text, xy = self.clean()
        return f"{text} {self.pick(UNITS)}", xy

    def town(self):
        text, xy = self.short_type()
        return (
            f"{text}{self.pick([', ', ' '])}SPRINGFIELD{self.pick([', NC', ' MD 21201', ''])}",
            xy,
        )

    def landmark(self):
        text, xy = self.clean()
        if self.rng.random() < 0.5:
            return f"{self.pick(BEFORE)}{text}", xy
        return f"{text}{self.pick(AFTER)}", xy

    def odd_number(self):
        number, street, xy = self.one()
        return f"{number}{self.pick(['A', '-B', ' 1/2', f'-{number + 2}'])} {street}", xy

    def wrong_type(self):
        number, street, xy = self.find(lambda name: " STREET" in name)
        return f"{number} {street.replace(' STREET', ' AVE')}", xy

    def block(self):
        number, street, xy = self.of_block()
        form = self.pick(["{} BLK OF {}", "{} BLOCK {}", "{} BLK {}", "{}-BLK {}"])
        return form.format(number, street), xy

    def masked_block(self):
        number, street, xy = self.of_block()
        return f"{number // 100}XX {street}", xy

    def crossing(self):
        one, other, xy = self.of_crossing()
        return f"{one} / {other}", xy

    def crossing_words(self):
        one, other, xy = self.of_crossing()
        return self.pick(["{} AT {}", "{} AND {}", "CORNER OF {} & {}", "{}/{}"]).format(
            one, other
        ), xy

    def crossing_short(self):
        one, other, xy = self.of_crossing()
        short = [
            " ".join(word for word in name.split() if word not in SIDES and word not in TYPES)
            for name in (one, other)
        ]
        return (" & ".join(short), xy) if all(short) else self.crossing_short()

    def wrong_side(self):
        number, street, _ = self.with_side()
        turn = {"NORTH": "S", "SOUTH": "N", "EAST": "W", "WEST": "E"}
        turn |= {"NORTHEAST": "SW", "NORTHWEST": "SE", "SOUTHEAST": "NW", "SOUTHWEST": "NE"}
        words = [turn.get(word, word) for word in street.split()]
        there = {
            " ".join(DIRECTIONS.get(w, w) for w in name.upper().split()) for name in self.known
        }
        if " ".join(words) in there:
            return self.wrong_side()
        return f"{number} {' '.join(words)}", None

    def only_a_street(self):
        return self.one()[1], None

    def number_elsewhere(self):
        return f"{self.rng.integers(90_000, 99_999)} {self.one()[1]}", None

    def street_elsewhere(self):
        return f"{self.rng.integers(1, 3000)} {self.pick(ELSEWHERE)}", None

    def street_left_out(self):
        return f"{self.rng.integers(1, 12) * 100 + 1} {self.pick(self.left_out)}", None

    def no_address(self):
        return self.pick(NONE), None

    def with_side(self):
        return self.find(lambda name: any(word in SIDES for word in name.split()))

    def find(self, test):
        for _ in range(5_000):
            found = self.one()
            if test(found[1]):
                return found
        raise LookupError

    def typed(self, change):
        number, street, xy = self.find(lambda name: any(len(w) > 5 for w in self.letters(name)))
        word = self.pick([word for word in self.letters(street) if len(word) > 5])
        wrong = change(word, int(self.rng.integers(1, len(word))))
        return f"{number} {street.replace(word, wrong)}", xy

    def letters(self, street):
        return [w for w in street.split() if w not in SIDES and w not in TYPES and w.isalpha()]

    def of_block(self):
        if self.segments is None:
            raise LookupError
        row = self.segments.iloc[self.rng.integers(len(self.segments))]
        middle = row["line"].interpolate(0.5, normalized=True)
        return int(row["first"]) // 100 * 100, row["street"].upper(), (middle.x, middle.y)

    def of_crossing(self):
        if self.segments is None:
            raise LookupError
        if not hasattr(self, "meetings"):
            pieces = gpd.GeoDataFrame(self.segments[["street"]], geometry=self.segments["line"])
            pairs = pieces.sjoin(pieces, predicate="intersects")
            pairs = pairs[pairs["street_left"] < pairs["street_right"]].drop_duplicates()
            self.meetings = pairs.reset_index()
        for _ in range(1_000):
            pair = self.meetings.iloc[self.rng.integers(len(self.meetings))]
            one, other = (
                shapely.union_all(self.segments.loc[self.segments["street"] == name, "line"])
                for name in (pair["street_left"], pair["street_right"])
            )
            met = shapely.get_coordinates(one.intersection(other))
            if len(met) and np.hypot(*np.ptp(met, axis=0)) < RIGHT_METRES * self.metre:
                names = [pair["street_left"].upper(), pair["street_right"].upper()]
                return *names, tuple(met.mean(axis=0))
        raise LookupError


KINDS = [name for name, value in vars(Dirt).items() if callable(value)]
KINDS = KINDS[KINDS.index("clean") : KINDS.index("with_side")]
PLAIN_KINDS = ("clean", "case_and_points", "letter_wrong", "letter_missing", "letters_swapped")
PLAIN_KINDS += ("two_letters_wrong", "odd_number", "block", "crossing", "only_a_street")
PLAIN_KINDS += ("number_elsewhere", "street_elsewhere", "street_left_out", "no_address")


def report(title, index, dirt, kinds, each, show=0):
    """Print a line per kind: precision first."""
    print(f"\n{title}")
    print(f"{'kind':20} {'rows':>5} {'precision':>9} {'recall':>7} {'median m':>9}  methods")
    total = np.zeros(4, dtype=int)
    for kind in kinds:
        try:
            made = [getattr(dirt, kind)() for _ in range(each)]
        except LookupError:
            continue
        found = find_all(index, [text for text, _ in made], MatchRules())
        far = np.array(
            [
                np.inf if xy is None else np.hypot(one.x - xy[0], one.y - xy[1]) / dirt.metre
                for one, (_, xy) in zip(found, made, strict=True)
            ]
        )
        matched = np.array([bool(one.method) for one in found])
        right = matched & (far <= RIGHT_METRES)
        truth = sum(xy is not None for _, xy in made)
        total += [len(made), matched.sum(), right.sum(), truth]
        precision = share(right.sum(), matched.sum()) if truth else f"{matched.sum()} placed"
        ways = {m: sum(one.method == m for one in found) for m in METHODS}
        print(
            f"{kind:20} {len(made):5} {precision:>9} "
            f"{share(right.sum(), truth):>7} "
            f"{np.median(far[right]) if right.any() else np.nan:9.1f}  "
            + ", ".join(f"{m} {n}" for m, n in ways.items() if n)
        )
        for at in np.flatnonzero(matched & ~right)[:show]:
            print("   wrong:", made[at][0], "->", found[at])
        for at in np.flatnonzero(~matched & np.isfinite(np.nan_to_num(far, nan=0)))[:show]:
            print("   missed:", made[at][0], "->", found[at].why)
    print(f"{'all':20} {total[0]:5} {share(total[2], total[1]):>9} {share(total[2], total[3]):>7}")


def share(part, whole):
    return f"{part / whole:.1%}" if whole else "-"


def by_segments(title, path, crs, args, parser="us", kinds=KINDS):
    metre = 1.0
    rng = np.random.default_rng(args.seed)
    segments, left_out = leave_out(number_streets(streets_of(path, crs)), rng)
    rows = segments.iloc[rng.integers(len(segments), size=20_000)].reset_index(drop=True)
    step = rng.integers(0, 50, len(rows)) * 2
    places = shapely.line_interpolate_point(rows["line"].to_numpy(), step / 98, normalized=True)
    truth = rows.assign(
        number=rows["first"] + step, x=shapely.get_x(places), y=shapely.get_y(places)
    )
    started = time.process_time()
    index = build_index(metre=metre, parser=parser, segments=segments)
    print(f"\n{len(index.streets):,} streets in {time.process_time() - started:.1f} s")
    dirt = Dirt(rng, truth, metre, left_out, segments[segments["first"] % 2 == 0])
    report(title, index, dirt, kinds, args.each, args.show)
    return index, dirt


def by_points(title, points, metre, args):
    rng = np.random.default_rng(args.seed)
    points, left_out = leave_out(points.assign(postcode=""), rng)
    index = build_index(metre=metre, points=points)
    report(title, index, Dirt(rng, points, metre, left_out), KINDS, args.each, args.show)
    return index


def real_points(title, path, crs, args, parser="us"):
    """Look for real address points, one in ten of which is not in the index: between neighbours."""
    parts = []
    for layer in ("points", "multipolygons"):
        frame = gpd.read_file(path, layer=layer).to_crs(crs)
        tags = frame["other_tags"].astype("string").fillna("")
        at = frame.geometry.centroid
        part = {
            "number": tags.str.extract(r'"addr:housenumber"=>"(\d+)')[0],
            "street": tags.str.extract(r'"addr:street"=>"([^"]+)"')[0],
            "x": at.x,
            "y": at.y,
        }
        parts.append(pd.DataFrame(part).dropna())
    points = pd.concat(parts).astype({"number": int}).assign(postcode="")
    points = points.drop_duplicates(["number", "street"]).reset_index(drop=True)
    out = np.random.default_rng(args.seed).random(len(points)) < 0.1
    index = build_index(metre=1.0, parser=parser, points=points[~out])
    asked = points[out]
    texts = [f"{n} {street}" for n, street in zip(asked["number"], asked["street"], strict=True)]
    found = find_all(index, texts, MatchRules())
    far = np.hypot([one.x for one in found] - asked["x"], [one.y for one in found] - asked["y"])
    far = far[np.isfinite(far)]
    print(
        f"\n{title}: {len(points):,} real points; of {out.sum()} left out {len(far)} were placed "
        f"between neighbours, {share((far <= RIGHT_METRES).sum(), len(far))} within "
        f"{RIGHT_METRES:.0f} m; median {np.median(far):.1f} m, nine in ten within "
        f"{np.quantile(far, 0.9):.1f} m, farthest {far.max():.1f} m"
    )


def durham(folder):
    """Return real addresses of businesses, one row for each number and street."""
    rows = []
    for path in sorted(folder.glob("*.geojson")):
        frame = gpd.read_file(path).to_crs(2264)
        if "premise_address1" in frame:
            at = frame.geometry.centroid
            rows.append(pd.DataFrame({"text": frame["premise_address1"], "x": at.x, "y": at.y}))
    frame = pd.concat(rows).dropna()
    parts = frame["text"].str.strip().str.extract(r"^(?P<number>\d{1,5}) (?P<street>[A-Za-z .]+)$")
    frame = frame.assign(**parts).dropna().drop_duplicates(["number", "street"])
    frame = frame[~frame["street"].str.contains(r"^[A-DF-MO-RT-VX-Z] |SUITE|\bSTE\b|EXT")]
    long = {v: k for k, vs in SHORT.items() for v in vs}
    frame["street"] = [
        " ".join(long.get(w, w) if i else w for i, w in enumerate(re.sub(r"\.", "", s).split()))
        for s in frame["street"].str.upper()
    ]
    frame["street"] = frame["street"].str.replace(r"^([NSEW]) ", _side, regex=True)
    frame["number"] = frame["number"].astype(int)
    return frame.drop_duplicates(["number", "street"])[["number", "street", "x", "y"]]


def _side(found):
    return {v: k for k, v in SIDES.items()}[found[1]] + " "


def speed(index, dirt, seed):
    """Print how long addresses take beside reading the file that they stand in."""
    rng = np.random.default_rng(seed)
    kinds = [k for k in KINDS if k not in ("ordinal_words", "crossing", "crossing_words")]
    texts = []
    while len(texts) < 20_000:
        texts.append(getattr(dirt, kinds[rng.integers(len(kinds))])()[0])
    path = Path(tempfile.mkdtemp()) / "addresses.csv"
    ids = np.arange(len(texts))
    pd.DataFrame(
        {"id": ids, "date": "2024-01-31 12:00", "kind": "ROBBERY", "location": texts}
    ).to_csv(path, index=False)
    started = time.process_time()
    read_table(path, "bench", "")
    read = time.process_time() - started
    started = time.process_time()
    find_all(index, texts, MatchRules())
    found = time.process_time() - started
    path.unlink()
    print(
        f"\n{len(set(texts)):,} different addresses: {len(texts) / found:,.0f} rows a second; "
        f"{found / read:.1f} times as long as reading the file ({len(texts) / read:,.0f})"
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--each", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--show", type=int, default=0, help="wrong and missed ones of each kind")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    pyogrio.set_gdal_config_options({"OSM_USE_CUSTOM_INDEXING": "NO"})  # ids in any order
    osm = args.data / "osm"
    cities = {
        "baltimore": lambda: by_segments(
            "Baltimore: chosen on", osm / "baltimore.osm.pbf", 26985, args
        ),
        "washington": lambda: by_segments("Washington", osm / "unsorted_ids.osm.pbf", 26985, args),
        "durham": lambda: by_points(
            "Durham: address points", durham(args.data / "durham/risk_factors"), 3937 / 1200, args
        ),
        "liechtenstein": lambda: by_segments(
            "Liechtenstein: chosen on",
            osm / "liechtenstein.osm.pbf",
            2056,
            args,
            "plain",
            PLAIN_KINDS,
        ),
        "porto": lambda: by_segments(
            "Porto", osm / "porto.osm.pbf", 3763, args, "plain", PLAIN_KINDS
        ),
    }
    for name, run in cities.items():
        if args.only in ("", name):
            made = run()
            if name == "washington":
                speed(*made, args.seed)
    if args.only in ("", "points"):
        real_points("Baltimore", osm / "baltimore.osm.pbf", 26985, args)
        real_points("Liechtenstein", osm / "liechtenstein.osm.pbf", 2056, args, "plain")


if __name__ == "__main__":
    main()
