"""Times of the database for people: it holds UTC, a reader lives by the clock of the machine."""

from datetime import UTC, date, datetime, time


def local_day(moment: str) -> str:
    """Return the day of a time in UTC (ISO 8601) on this machine's clock."""
    return datetime.fromisoformat(moment).astimezone().date().isoformat()


def in_utc(day: date, hour: time) -> str:
    """Return an hour of a day on this machine's clock as the database holds it."""
    return datetime.combine(day, hour).astimezone().astimezone(UTC).isoformat(timespec="milliseconds")
