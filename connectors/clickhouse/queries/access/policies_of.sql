SELECT table, ifNull(select_filter, '') FROM system.row_policies
WHERE database = $name_of_database AND short_name = $policy AND has(apply_to_list, $role)
