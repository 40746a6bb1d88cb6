// The sarama client with its default settings: produce with every codec, consume alone and compare, seek by timestamp,
// consume in a group of two, commit, resume.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
)

// base is the time of the first record, an hour ago: retention goes by the time of the records.
var base = time.Now().UnixMilli() - 3_600_000

const (
	records = 500
	grouped = 400
	more    = 40
	limit   = time.Minute
)

var bootstrap = []string{os.Getenv("BOOTSTRAP")}

func main() {
	codecs := []sarama.CompressionCodec{
		sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4, sarama.CompressionZSTD,
	}
	for _, codec := range codecs {
		produce(codec)
		consumeAlone(codec.String())
	}
	seekByTimestamp()
	admin := must(sarama.NewClusterAdmin(bootstrap, config()))
	check(admin.CreateTopic("grouped", &sarama.TopicDetail{NumPartitions: 4, ReplicationFactor: 1}, false))
	perMember := consumeInGroup(2, 0, grouped)
	consumeInGroup(1, grouped, more)
	fmt.Printf(`{"client":"sarama","version":"%s","codecs":%d,"records":%d,"members":"%v","resumed":%d}`+"\n",
		version("github.com/IBM/sarama"), len(codecs), len(codecs)*records, perMember, more)
}

// config is the default one but for what the API cannot work without.
func config() *sarama.Config {
	config := sarama.NewConfig()
	config.Producer.Return.Successes = true
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	return config
}

func value(name string, i int) string {
	return fmt.Sprintf("%s record %d é %s", name, i, strings.Repeat("x", i*37%900))
}

func produce(codec sarama.CompressionCodec) {
	config := config()
	config.Producer.Compression = codec
	producer := must(sarama.NewSyncProducer(bootstrap, config))
	defer producer.Close()
	batch := make([]*sarama.ProducerMessage, records)
	for i := range batch {
		batch[i] = &sarama.ProducerMessage{
			Topic: "codec-" + codec.String(), Key: sarama.StringEncoder(fmt.Sprintf("k%d", i)),
			Value:     sarama.StringEncoder(value(codec.String(), i)),
			Timestamp: time.UnixMilli(base + int64(i)*1000),
			Headers:   []sarama.RecordHeader{{Key: []byte("n"), Value: []byte(strconv.Itoa(i))}},
		}
	}
	check(producer.SendMessages(batch))
	for i, message := range batch {
		equal("offset acknowledged, "+codec.String(), int64(i), message.Offset)
	}
}

func partition(topic string, offset int64) sarama.PartitionConsumer {
	consumer := must(sarama.NewConsumer(bootstrap, config()))
	return must(consumer.ConsumePartition(topic, 0, offset))
}

func next(consumer sarama.PartitionConsumer, what string) *sarama.ConsumerMessage {
	select {
	case message := <-consumer.Messages():
		return message
	case <-time.After(limit):
		fail("waited too long for %s", what)
		return nil
	}
}

func consumeAlone(codec string) {
	consumer := partition("codec-"+codec, sarama.OffsetOldest)
	defer consumer.Close()
	for i := range records {
		message := next(consumer, fmt.Sprintf("record %d of %s", i, codec))
		equal("offset", int64(i), message.Offset)
		equal("key", fmt.Sprintf("k%d", i), string(message.Key))
		equal("value", value(codec, i), string(message.Value))
		equal("timestamp", base+int64(i)*1000, message.Timestamp.UnixMilli())
		equal("header", strconv.Itoa(i), string(message.Headers[0].Value))
	}
	equal("high watermark", records, int(consumer.HighWaterMarkOffset()))
}

func seekByTimestamp() {
	client := must(sarama.NewClient(bootstrap, config()))
	offset := must(client.GetOffset("codec-gzip", 0, base+249_500))
	equal("offset for a timestamp", int64(250), offset)
	consumer := partition("codec-gzip", offset)
	defer consumer.Close()
	for i := offset; i < records; i++ {
		equal("offset after seek", i, next(consumer, "a record after seek").Offset)
	}
}

func produceGrouped(from, count int) {
	config := config()
	config.Producer.Partitioner = sarama.NewManualPartitioner
	producer := must(sarama.NewSyncProducer(bootstrap, config))
	defer producer.Close()
	batch := make([]*sarama.ProducerMessage, count)
	for n := range batch {
		i := from + n
		batch[n] = &sarama.ProducerMessage{Topic: "grouped", Partition: int32(i % 4),
			Key: sarama.StringEncoder(strconv.Itoa(i)), Value: sarama.StringEncoder(value("grouped", i))}
	}
	check(producer.SendMessages(batch))
}

// member is a consumer group handler that passes on what it reads and marks it.
type member struct {
	owned atomic.Int64
	count atomic.Int64
	seen  chan *sarama.ConsumerMessage
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.owned.Store(int64(len(session.Claims()["grouped"])))
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.owned.Store(0)
	return nil
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		m.seen <- message
		m.count.Add(1)
		session.MarkMessage(message, "")
	}
	return nil
}

// consumeInGroup waits until every member has its share of the four partitions, then produces and reads until the members
// together have each record once. Leaving commits what was marked: the default of sarama.
func consumeInGroup(members, from, count int) []int64 {
	ctx, cancel := context.WithCancel(context.Background())
	seen := make(chan *sarama.ConsumerMessage)
	all := make([]*member, members)
	left := make(chan struct{})
	for m := range all {
		all[m] = &member{seen: seen}
		group := must(sarama.NewConsumerGroup(bootstrap, "sarama", config()))
		go func() {
			for ctx.Err() == nil {
				check(group.Consume(ctx, []string{"grouped"}, all[m]))
			}
			check(group.Close())
			left <- struct{}{}
		}()
	}
	deadline := time.Now().Add(limit)
	for slices.ContainsFunc(all, func(m *member) bool { return m.owned.Load() != int64(4/members) }) {
		if time.Now().After(deadline) {
			fail("waited too long for the group to share the partitions")
		}
		time.Sleep(10 * time.Millisecond)
	}
	go produceGrouped(from, count)
	found := map[int]bool{}
	for len(found) < count {
		select {
		case message := <-seen:
			i := must(strconv.Atoi(string(message.Key)))
			if i < from {
				fail("record %d was read again after its commit", i)
			}
			if found[i] {
				fail("record %d read twice", i)
			}
			equal("value in group", value("grouped", i), string(message.Value))
			found[i] = true
		case <-time.After(limit):
			fail("waited too long for %d records in the group, read %d", count, len(found))
		}
	}
	cancel()
	perMember := make([]int64, members)
	for range all {
		<-left
	}
	for m := range all {
		perMember[m] = all[m].count.Load()
		if perMember[m] == 0 {
			fail("a member read nothing: %v", perMember)
		}
	}
	return perMember
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
