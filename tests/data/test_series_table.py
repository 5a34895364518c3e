"""Tables that other programs and people have written, read as series."""

import time
from contextlib import suppress
from datetime import datetime, timedelta

import numpy as np
import pytest

from seq2seq.data.series_table import read_table, series_of
from seq2seq.errors import UserError


def series(text, **given):
    return series_of(read_table(text), **given)


def daily(form="%Y-%m-%d", count=20, mark=";", value="{0}"):
    """A table of a value a day, from 2024-01-01."""
    days = (datetime(2024, 1, 1) + timedelta(days=at) for at in range(count))
    rows = (f"{day.strftime(form)}{mark}{value.format(at)}\n" for at, day in enumerate(days))
    return f"day{mark}value\n" + "".join(rows)


def rows(dates, form):
    cells = (f'"{each.strftime(form)}",{at}\n' for at, each in enumerate(dates))
    return "when,value\n" + "".join(cells)


def hourly(form, count=40):
    return rows([datetime(2024, 3, 30) + timedelta(hours=at) for at in range(count)], form)


def monthly(form, count=30):
    return rows([datetime(2020 + at // 12, at % 12 + 1, 1) for at in range(count)], form)


MONTHS = ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli")
GERMAN = "Monat;Wert\n" + "".join(f"{month} 2020;5,5\n" for month in MONTHS)


@pytest.mark.parametrize(
    ("text", "code", "start"),
    [
        *[
            (daily(form), "D", "2024-01-01")
            for form in ("%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%m/%d/%y", "%d/%m/%Y", "%Y%m%d",
                         "%d-%b-%Y", "%B %d, %Y", "%a, %d %b %Y", "%dth %B %Y")
        ],
        *[
            (monthly(form), "M", "2020-01-01")
            for form in ("%b-%y", "%y-%b", "%B %Y", "%b. %Y", "%m/%d/%Y", "%Y%m", "%m.%Y", "%YM%m")
        ],
        *[
            (hourly(form), "H", "2024-03-30")
            for form in ("%Y-%m-%dT%H:%M:%S+00:00", "%Y-%m-%dT%H:%M:%S.500Z", "%Y-%m-%d %H:%M UTC",
                         "%m/%d/%Y %I:%M %p")
        ],
        (GERMAN, "M", "2020-01-01"),
        ("q,v\nQ1 2020,5\nQ2 2020,6\nQ3 2020,9\n", "Q", "2020-01-01"),
        ("q,v\n1Q20,5\n2Q20,6\n3Q20,9\n", "Q", "2020-01-01"),
        ("w,v\nKW 1/2024,5\nKW 2/2024,6\nKW 3/2024,9\n", "W", "2024-01-01"),
        ("year,month,v\n2020,1,5\n2020,2,7\n2020,3,6\n", "M", "2020-01-01"),
        ("date,time,v\n2020-01-01,00:00,5\n2020-01-01,01:00,7\n2020-01-01,02:00,6\n", "H",
         "2020-01-01"),
        ("time,v\n1711756800,5\n1711760400,7\n1711764000,6\n", "H", "2024-03-30"),
        ("date,v\n45292,5\n45293,7\n45294,6\n", "D", "2024-01-01"),
        ("country,code,2000,2001,2002\nFrance,FR,5,7,6\nSpain,ES,1,2,3\n", "Y", "2000-01-01"),
        ("2020-01-01 00:00 5\n2020-01-01 01:00 7\n2020-01-01 02:00 6\n", "H", "2020-01-01"),
        ("day         v\n2020-01-01  5\n2020-01-02  7\n2020-01-03  6\n", "D", "2020-01-01"),
        ("| day | v |\n|---|---:|\n| 2020-01-01 | 5 |\n| 2020-01-02 | 7 |\n", "D", "2020-01-01"),
        ("sep=;\nday;v\n2020-01-01;5\n2020-01-02;7\n2020-01-03;6\n", "D", "2020-01-01"),
        ('day,v\n"2020-01-01,5\n2020-01-02,7\n2020-01-03,6\n', "D", "2020-01-01"),
    ],
)  # fmt: skip
def test_dates_are_read_however_they_are_written(text, code, start):
    found = series(text)
    assert (found.frequency, found.start) == (code, start)
    assert not np.isnan(found.values).any()


def test_times_of_several_offsets_stay_an_hour_apart():
    hours = ["00:00:00+01:00", "01:00:00+01:00", "03:00:00+02:00", "04:00:00+02:00"]
    found = series("t,v\n" + "".join(f"2024-03-31T{hour},{hour[1]}\n" for hour in hours))
    np.testing.assert_array_equal(found.values, [0, 1, 3, 4])
    assert found.frequency == "H"
    assert "offsets" in found.notes[0]


def test_exchange_rates_are_not_years():
    found = series("1.1843\n1.1851\n1.1849\n1.1860\n")
    np.testing.assert_array_equal(found.values, [1.1843, 1.1851, 1.1849, 1.186])


@pytest.mark.parametrize(
    ("text", "values", "doubtful"),
    [
        (daily("%d.%m.%Y", 3, value="{0}.250"), [0.25, 1.25, 2.25], False),
        (daily("%d.%m.%Y", 3, value="1.{0}50"), [1050, 1150, 1250], True),
        (daily(count=3, value="1,{0}25"), [1.025, 1.125, 1.225], True),
        (daily(count=3, value="1,000"), [1000] * 3, True),
        (daily(count=3, value="0,{0}25"), [0.025, 0.125, 0.225], False),
        (daily(mark="\t", count=3, value="$1,00{0}.5"), [1000.5, 1001.5, 1002.5], False),
        (daily(mark=",", count=3, value='"1,00{0}"'), [1000, 1001, 1002], False),
        ("980\n990\n1.000\n1.010\n", [980, 990, 1000, 1010], True),
        ("1.125\n2.250\n", [1.125, 2.25], False),
        ("v\n1 234\n980\n1 100\n", [1234, 980, 1100], False),
        ("1 2 3\n4 5 6\n", [1, 2, 3, 4, 5, 6], False),
        ("v\n(12.5)\n3-\n−4\n", [-12.5, -3, -4], False),
        ("v;w\n1,23,456;0\n2,23,456;0\n", [123456, 223456], False),
        ("d,v\n2020-01-01,5 %\n2020-01-02,$6\n", [5, 6], False),
        ("d;v\n2020-01-01;1,5 €\n2020-01-02;2,5 €\n".encode("cp1252"), [1.5, 2.5], False),
        ("[3, 4,\n 5, 6]", [3, 4, 5, 6], False),
    ],
)  # fmt: skip
def test_a_decimal_mark_is_told_from_thousands_or_doubt_is_told(text, values, doubtful):
    found = series(text)
    np.testing.assert_allclose(found.values, values)
    assert any("decimal mark" in note for note in found.notes) == doubtful
    table = read_table(text)
    assert bool(table.doubtful(table.first)) == doubtful


def test_a_decimal_mark_can_be_chosen():
    table = read_table("v\n1,125\n2,250\n")
    np.testing.assert_array_equal(series_of(table).values, [1125, 2250])
    chosen = series_of(table, decimal=",")
    np.testing.assert_array_equal(chosen.values, [1.125, 2.25])
    assert not chosen.notes


def test_what_stands_around_a_table_is_told_and_left_out():
    above, below = "Sales of 2024\nExported 2024-02-01\n\n", "Total;190\n"
    found = series(above + daily() + below)
    np.testing.assert_array_equal(found.values, np.arange(20))
    assert found.notes == (
        "Lines above the table, left out: 2.",
        "Rows without a date, left out: 1.",
    )


def test_dates_that_are_not_understood_are_told():
    found = series("when,v\n1 Fructidor 8,3\n2 Fructidor 8,4\n3 Fructidor 8,9\n")
    assert "not understood as dates ('1 Fructidor 8')" in found.notes[0]


def test_weeks_whose_day_wavers_are_weeks():
    days = [datetime(2024, 1, 1) + timedelta(days=7 * at + at % 3) for at in range(30)]
    found = series(rows(days, "%Y-%m-%d"))
    np.testing.assert_array_equal(found.values, np.arange(30))
    assert found.notes == ()


def test_columns_that_count_rows_are_not_the_first_choice_and_names_are_distinct():
    table = read_table("id,v,v\n1,5,6\n2,7,9\n3,6,8\n")
    assert (table.first, table.names) == (1, ("id", "v", "v (2)"))


def test_several_series_below_each_other_are_told():
    cells = "".join(f"2020-01-0{day},{shop},{day}\n" for day in range(1, 9) for shop in "AB")
    assert "'shop' seems to name 2 series" in series("day,shop,v\n" + cells).notes[-1]


def test_a_series_a_row_below_a_title_is_read():
    head = '"Source","World data",\n\n"Updated","2024-06-28",\n\n'
    years = range(1960, 1990)
    table = head + '"Country","Code",' + ",".join(f'"{year}"' for year in years) + ",\n"
    for country in ("Norway", "Chile"):
        table += f'"{country}","XY",' + ",".join(f'"{year - 1900}.5"' for year in years) + ",\n"
    found = read_table(table)
    assert [found.names[at] for at in found.numbers] == ["Norway XY", "Chile XY"]
    assert series_of(found, 2).start == "1960-01-01"
    np.testing.assert_array_equal(series_of(found, 2).values, np.arange(60.5, 90))


def test_a_cell_that_is_no_number_is_not_in_doubt():
    found = series(
        "d;v\n" + "".join(f"2020-01-{day};1{day}\n" for day in range(10, 30)) + "x;1,x0\n"
    )
    assert found.notes == ("Rows without a date, left out: 1.",)
    assert series("v;w\n7,x00;1\n" + "8;2\n" * 9).values.tolist() == [8] * 9


@pytest.mark.parametrize("cell", ["T", " ", "1", "1 ", "111 ", "1,", "."])
def test_the_time_for_a_cell_grows_as_its_length_only(cell):
    long = "a" + cell * (6_000 // len(cell)) + "a"
    begun = time.process_time()
    for text in (long, long[1:]):
        with suppress(UserError):
            series(f"date;v\n{text};1\n{text};2\n{text};3\n")
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    "text",
    [
        "date,v\n0001-01-01T00:00:00+00:00,1\n0001-01-01T00:00:00+01:00,2\n",
        "date,v\n0001/01/01,1\n0001/01/08,2\n0001/01/15,3\n",
        "date,v\n10000,1\n9999999999999,2\n",
        "date,v\n-,1\n--,2\n",
        "\xa0\n1\n2\n",
        f"v\n1.250\n{'1' * 5_000}\n2\n",
    ],
)
def test_what_is_beyond_the_calendar_or_empty_is_refused_or_passed_over(text):
    with suppress(UserError):
        assert series(text).start == ""


def test_a_long_note_below_dates_hides_none_of_them():
    found = series(daily() + f"{'These are made up. ' * 9};\n")
    assert (found.start, len(found.values)) == ("2024-01-01", 20)
