// Package console is what every command takes from who types it, and says to them:
// numbers and times, files and standard input, questions and their answers, errors of
// usage, and the exit code that an error becomes. It knows of no API and no AWS.
package console
