// segmentio's kafka-go with its default settings: produce with every codec, consume alone and compare, seek by timestamp,
// consume in a group of two, commit, resume.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
)

// base is the time of the first record, an hour ago: retention goes by the time of the records.
var base = time.Now().UnixMilli() - 3_600_000

const (
	records = 500
	grouped = 400
	more    = 40
	limit   = time.Minute
)

var bootstrap = os.Getenv("BOOTSTRAP")

func main() {
	ctx := context.Background()
	codecs := map[string]kafka.Compression{
		"none": 0, "gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd,
	}
	for name, codec := range codecs {
		produce(ctx, name, codec)
		consumeAlone(ctx, name)
	}
	seekByTimestamp(ctx)
	createGroupedTopic()
	perMember := consumeInGroup(ctx, 2, 0, grouped)
	consumeInGroup(ctx, 1, grouped, more)
	fmt.Printf(`{"client":"kafka-go","version":"%s","codecs":%d,"records":%d,"members":"%v","resumed":%d}`+"\n",
		version("github.com/segmentio/kafka-go"), len(codecs), len(codecs)*records, perMember, more)
}

func value(name string, i int) string {
	return fmt.Sprintf("%s record %d é %s", name, i, strings.Repeat("x", i*37%900))
}

func produce(ctx context.Context, name string, codec kafka.Compression) {
	writer := &kafka.Writer{
		Addr: kafka.TCP(bootstrap), Topic: "codec-" + name, Compression: codec, AllowAutoTopicCreation: true,
		BatchSize: records,
	}
	batch := make([]kafka.Message, records)
	for i := range batch {
		batch[i] = kafka.Message{
			Key: fmt.Appendf(nil, "k%d", i), Value: []byte(value(name, i)), Time: time.UnixMilli(base + int64(i)*1000),
			Headers: []kafka.Header{{Key: "n", Value: []byte(strconv.Itoa(i))}},
		}
	}
	write(ctx, writer, batch)
}

// write makes one batch of the messages, so that they are written whole or not at all, and tries again while the topic is new:
// kafka-go leaves that to its user.
func write(ctx context.Context, writer *kafka.Writer, batch []kafka.Message) {
	deadline := time.Now().Add(limit)
	err := writer.WriteMessages(ctx, batch...)
	for missing(err) && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
		err = writer.WriteMessages(ctx, batch...)
	}
	check(err)
	check(writer.Close())
}

func missing(err error) bool {
	return errors.Is(err, kafka.LeaderNotAvailable) || errors.Is(err, kafka.UnknownTopicOrPartition)
}

func reader(name string) *kafka.Reader {
	return kafka.NewReader(kafka.ReaderConfig{Brokers: []string{bootstrap}, Topic: "codec-" + name, MaxWait: time.Second})
}

func consumeAlone(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	consumer := reader(name)
	defer consumer.Close()
	for i := range records {
		message := must(consumer.ReadMessage(ctx))
		equal("offset", int64(i), message.Offset)
		equal("key", fmt.Sprintf("k%d", i), string(message.Key))
		equal("value", value(name, i), string(message.Value))
		equal("timestamp", base+int64(i)*1000, message.Time.UnixMilli())
		equal("header", strconv.Itoa(i), string(message.Headers[0].Value))
	}
	connection := must(kafka.DialLeader(ctx, "tcp", bootstrap, "codec-"+name, 0))
	defer connection.Close()
	equal("end offset", records, must(connection.ReadLastOffset()))
}

func seekByTimestamp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	consumer := reader("gzip")
	defer consumer.Close()
	check(consumer.SetOffsetAt(ctx, time.UnixMilli(base+249_500)))
	for offset := int64(250); offset < records; offset++ {
		equal("offset after seek", offset, must(consumer.ReadMessage(ctx)).Offset)
	}
}

func createGroupedTopic() {
	connection := must(kafka.Dial("tcp", bootstrap))
	defer connection.Close()
	check(connection.CreateTopics(kafka.TopicConfig{Topic: "grouped", NumPartitions: 4, ReplicationFactor: 1}))
}

func produceGrouped(ctx context.Context, from, count int) {
	byNumber := kafka.BalancerFunc(func(message kafka.Message, partitions ...int) int {
		return partitions[must(strconv.Atoi(string(message.Key)))%len(partitions)]
	})
	writer := &kafka.Writer{Addr: kafka.TCP(bootstrap), Topic: "grouped", Balancer: byNumber, BatchSize: count / 4}
	batch := make([]kafka.Message, count)
	for n := range batch {
		i := from + n
		batch[n] = kafka.Message{Key: []byte(strconv.Itoa(i)), Value: []byte(value("grouped", i))}
	}
	write(ctx, writer, batch)
}

// readBy is a message and the member that read it.
type readBy struct {
	member  int
	message kafka.Message
}

// consumeInGroup produces once every member is in the group, and reads until the members together have each record once.
// ReadMessage commits what it returns: the default of kafka-go.
func consumeInGroup(ctx context.Context, members, from, count int) []int {
	ctx, cancel := context.WithTimeout(ctx, 2*limit)
	defer cancel()
	seen := make(chan readBy)
	group := make([]*kafka.Reader, members)
	shares := make([]*share, members)
	for m := range group {
		shares[m] = &share{}
		group[m] = kafka.NewReader(kafka.ReaderConfig{
			Brokers: []string{bootstrap}, GroupID: "kafka-go", Topic: "grouped", StartOffset: kafka.FirstOffset, MaxWait: time.Second, Logger: shares[m],
		})
		go func() {
			for {
				message, err := group[m].ReadMessage(ctx)
				if err != nil {
					return
				}
				seen <- readBy{m, message}
			}
		}()
	}
	waitForShares(ctx, shares)
	produceGrouped(ctx, from, count)
	perMember := make([]int, members)
	found := map[int]bool{}
	for len(found) < count {
		select {
		case read := <-seen:
			i := must(strconv.Atoi(string(read.message.Key)))
			if i < from {
				fail("record %d was read again after its commit", i)
			}
			if found[i] {
				fail("record %d read twice", i)
			}
			equal("value in group", value("grouped", i), string(read.message.Value))
			found[i] = true
			perMember[read.member]++
		case <-time.After(limit):
			fail("waited too long for %d records in the group, read %d", count, len(found))
		}
	}
	for _, reader := range group {
		check(reader.Close())
	}
	if slices.Contains(perMember, 0) {
		fail("a member read nothing: %v", perMember)
	}
	return perMember
}

// share follows how many partitions a member has, by the one sign that a Reader gives of it: its log.
type share struct {
	owned atomic.Int64
}

func (s *share) Printf(format string, arguments ...any) {
	if strings.HasPrefix(format, "subscribed to topics and partitions") {
		s.owned.Store(int64(strings.Count(fmt.Sprintf(format, arguments...), "partition:")))
	}
}

func waitForShares(ctx context.Context, shares []*share) {
	for slices.ContainsFunc(shares, func(s *share) bool { return s.owned.Load() != int64(4/len(shares)) }) {
		if ctx.Err() != nil {
			fail("waited too long for the group to share the partitions")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func version(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			if dependency.Path == module {
				return dependency.Version
			}
		}
	}
	return "unknown"
}

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(1)
}

func check(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func equal[T comparable](what string, expected, found T) {
	if expected != found {
		fail("%s: expected %v, found %v", what, expected, found)
	}
}
