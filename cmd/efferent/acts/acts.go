// Package acts is acting on many things by the API, one after the other or as many as a
// filter takes, in as many requests as that needs, and telling what became of them.
package acts
