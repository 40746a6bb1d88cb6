package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

const (
	// stockValue is the size of most records that stock sends: some hundred fill a segment of a mebibyte.
	stockValue = 8000
	// settled is how long a survey asks again while the coordinator loads.
	settled = 3 * time.Second
	// where fields of a batch are that the checksum does not cover.
	batchLengthAt, batchEpochAt, batchLastDeltaAt, batchProducerAt, batchHeader = 8, 12, 23, 43, 61
)

// stock HISTORY TOPIC PARTITIONS COUNT idempotent|plain: sends so many records to each partition, all of which have to be
// acknowledged. Events: `ok PARTITION OFFSET VALUE`.
func stock(ctx context.Context, arguments []string) {
	events, topic := openHistory(arguments[0]), arguments[1]
	partitions, count := must(strconv.Atoi(arguments[2])), must(strconv.Atoi(arguments[3]))
	options := []kgo.Opt{kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(100_000)}
	if arguments[4] == "plain" {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	connection := client(options...)
	var records []*kgo.Record
	for n := range count * partitions {
		value := make([]byte, 1+rand.IntN(stockValue))
		for at := range value {
			value[at] = byte(rand.IntN(256))
		}
		records = append(records, &kgo.Record{Topic: topic, Partition: int32(n % partitions), Value: value,
			Key: fmt.Appendf(nil, "key-%d", n)})
	}
	results := connection.ProduceSync(ctx, records...)
	if err := results.FirstErr(); err != nil {
		fail("%v", err)
	}
	for _, record := range records {
		events.write("ok %d %d %s", record.Partition, record.Offset, record.Key)
	}
	connection.Close()
}

// note GROUP TOPIC PARTITIONS OFFSET: commits the offset for every partition.
func note(ctx context.Context, arguments []string) {
	partitions, offset := must(strconv.Atoi(arguments[2])), must(strconv.Atoi(arguments[3]))
	if err := commitAll(kadm.NewClient(client()), arguments[0], arguments[1], int32(partitions), int64(offset)); err != nil {
		fail("%v", err)
	}
}

// survey GROUP TOPIC:PARTITIONS...: everything that the broker serves, a line each:
//
//	batch TOPIC PARTITION BASE LAST HASH
//	extent TOPIC PARTITION START END
//	error TOPIC PARTITION AT WHAT
//	retry TOPIC PARTITION BASE
//	commit TOPIC PARTITION OFFSET
//	uncommitted WHAT
//
// `retry` tells where the broker says that the last batch of an idempotent producer is, when it is sent once more.
func survey(ctx context.Context, group string, topics []string) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	// The last version whose requests name topics.
	connection := client(kgo.RetryTimeout(settled), kgo.MaxVersions(kversion.V2_8_0()), kgo.RequestRetries(3),
		kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }))
	for _, word := range topics {
		name, count, _ := strings.Cut(word, ":")
		for partition := range must(strconv.Atoi(count)) {
			surveyor{ctx, connection, name, int32(partition)}.walk()
		}
	}
	committed(ctx, connection, group)
}

type surveyor struct {
	ctx        context.Context
	connection *kgo.Client
	topic      string
	partition  int32
}

func (s surveyor) failed(at int64, err error) {
	fmt.Printf("error %s %d %d %v\n", s.topic, s.partition, at, err)
}

func (s surveyor) ask(request kmsg.Request) (kmsg.Response, error) {
	return s.connection.Broker(1).Request(s.ctx, request)
}

func (s surveyor) walk() {
	start, err := s.list(-2)
	if err != nil {
		s.failed(-1, fmt.Errorf("start: %w", err))
		return
	}
	end, err := s.list(-1)
	if err != nil {
		s.failed(-1, fmt.Errorf("end: %w", err))
		return
	}
	fmt.Printf("extent %s %d %d %d\n", s.topic, s.partition, start, end)
	var last []byte
	for at := start; at < end; {
		batches, err := s.fetch(at)
		if err != nil {
			s.failed(at, err)
			return
		}
		before := at
		for len(batches) >= batchHeader {
			size := 12 + int(int32(binary.BigEndian.Uint32(batches[batchLengthAt:])))
			if size < batchHeader || size > len(batches) {
				break
			}
			batch := batches[:size]
			base := int64(binary.BigEndian.Uint64(batch))
			at = base + int64(int32(binary.BigEndian.Uint32(batch[batchLastDeltaAt:]))) + 1
			hash := fnv.New64a()
			hash.Write(batch)
			fmt.Printf("batch %s %d %d %d %016x\n", s.topic, s.partition, base, at-1, hash.Sum64())
			batches, last = batches[size:], batch
		}
		if at <= before {
			s.failed(at, fmt.Errorf("nothing came below the end"))
			return
		}
	}
	s.retry(last)
}

// retry sends the last batch again, if it is of an idempotent producer.
func (s surveyor) retry(last []byte) {
	if len(last) < batchHeader || int64(binary.BigEndian.Uint64(last[batchProducerAt:])) < 0 {
		return
	}
	batch := append([]byte{}, last...)
	base := int64(binary.BigEndian.Uint64(batch))
	binary.BigEndian.PutUint64(batch, 0)
	binary.BigEndian.PutUint32(batch[batchEpochAt:], 0xffffffff)
	part := kmsg.NewProduceRequestTopicPartition()
	part.Partition, part.Records = s.partition, batch
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.Partitions = s.topic, []kmsg.ProduceRequestTopicPartition{part}
	request := kmsg.NewPtrProduceRequest()
	request.Acks, request.TimeoutMillis, request.Topics = -1, 10_000, []kmsg.ProduceRequestTopic{topic}
	answer, err := s.ask(request)
	if err != nil {
		s.failed(base, fmt.Errorf("retry: %w", err))
		return
	}
	found := answer.(*kmsg.ProduceResponse).Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(found.ErrorCode); err != nil {
		s.failed(base, fmt.Errorf("retry: %w", err))
		return
	}
	fmt.Printf("retry %s %d %d\n", s.topic, s.partition, found.BaseOffset)
}

func (s surveyor) list(timestamp int64) (int64, error) {
	part := kmsg.NewListOffsetsRequestTopicPartition()
	part.Partition, part.Timestamp = s.partition, timestamp
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic, topic.Partitions = s.topic, []kmsg.ListOffsetsRequestTopicPartition{part}
	request := kmsg.NewPtrListOffsetsRequest()
	request.ReplicaID, request.Topics = -1, []kmsg.ListOffsetsRequestTopic{topic}
	answer, err := s.ask(request)
	if err != nil {
		return 0, err
	}
	found := answer.(*kmsg.ListOffsetsResponse).Topics[0].Partitions[0]
	return found.Offset, kerr.ErrorForCode(found.ErrorCode)
}

func (s surveyor) fetch(at int64) ([]byte, error) {
	part := kmsg.NewFetchRequestTopicPartition()
	part.Partition, part.FetchOffset, part.PartitionMaxBytes = s.partition, at, 200_000
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.Partitions = s.topic, []kmsg.FetchRequestTopicPartition{part}
	request := kmsg.NewPtrFetchRequest()
	request.MaxWaitMillis, request.MinBytes, request.MaxBytes = 2000, 1, 1<<20
	request.SessionEpoch, request.Topics = -1, []kmsg.FetchRequestTopic{topic}
	answer, err := s.ask(request)
	if err != nil {
		return nil, err
	}
	found := answer.(*kmsg.FetchResponse).Topics[0].Partitions[0]
	return found.RecordBatches, kerr.ErrorForCode(found.ErrorCode)
}

// committed prints a group's offsets; while the coordinator loads it asks again.
func committed(ctx context.Context, connection *kgo.Client, group string) {
	var failed error
	for begun := time.Now(); time.Since(begun) < settled; time.Sleep(20 * time.Millisecond) {
		answers, err := kadm.NewClient(connection).FetchOffsets(ctx, group)
		if err == nil {
			err = answers.Error()
		}
		if err == nil {
			answers.Each(func(answer kadm.OffsetResponse) {
				fmt.Printf("commit %s %d %d\n", answer.Topic, answer.Partition, answer.At)
			})
			return
		}
		if failed = err; err != kerr.CoordinatorLoadInProgress {
			break
		}
	}
	fmt.Printf("uncommitted %v\n", failed)
}
