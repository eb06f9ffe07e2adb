// Package symbolize answers: by which name does a person know this address?
//
// A Symbolizer names the functions of one module, demangled and short enough for a line of a path,
// and tells the source line of an instruction where the module or its separate debug file has
// DWARF. Nothing in here decides which calls a program makes: a table that lies gives a wrong name
// and nothing else.
//
// Names come from .symtab, of the separate debug file too, else from .dynsym, else the name is
// "sub_" with the address. Lines come from DWARF 2 to 5; sections may be compressed with zlib (zstd
// is not read: names without lines). Only the units of compilation that hold addresses that were
// asked for are read. Alternate files of dwz are not looked for: what refers to them has no name.
//
// DWARF is read by the package's own reader, since debug/dwarf is not made for hostile files, as
// its documentation says: tables there can refer to each other so that reading them takes quadratic
// time and memory. Here all work is counted, and beyond a multiple of the size of the sections (see
// newDwarf) there are no more lines.
package symbolize
