SELECT user_name FROM system.role_grants WHERE granted_role_name = $role AND user_name IS NOT NULL ORDER BY user_name
