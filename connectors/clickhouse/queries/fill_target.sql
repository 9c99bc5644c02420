-- What a view would have written for some rows of its table. Without tokens: two parts of equal content are no repetition.
INSERT INTO $database.$target $columns
SETTINGS insert_deduplicate = 0, additional_table_filters = $filters, max_bytes_before_external_group_by = 1000000000
$select
