"""What the tests on files of many articles share: records in every format, and what they are cleaned to."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
from cli_support import BODY, CLEAN, NOISE, NOISY, TITLE

LISTED = [TITLE, BODY[0], NOISE[0], *BODY[1:]]
FIELDS = ["--text-field", "body", "--id-field", "url"]


def json_line(text, number, end="\n"):
    return f'{{"url":"u{number}" , "n": 1.0, "m": 1e400, "body": {json.dumps(text)}, "s": "\\u00e9"}}{end}'


LINES = "\ufeff" + "".join(
    [
        json_line(NOISY, 0, "\r\n"),
        "\n",
        json_line(CLEAN, 1),
        json_line(LISTED, 2),
        json_line("", 3),
        json_line(NOISY, 4, ""),
    ]
)
CLEANED_LINES = LINES.replace(json.dumps(NOISY), json.dumps(CLEAN)).replace(
    json.dumps(LISTED), json.dumps([*LISTED[:2], *LISTED[3:]])
)


def table(comma, *texts):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=comma, quoting=csv.QUOTE_ALL)
    writer.writerows([["url", "body", "n"], *([f"u{at}", text, "007\n"] for at, text in enumerate(texts))])
    return out.getvalue().encode()


def columns(*texts):
    out = io.BytesIO()
    pq.write_table(pa.table({"n": [1.5] * len(texts), "body": texts}), out)
    return out.getvalue()
