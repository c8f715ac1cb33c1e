package assembly

const (
	// manyDescriptors is more than anything here needs.
	manyDescriptors = 1 << 20
	// ownDescriptors are for all that is not a connection to an endpoint: the data
	// file, the endpoints and the API that dev serves, AWS.
	ownDescriptors = 200
	// fewestConnections are made at once, however few descriptors there are.
	fewestConnections = 16
	// MostInFlight is how many webhooks may be under way in all; who hangs gets less
	// the fewer of them are left. Each may hold an invocation of its own, so there
	// may be twice as many of those: some only wait for their turn.
	MostInFlight = 1000
)

// connections is how many webhooks may be sent at once: each may hold a
// connection, and as many again are kept for the next ones.
func connections() int { return connectionsWithin(descriptors()) }

// NotifyBatches is how many batches of notifications may be in hand at once. Each
// of their ten messages may hold a connection: the fewest fit among
// ownDescriptors, with few descriptors.
func NotifyBatches() int { return notifyBatchesWithin(connections()) }

func notifyBatchesWithin(connections int) int { return min(max(10, connections/100), 1000) }

func connectionsWithin(descriptors int) int {
	return max(fewestConnections, (descriptors-ownDescriptors)/2)
}
