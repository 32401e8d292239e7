"""Published workbooks, read with every fault named: files, sheets, items, codes, limits."""
