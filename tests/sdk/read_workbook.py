"""Prints what openpyxl finds in a workbook, as JSON: by sheet the rows of cells, the filter, what is frozen, and the widths.

`tests/it/workbooks.rs` compares it with the JSON of the same result. Run it as: python read_workbook.py FILE
"""

import json
import sys

import openpyxl


def cell(found):
    value = found.value
    if found.data_type == "d":
        value = value.strftime("%Y-%m-%d") if found.number_format == "yyyy-mm-dd" else str(value)[:19]
    return {"value": value, "type": found.data_type, "format": found.number_format, "quoted": bool(found.quotePrefix)}


workbook = openpyxl.load_workbook(sys.argv[1])
sheets = {}
for sheet in workbook.worksheets:
    sheets[sheet.title] = {
        "rows": [[cell(found) for found in row] for row in sheet.iter_rows()],
        "filter": sheet.auto_filter.ref,
        "frozen": sheet.freeze_panes,
        "widths": {name: column.width for name, column in sheet.column_dimensions.items()},
    }
print(json.dumps(sheets))
