SYSTEM WAIT VIEW $database.$view
