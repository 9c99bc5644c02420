SELECT name FROM system.users WHERE name = $user
