// Package reach is how a command reaches what it works on: AWS or the efferent dev of
// this machine, with the caller's credentials, and the HTTP API, signed or with a token.
// Errors on the way say what to do about them.
package reach
