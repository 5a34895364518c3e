from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from seq2seq.data.frequency import FREQUENCIES, dates, infer_frequency, periods
from seq2seq.data.series import Series, parse_values, read_series, write_values
from seq2seq.data.series_table import read_table, series_of
from seq2seq.errors import UserError
from tests.forecasters import write_series


def series(text, **given):
    return series_of(read_table(text), **given)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1 2 3 4", [1, 2, 3, 4]),
        ("1\n2\n3\n", [1, 2, 3]),
        ("1,5\n2,5\n3,75\n", [1.5, 2.5, 3.75]),
        ("date;value\n2020-01-01;1,5\n2020-02-01;2,5\n2020-03-01;3,5", [1.5, 2.5, 3.5]),
        ("month\tsales\nJan 2020\t1,234\nFeb 2020\t2,345", [1234, 2345]),
        ("x\n1.234,5\n2.345,5", [1234.5, 2345.5]),
        ("nan\n1\ninf\n3\n", [1, np.nan, 3]),
        ("1\n-Infinity\n3\n", [1, np.nan, 3]),
        ("a,b\n1,2\n3,4\n5,6\n", [1, 3, 5]),
        ("a\n1,5\n3,25\n5,125\n", [1.5, 3.25, 5.125]),
        (b"\xef\xbb\xbfvalue\r\n7\r\n8\r\n", [7, 8]),
    ],
)
def test_numbers_are_read_however_they_are_written(text, values):
    np.testing.assert_array_equal(series(text).values, values)


def test_dates_out_of_order_doubled_and_missing_are_repaired_and_told():
    rows = ["2020-01-01,1", "2020-01-03,3", "2020-01-02,2", "2020-01-02,4", "2020-01-05,9"]
    found = series("date,value\n" + "\n".join(rows))
    np.testing.assert_array_equal(found.values, [1, 3, 3, np.nan, 9])
    assert found.frequency == "D"
    assert found.start == "2020-01-01"
    told = " ".join(found.notes)
    assert all(word in told for word in ("sorted", "averaged: 1", "without a row"))


def test_a_column_can_be_chosen_and_years_are_dates_only_beside_values():
    text = "year,rain,sun\n" + "\n".join(f"{1990 + n},{n},{2 * n}" for n in range(5))
    table = read_table(text)
    assert table.dates == 0
    assert table.numbers == (1, 2)
    np.testing.assert_array_equal(series_of(table, 2).values, 2 * np.arange(5))
    alone = series("1990\n1991\n1992\n")
    np.testing.assert_array_equal(alone.values, [1990, 1991, 1992])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "5",
        "a,b\nx,y\nz,w",
        "1e300\n2\n",
        b"\0\1\2",
        "1\n" * 10_001,
        "1," * 1_000 + "1\n2",
    ],
)
def test_what_is_no_series_is_refused_in_one_sentence(text):
    with pytest.raises(UserError, match=r"^[^\n]+\.$"):
        series(text)


@pytest.mark.parametrize("code", FREQUENCIES)
def test_a_frequency_is_inferred_from_its_dates_and_numbers_them_without_gaps(code):
    start = datetime(2021, 3, 1)
    if code in "YQM":
        step = {"Y": 12, "Q": 3, "M": 1}[code]
        months = [2 + step * number for number in range(20)]
        dates = [datetime(2021 + month // 12, month % 12 + 1, 1) for month in months]
    elif code == "B":
        days = [start + timedelta(days=number) for number in range(28)]
        dates = [day for day in days if day.weekday() < 5]
    else:
        minutes = FREQUENCIES[code].minutes
        dates = [start + timedelta(minutes=minutes * number) for number in range(20)]
    assert infer_frequency(dates) == code
    assert set(np.diff(periods(dates, code))) == {1}


def test_values_as_text_come_back():
    values = np.array([1.5, np.nan, -3e-7, 123456.0])
    np.testing.assert_allclose(parse_values(write_values(values)), values)
    with pytest.raises(UserError, match="not a number"):
        parse_values("1 two 3")
    with pytest.raises(UserError, match="infinite"):
        parse_values("1 inf")


def test_a_file_of_series_is_read_and_a_broken_row_is_named(tmp_path):
    found = read_series(write_series(tmp_path / "series.tsv", count=3, length=30))
    assert (found[0].name, found[0].frequency, len(found[0])) == ("series 0", "M", 30)
    broken = tmp_path / "broken.tsv"
    broken.write_text("id\tfreq\tstart\tvalues\nx\tM\t2000\t1 b 3\n", encoding="utf-8")
    with pytest.raises(UserError, match="series 'x'"):
        read_series(broken)
    with pytest.raises(UserError, match="no file"):
        read_series(tmp_path / "none.tsv")


def test_a_series_needs_two_numbers_and_a_known_frequency():
    with pytest.raises(UserError, match="two numbers"):
        Series(np.array([1.0, np.nan]))
    with pytest.raises(UserError, match="no frequency"):
        Series(np.array([1.0, 2.0]), "fortnightly")


@pytest.mark.parametrize(
    ("start", "code", "expected"),
    [
        ("2000", "Y", ["2000-01-01", "2001-01-01", "2002-01-01"]),
        ("2000-08", "Q", ["2000-08-01", "2000-11-01", "2001-02-01"]),
        ("2000-12-31", "M", ["2000-12-31", "2001-01-31", "2001-02-28"]),
        ("2024-01-03", "W", ["2024-01-03", "2024-01-10", "2024-01-17"]),
        ("2024-01-04", "B", ["2024-01-04", "2024-01-05", "2024-01-08"]),
        ("2024-02-29", "D", ["2024-02-29", "2024-03-01", "2024-03-02"]),
        ("9998-01-01", "Y", []),
        ("2000", "", []),
        ("", "M", []),
        ("spring", "M", []),
    ],
)
def test_periods_have_dates(start, code, expected):
    assert [each.date().isoformat() for each in dates(start, code, 3)] == expected


def test_dates_are_those_of_the_periods_they_are_numbered_by():
    for code in FREQUENCIES:
        times = dates("2024-01-01", code, 30)
        numbers = periods(times, code)
        assert [later - number for number, later in pairwise(numbers)] == [1] * 29
    assert dates("2024-01-01 05:00", "H", 2)[1].isoformat() == "2024-01-01T06:00:00"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "no numbers"),
        ("a,b\nx,y\nz,w", "no numbers"),
        ("5", "fewer than two numbers"),
        ("1\n1e300\n2", "larger than 1e"),
        ("1\n1e400\n2", "larger than 1e"),
        ("v\n" + "9" * 400 + "\n1\n2", "larger than 1e"),
        ("\n".join([",".join(map(str, range(1000)))] * 30), "1,000 columns"),
        ("1.5\n" * 25_000_000, "larger than 5 MB"),
        ("1\n" * 20_000, "20,000 rows"),
        (b"PK\x03\x04" + bytes(200), "not text"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_table_that_is_no_series_is_refused_in_one_sentence(table, said):
    with pytest.raises(UserError) as error:
        series(table)
    assert said in str(error.value)
    assert str(error.value).count(".") == 1 + str(error.value).count("1e+100.")


def test_dates_with_many_gaps_are_no_calendar():
    rows = "".join(f"2020-01-0{day},{day}\n" for day in range(1, 6))
    found = series(f"day,value\n{rows}2035-01-01,9\n")
    assert (len(found), found.start) == (6, "")
    assert "many gaps" in found.notes[0]


def test_a_series_keeps_its_values_and_leaves_those_it_was_made_of_alone():
    given = np.array([1.0, 2, 3])
    made = Series(given)
    given[0] = 9
    np.testing.assert_array_equal(made.values, [1, 2, 3])
    assert not made.values.flags.writeable
