module github.com/profcheck/profcheck

go 1.25.0
