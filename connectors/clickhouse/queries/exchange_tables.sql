EXCHANGE TABLES $database.$table AND $database.$new
