"""Files of many articles, read and written record by record: what a model is, or a terminal, nobody here knows."""
