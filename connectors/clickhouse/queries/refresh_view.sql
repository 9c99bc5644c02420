SYSTEM REFRESH VIEW $database.$view
