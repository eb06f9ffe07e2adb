// Package report answers: in which form do results leave profcheck, for people and for programs?
//
// A Document is a result as plain data: the JSON that others build on is its encoding, and every
// other form is rendered from the document alone. So a saved JSON file, read back with Decode, gives
// byte for byte the text that the first run gave.
//
// The documents Scan, Check, Lint, Simulate and Table are the contract of the project: fields are
// added and never renamed, and a reader ignores fields that it does not know. 64-bit values are hex
// strings ("0x28") because JSON numbers lose bits in many readers; a missing args field means
// unknown, which is never the same as zero. The schemas of all documents are in the folder schema.
//
// A Format is one way to render documents; each is one file here, listed in format.go.
package report
