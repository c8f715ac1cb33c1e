// Package dynamodb starts DynamoDB Local, AWS's own DynamoDB for tests.
package dynamodb

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Start runs DynamoDB Local in memory until the test ends. The folder of its
// jars is in the environment variable DYNAMODB_LOCAL (make test-dynamodb).
func Start(t *testing.T) *sdk.Client {
	t.Helper()
	jars := os.Getenv("DYNAMODB_LOCAL")
	if jars == "" {
		t.Fatal("DYNAMODB_LOCAL does not name the folder of DynamoDB Local's jars: use make test-dynamodb")
	}
	port := freePort(t)
	var output strings.Builder
	c := exec.Command("java", "-Djava.library.path="+jars, "-cp", filepath.Join(jars, "*"),
		"com.amazonaws.services.dynamodbv2.local.main.ServerRunner", "-inMemory", "-disableTelemetry", "-port", port)
	c.Stdout, c.Stderr = &output, &output
	if err := c.Start(); err != nil {
		t.Fatalf("DynamoDB Local needs Java 17: %v", err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	endpoint := "http://127.0.0.1:" + port
	client := sdk.NewFromConfig(aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	if err := answers(t.Context(), client); err != nil {
		t.Fatalf("DynamoDB Local does not answer: %v\n%s", err, output.String())
	}
	return client
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func answers(ctx context.Context, client *sdk.Client) (err error) {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	for {
		if _, err = client.ListTables(ctx, &sdk.ListTablesInput{}); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("gave up: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
