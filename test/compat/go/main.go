// franz-go as the compat suite drives it.
//
//	compat produce BOOTSTRAP TOPIC FIRST COUNT    values "v<n>", idempotent; prints how many were acked
//	compat consume BOOTSTRAP TOPIC GROUP COUNT    prints "partition offset value" a record, commits, leaves
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	check(err)
	return n
}

func produce(ctx context.Context, bootstrap, topic string, first, count int) {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.AllowAutoTopicCreation())
	check(err)
	defer client.Close()
	var acked atomic.Int64
	for n := first; n < first+count; n++ {
		record := &kgo.Record{Topic: topic, Key: []byte(fmt.Sprintf("k%d", n)), Value: []byte(fmt.Sprintf("v%d", n))}
		client.Produce(ctx, record, func(_ *kgo.Record, err error) {
			check(err)
			acked.Add(1)
		})
	}
	check(client.Flush(ctx))
	fmt.Println(acked.Load())
}

func consume(ctx context.Context, bootstrap, topic, group string, count int) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(bootstrap),
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
	)
	check(err)
	out := bufio.NewWriter(os.Stdout)
	for seen := 0; seen < count; {
		fetches := client.PollRecords(ctx, min(1000, count-seen))
		check(fetches.Err())
		fetches.EachRecord(func(record *kgo.Record) {
			fmt.Fprintf(out, "%d %d %s\n", record.Partition, record.Offset, record.Value)
			seen++
		})
		check(client.CommitRecords(ctx, fetches.Records()...))
	}
	check(out.Flush())
	client.Close()
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	arguments := os.Args[2:]
	if os.Args[1] == "produce" {
		produce(ctx, arguments[0], arguments[1], number(arguments[2]), number(arguments[3]))
	} else {
		consume(ctx, arguments[0], arguments[1], arguments[2], number(arguments[3]))
	}
}
