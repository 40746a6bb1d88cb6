package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// base is the time of the first record, an hour ago: retention goes by the time of the records.
var base = time.Now().UnixMilli() - 3_600_000

const (
	records = 500
	grouped = 400
	more    = 40
)

func suite(ctx context.Context) {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	for name, codec := range codecs {
		produce(ctx, name, codec)
		consumeAlone(ctx, name)
	}
	seekByTimestamp(ctx)
	admin := kadm.NewClient(client())
	must(admin.CreateTopic(ctx, 4, 1, nil, "grouped"))
	perMember := consumeInGroup(ctx, 2, 0, grouped)
	consumeInGroup(ctx, 1, grouped, more)
	fmt.Printf(`{"client":"franz-go","version":"%s","codecs":%d,"records":%d,"members":"%v","resumed":%d}`+"\n",
		version("github.com/twmb/franz-go"), len(codecs), len(codecs)*records, perMember, more)
}

func client(options ...kgo.Opt) *kgo.Client {
	return must(kgo.NewClient(append(append([]kgo.Opt{kgo.SeedBrokers(bootstrap)}, security()...), options...)...))
}

func value(name string, i int) string {
	return fmt.Sprintf("%s record %d é %s", name, i, strings.Repeat("x", i*37%900))
}

func produce(ctx context.Context, name string, codec kgo.CompressionCodec) {
	producer := client(kgo.ProducerBatchCompression(codec), kgo.AllowAutoTopicCreation())
	defer producer.Close()
	batch := make([]*kgo.Record, records)
	for i := range batch {
		batch[i] = &kgo.Record{
			Topic: "codec-" + name, Key: fmt.Appendf(nil, "k%d", i), Value: []byte(value(name, i)),
			Timestamp: time.UnixMilli(base + int64(i)*1000),
			Headers:   []kgo.RecordHeader{{Key: "n", Value: fmt.Appendf(nil, "%d", i)}},
		}
	}
	for i, result := range producer.ProduceSync(ctx, batch...) {
		if result.Err != nil {
			fail("produce %s: %v", name, result.Err)
		}
		equal("offset acknowledged, "+name, int64(i), result.Record.Offset)
	}
}

func consumeAlone(ctx context.Context, name string) {
	consumer := client(kgo.ConsumeTopics("codec-"+name), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer consumer.Close()
	next := 0
	read(ctx, consumer, func(record *kgo.Record) bool {
		equal("offset", int64(next), record.Offset)
		equal("key", fmt.Sprintf("k%d", next), string(record.Key))
		equal("value", value(name, next), string(record.Value))
		equal("timestamp", base+int64(next)*1000, record.Timestamp.UnixMilli())
		equal("header", fmt.Sprint(next), string(record.Headers[0].Value))
		next++
		return next == records
	})
}

func seekByTimestamp(ctx context.Context) {
	at := base + 249_500
	listed := must(kadm.NewClient(client()).ListOffsetsAfterMilli(ctx, at, "codec-gzip"))
	offset, _ := listed.Lookup("codec-gzip", 0)
	equal("offset for a timestamp", int64(250), offset.Offset)
	consumer := client(kgo.ConsumeTopics("codec-gzip"), kgo.ConsumeResetOffset(kgo.NewOffset().AfterMilli(at)))
	defer consumer.Close()
	next := int64(250)
	read(ctx, consumer, func(record *kgo.Record) bool {
		equal("offset after seek", next, record.Offset)
		next++
		return next == records
	})
}

func produceGrouped(ctx context.Context, from, count int) {
	producer := client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer producer.Close()
	batch := make([]*kgo.Record, count)
	for n := range batch {
		i := from + n
		batch[n] = &kgo.Record{Topic: "grouped", Partition: int32(i % 4), Key: fmt.Appendf(nil, "%d", i), Value: []byte(value("grouped", i))}
	}
	if err := producer.ProduceSync(ctx, batch...).FirstErr(); err != nil {
		fail("produce grouped: %v", err)
	}
}

// consumeInGroup waits until every member has its share of the four partitions, then produces `count` records from `from`
// on and reads until the members together have each of them once, committed.
func consumeInGroup(ctx context.Context, members, from, count int) []int64 {
	ctx, cancel := context.WithCancel(ctx)
	seen := make(chan *kgo.Record)
	all := make([]*member, members)
	for m := range all {
		all[m] = &member{seen: seen, left: make(chan struct{})}
		go all[m].run(ctx)
	}
	waitFor("the group to share the partitions", func() bool {
		return !slices.ContainsFunc(all, func(m *member) bool { return m.owned.Load() != int64(4/members) })
	})
	produceGrouped(ctx, from, count)
	found := map[string]bool{}
	for len(found) < count {
		select {
		case record := <-seen:
			key := string(record.Key)
			i := must(strconv.Atoi(key))
			if i < from {
				fail("record %d was read again after its commit", i)
			}
			equal("value in group", value("grouped", i), string(record.Value))
			if found[key] {
				fail("record %d read twice", i)
			}
			found[key] = true
		case <-time.After(time.Minute):
			fail("waited too long for %d records in the group, read %d", count, len(found))
		}
	}
	cancel()
	perMember := make([]int64, members)
	for m := range all {
		<-all[m].left
		perMember[m] = all[m].count
		if all[m].count == 0 {
			fail("a member read nothing: %v", perMember)
		}
	}
	return perMember
}

type member struct {
	owned atomic.Int64
	seen  chan *kgo.Record
	left  chan struct{}
	count int64
}

func (m *member) run(ctx context.Context) {
	partitions := func(assigned map[string][]int32) int64 { return int64(len(assigned["grouped"])) }
	consumer := client(kgo.ConsumerGroup("franz-go"), kgo.ConsumeTopics("grouped"), kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, assigned map[string][]int32) {
			m.owned.Add(partitions(assigned))
		}),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, revoked map[string][]int32) {
			m.owned.Add(-partitions(revoked))
		}))
	for ctx.Err() == nil {
		taken := consumer.PollFetches(ctx).Records()
		for _, record := range taken {
			m.seen <- record
		}
		m.count += int64(len(taken))
		if len(taken) > 0 {
			if err := consumer.CommitRecords(context.Background(), taken...); err != nil {
				fail("commit: %v", err)
			}
		}
	}
	consumer.Close()
	close(m.left)
}

func waitFor(what string, condition func() bool) {
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			fail("waited too long for %s", what)
		}
	}
}

func read(ctx context.Context, consumer *kgo.Client, done func(*kgo.Record) bool) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			fail("fetch: %v", err)
		}
		for _, record := range fetches.Records() {
			if done(record) {
				return
			}
		}
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
