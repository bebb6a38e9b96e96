import datetime as dt

import pytest

from app.config import SHIFTS, Settings, SettingsError, read_shifts


def test_shifts_of_the_agency_are_read(monkeypatch):
    monkeypatch.setenv("SAFERGROUND_SHIFTS", "Late watch 16:00-02:00, Early 02:00-12:00")
    late, early = Settings.from_env().shifts
    assert (late.name, late.start, late.end) == ("Late watch", dt.time(16), dt.time(2))
    assert early.name == "Early"
    monkeypatch.delenv("SAFERGROUND_SHIFTS")
    assert Settings.from_env().shifts == read_shifts(SHIFTS)


@pytest.mark.parametrize(
    "bad",
    ["Day", "Day 7-15", "Day 07:00-25:00", "A 01:00-02:00, A 03:00-04:00", "01:00-02:00", ","],
)
def test_shifts_that_cannot_be_are_told(bad):
    with pytest.raises(SettingsError, match="SAFERGROUND_SHIFTS"):
        read_shifts(bad)
