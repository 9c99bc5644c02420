CREATE TABLE $database.$new AS $database.$table
