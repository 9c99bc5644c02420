ALTER ROW POLICY $policy ON $database.$table FOR SELECT USING tenant_id = $tenant AS PERMISSIVE TO $role
