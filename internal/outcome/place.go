package outcome

// Place is where outcomes go; nowhere, where it has neither a queue nor a bus.
type Place struct {
	// QueueURL is the URL of an SQS queue, and Bus the ARN of an EventBridge bus.
	QueueURL, Bus string
	// Tenant is whose endpoints get them, where the queue is that of events.
	Tenant string
	Kinds  Kinds
}

// Teller tells the one of the two that the place is; nil where it is neither.
func (p Place) Teller(queue, bus func(Place) Sink) *Teller {
	switch {
	case p.QueueURL != "":
		return &Teller{queue(p), p.Kinds, p.Tenant}
	case p.Bus != "":
		return &Teller{bus(p), p.Kinds, p.Tenant}
	}
	return nil
}
