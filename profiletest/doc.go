// Package profiletest answers: does a seccomp profile still do what was agreed?
package profiletest
