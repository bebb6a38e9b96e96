"""A whole file of initiatives, for tests that then spoil or change it."""

MEASURES = ("alerts.guns", "alerts.arrests", "zones.pai", "dirtbike.arrests")
TEXT = '''
city = "town"
[[initiatives]]
slug = "policing"
number = "2.13"
title = "New strategies"
goal = "Safer together"
status = "In Progress"
owner = "Police"
updated = 2026-01-04
[initiatives.narrative]
why = """
It matters
to  people.

  \t
A second paragraph, 2 < 3 & "quoted".
"""
doing = "We did."
next = "We go on."
analysis = "We count."
[[initiatives.strategies]]
slug = "zones"
title = "Zones"
summary = "Places."
status = "Complete/Ongoing"
measures = ["zones.pai"]
also_touched = ["alerts.guns"]
[[initiatives.strategies]]
slug = "detection"
title = "Detection"
summary = "Alerts."
status = "On Hold"
measures = ["alerts.guns", "alerts.arrests"]
[[initiatives.strategies.targets]]
measure = "alerts.guns"
target = 5
source = "plan"
[[initiatives.facts]]
label = "Guns recovered"
value = "7"
unit = "guns"
period = "through May"
source = "dashboard"
url = "https://example.org/a?b=1"
quality = "primary"
measure = "alerts.guns"
retrieved = 2026-01-02
note = "As read."
[[initiatives.facts]]
label = "Wards"
value = "2 / 3"
source = "paper"
url = "http://example.org"
quality = "press"

[[initiatives]]
slug = "parks"
number = "2.14"
title = "Parks"
goal = "Safer together"
status = "On Hold"
owner = "Parks"
updated = 2025-12-01
[initiatives.narrative]
why = "w"
doing = "d"
next = "n"
analysis = "a"
'''


def change(*pairs, text=TEXT):
    """Change each first occurrence; what is to be changed must be there."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text
