-- All at once, in place of what was granted before.
GRANT $grants TO $role WITH REPLACE OPTION
