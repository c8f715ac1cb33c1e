package secret_test

import (
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandline"
	"github.com/efferent/efferent/cmd/efferent/commandtest"
)

func TestMain(m *testing.M) { commandtest.Main(m, commandline.Main) }
