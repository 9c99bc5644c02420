CREATE ROW POLICY IF NOT EXISTS $policy ON $database.$table USING 0 TO $role
