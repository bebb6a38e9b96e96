"""Words of addresses, each with the other ways in which it is written."""

from __future__ import annotations

import re


def _words(text: str) -> list[str]:
    return text.split()


ORDINALS = _words(
    "FIRST SECOND THIRD FOURTH FIFTH SIXTH SEVENTH EIGHTH NINTH TENTH ELEVENTH TWELFTH THIRTEENTH "
    "FOURTEENTH FIFTEENTH SIXTEENTH SEVENTEENTH EIGHTEENTH NINETEENTH"
)
TENS = _words("TWENTY THIRTY FORTY FIFTY SIXTY SEVENTY EIGHTY NINETY")
DIRECTIONS = {
    word: short
    for short, words in {
        "N": "N NO NORTH NTH",
        "S": "S SO SOUTH STH",
        "E": "E EAST",
        "W": "W WEST",
        "NE": "NE NORTHEAST",
        "NW": "NW NORTHWEST",
        "SE": "SE SOUTHEAST",
        "SW": "SW SOUTHWEST",
    }.items()
    for word in words.split()
}

# Street types of the United States, after appendix C1 of the Postal Service's Publication 28.
TYPES = {
    word: words.split()[0]
    for words in """
    ALLEY ALLEE ALLY ALY
    ANNEX ANEX ANX
    ARCADE ARC
    AVENUE AV AVE AVEN AVENU AVN AVNUE
    BAYOU BAYOO BYU
    BEACH BCH
    BEND BND
    BLUFF BLF BLUFFS BLFS
    BOTTOM BTM BOT
    BOULEVARD BLVD BOUL BOULV BLV BVD
    BRANCH BR BRNCH
    BRIDGE BRG BRDGE
    BROOK BRK
    BYPASS BYP BYPA BYPAS
    CAMP CP CMP
    CANYON CYN CANYN
    CAUSEWAY CSWY CAUSWA
    CENTER CTR CENTRE CENT CEN CNTR CENTERS CTRS
    CIRCLE CI CIR CIRC CIRCL CRCL CRCLE CIRCLES
    CLIFF CLF CLIFFS CLFS
    CLUB CLB
    COMMON CMN COMMONS CMNS
    CORNER COR CORNERS CORS
    COURSE CRSE
    COURT CT CRT COURTS CTS
    COVE CV COVES CVS
    CREEK CRK
    CRESCENT CRES CRSENT CRSNT CRECENT CRESENT
    CREST CRST
    CROSSING XING CRSSNG CROSSINGS
    CROSSROAD XRD
    CURVE CURV
    CUTOFF
    DALE DL
    DAM DM
    DIVIDE DV DIV
    DRIVE DR DRV DRIV DRIVES DRS
    ESTATE EST ESTATES ESTS
    EXPRESSWAY EXPY EXPR EXP EXPW EXPRESS
    EXTENSION EXT EXTD EXTENDED EXTN EXTNSN EXTENSIONS
    FALLS FLS FALL
    FERRY FRY FRRY
    FIELD FLD FIELDS FLDS
    FLAT FLT FLATS FLTS
    FORD FRD
    FOREST FRST
    FORGE FRG
    FORK FRK FORKS FRKS
    FORT FT FRT
    FREEWAY FWY FRWY
    GARDEN GDN GARDENS GDNS
    GATEWAY GTWY GATEWY
    GLEN GLN GLENS
    GREEN GRN GREENS
    GROVE GRV GROVES
    HARBOR HBR HARB HARBOUR
    HAVEN HVN
    HEIGHTS HEIGHT HGTS HTS HT
    HIGHWAY HWY HIWAY HIWY HWAY HYWY
    HILL HL
    HILLS HLS
    HOLLOW HOLW HLLW HOLLOWS
    INLET INLT
    ISLAND IS ISLND
    ISLE ISLES
    JUNCTION JCT JCTN JUNCTN
    KEY KY KEYS
    KNOLL KNL KNOLLS KNLS
    LAKE LK LAKES LKS
    LANDING LNDG LNDNG
    LANE LN LANES
    LIGHT LGT
    LOCK LCK LOCKS
    LODGE LDG LODG
    LOOP LOOPS LP
    MALL
    MANOR MNR MANORS
    MEADOW MDW MEADOWS MDWS
    MEWS
    MILL ML MILLS MLS
    MISSION MSN
    MOTORWAY MTWY
    MOUNTAIN MTN MNTN
    NECK NCK
    ORCHARD ORCH
    OVAL OVL
    OVERLOOK OVLK
    OVERPASS OPAS
    PARK PK PRK PARKS
    PARKWAY PKWY PKY PW PWY PARKWY PKWAY PARKWAYS
    PASS
    PASSAGE PSGE
    PATH PATHS
    PIKE PIKES
    PINE PNE
    PINES PNES
    PLACE PL
    PLAIN PLN
    PLAINS PLNS
    PLAZA PLZ PLZA
    POINT PT POINTS PTS POINTE
    PORT PRT
    PRAIRIE PR
    PROMENADE PROM
    RADIAL RADL
    RANCH RNCH
    RAPIDS RPDS
    REST RST
    RIDGE RDG RDGE
    RISE RI
    RIVER RIV RVR
    ROAD RD ROADS RDS
    ROUTE RTE
    ROW
    RUN
    SHOAL SHL
    SHORE SHR SHORES SHRS
    SKYWAY SKWY
    SPRING SPG SPRINGS SPGS
    SPUR
    SQUARE SQ SQR SQU SQUARES
    STATION STA STN
    STREAM STRM
    STREET ST STR STRT STREETS STS
    SUMMIT SMT SUMIT
    TERRACE TER TERR TERRCE
    THROUGHWAY TRWY THRUWAY THROUGHWY
    TRACE TRCE
    TRACK TRAK
    TRAIL TRL TR TRLS TRAILS
    TUNNEL TUNL
    TURNPIKE TPKE TRNPK TPK
    UNDERPASS UPAS
    UNION UN
    VALLEY VLY VALLY
    VIADUCT VIA VDCT
    VIEW VW VWS VIEWS
    VILLAGE VLG VILL VILLAGES
    VISTA VIS VST
    WALK WALKS WLK
    WALL
    WAY WY
    WELL WL WELLS WLS
    WHARF
    """.strip().splitlines()
    for word in words.split()
}
WITHIN = {  # first words of names
    "ST": "SAINT",
    "MT": "MOUNT",
    "FT": "FORT",
    "GEN": "GENERAL",
    "PRES": "PRESIDENT",
}
ROUTES = frozenset(
    _words(
        "HIGHWAY HWY ROUTE RT RTE US STATE SR COUNTY CR INTERSTATE I IH ROAD RD "
        "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ "
        "NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY"
    )
)
KING = re.compile(r"(DOCTOR |DRIVE )?(M ?L ?K|M ?L KING|MARTIN L(UTHER)?( KING)?)( JUNIOR)?")

# Elsewhere: abbreviations that are plain, and little words that come and go.
PLAIN_WORDS = {
    word: words.split()[0]
    for words in """
    AVENIDA AVDA
    AVENUE AVE
    BOULEVARD BD BVD BLVD BOUL
    CALCADA CC CALC
    CALLE CL C
    CARRETERA CTRA
    CHEMIN CH
    ESTRADA EST ESTR
    IMPASSE IMP
    LARGO LG LGO
    PASSEIO PASS
    PLACE PL
    PLAZA PZA PLZ
    PRACA PCA PC
    ROAD RD
    ROTUNDA ROT
    RUA R
    RUE
    STRASSE STR
    STREET ST
    TRAVESSA TV TRAV TRV
    WEG
    """.strip().splitlines()
    for word in words.split()
} | {"AV": "AVENIDA"}
PARTICLES = frozenset(
    _words("A AL D DA DAS DE DEL DEM DEN DER DES DI DO DOS DU E EL IN LA LAS LE LES")
)


def ordinal(number: int) -> str:
    """Write an ordinal in digits.

    >>> [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 21, 113)]
    ['1ST', '2ND', '3RD', '4TH', '11TH', '12TH', '21ST', '113TH']
    """
    ending = "TH" if number % 100 in (11, 12, 13) else {1: "ST", 2: "ND", 3: "RD"}.get(number % 10)
    return f"{number}{ending or 'TH'}"


ORDINAL_WORDS = (
    {word: ordinal(n) for n, word in enumerate(ORDINALS, start=1)}
    | {f"{ten[:-1]}IETH": ordinal(10 * n) for n, ten in enumerate(TENS, start=2)}
    | {
        f"{ten}{joint}{one}": ordinal(10 * n + i)
        for n, ten in enumerate(TENS, start=2)
        for i, one in enumerate(ORDINALS[:9], start=1)
        for joint in ("", " ")
    }
)
