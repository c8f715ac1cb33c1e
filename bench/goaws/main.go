// Command goaws serves GoAWS, as a library, for the benchmark to measure
// beside Efferent's endpoint. It is a module of its own, so that nothing of it
// becomes a dependency of Efferent. It ends with its standard input.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/Admiral-Piett/goaws/app/gosqs"
	"github.com/Admiral-Piett/goaws/app/models"
	"github.com/Admiral-Piett/goaws/app/router"
	"github.com/sirupsen/logrus"
)

func main() {
	logrus.SetOutput(io.Discard)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	models.CurrentEnvironment = models.Environment{Host: "127.0.0.1", Port: port, Region: "us-east-1", AccountID: "000000000000"}
	go gosqs.PeriodicTasks(time.Second, make(chan bool))
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Printf("http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, router.New()))
}
