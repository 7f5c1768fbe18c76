"""Prints what pandas makes of a file, as JSON of texts: {"column": {"type": ..., "values": [...]}}.

    python3 read-with-pandas.py <format> <path>
"""

import json
import sys

import pandas

# As docs/api/query.md says: an empty text is no missing value, and large integers stay the texts that they are in JSON.
NULLS = {"na_values": ["\\N", "nan"], "keep_default_na": False}
MOMENTS = ["day", "moment", "local"]
READ = {
    "csv": lambda path: pandas.read_csv(path, parse_dates=MOMENTS, **NULLS),
    "ndjson": lambda path: pandas.read_json(path, lines=True, dtype=False, convert_dates=MOMENTS),
    "json": lambda path: pandas.read_json(path, dtype=False, convert_dates=MOMENTS),
}


def text(value):
    if isinstance(value, list):
        return json.dumps(value, separators=(",", ":"))
    return None if pandas.isna(value) else str(value)


format, path = sys.argv[1:]
frame = READ[format](path)
report = {name: {"type": str(column.dtype), "values": [text(value) for value in column]} for name, column in frame.items()}
print(json.dumps(report))
