SELECT min(free_space / total_space) AS "Free"
FROM system.disks
