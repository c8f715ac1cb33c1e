package sqsserver

// Operations are the names of those that both protocols serve.
func Operations(e *Engine) (names []string) {
	for name := range operations(e) {
		names = append(names, name)
	}
	return names
}
