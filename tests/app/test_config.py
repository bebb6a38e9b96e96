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


def test_a_worker_looks_for_jobs_as_often_as_the_environment_says(monkeypatch):
    monkeypatch.setenv("SAFERGROUND_POLL_SECONDS", "0.25")
    monkeypatch.delenv("SAFERGROUND_HEARTBEAT_SECONDS", raising=False)
    settings = Settings.from_env()
    assert (settings.poll_seconds, settings.heartbeat_seconds) == (0.25, 5.0)


@pytest.mark.parametrize("bad", ["0", "-1", "31", "nan", "often"])
def test_a_worker_that_would_look_always_or_fall_silent_is_refused(monkeypatch, bad):
    monkeypatch.setenv("SAFERGROUND_HEARTBEAT_SECONDS", bad)
    with pytest.raises(SettingsError, match=r"HEARTBEAT_SECONDS must be seconds from 0.01 to 30"):
        Settings.from_env()
