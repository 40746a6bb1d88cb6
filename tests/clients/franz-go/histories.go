package main

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// history is a file of one event a line, with its time, whole lines only, so that a killed writer leaves a usable one.
type history struct {
	mutex sync.Mutex
	file  *os.File
}

func openHistory(path string) *history {
	return &history{file: must(os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644))}
}

func (h *history) write(format string, arguments ...any) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	line := fmt.Sprintf("%d "+format+"\n", append([]any{time.Now().UnixNano()}, arguments...)...)
	must(h.file.WriteString(line))
}

// load HISTORY TOPIC PARTITIONS PRODUCER: an idempotent producer (the default) that numbers its records, spreads them over
// the partitions and writes `ok PARTITION OFFSET VALUE` for each acknowledged and `info PARTITION VALUE` for each record whose
// fate it does not know, until SIGTERM; then it flushes.
func load(ctx context.Context, arguments []string) {
	events, topic, producer := openHistory(arguments[0]), arguments[1], arguments[3]
	partitions := int32(must(strconv.Atoi(arguments[2])))
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	connection := client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MaxBufferedRecords(500))
	for n := 0; ctx.Err() == nil; n++ {
		record := &kgo.Record{Topic: topic, Partition: int32(n) % partitions, Value: fmt.Appendf(nil, "%s-%d", producer, n)}
		connection.Produce(context.Background(), record, func(record *kgo.Record, err error) {
			if err == nil {
				events.write("ok %d %d %s", record.Partition, record.Offset, record.Value)
			} else {
				events.write("info %d %s", record.Partition, record.Value)
				fmt.Fprintf(os.Stderr, "%s: %v\n", record.Value, err)
			}
		})
	}
	flush, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := connection.Flush(flush); err != nil {
		fail("flush: %v", err)
	}
	connection.Close()
}

// drain TOPIC: prints `PARTITION OFFSET VALUE` for every record from the beginning to the ends of the partitions, the value
// escaped as in a URL. cat TOPIC: prints the bare values.
func drain(ctx context.Context, topic string, raw bool) {
	ends := must(kadm.NewClient(client()).ListEndOffsets(ctx, topic))
	left := map[int32]int64{}
	starts := map[int32]kgo.Offset{}
	ends.Each(func(end kadm.ListedOffset) {
		if end.Err != nil {
			fail("end offset of %d: %v", end.Partition, end.Err)
		}
		if end.Offset > 0 {
			left[end.Partition] = end.Offset
			starts[end.Partition] = kgo.NewOffset().AtStart()
		}
	})
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	if len(left) == 0 {
		return
	}
	consumer := client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: starts}))
	defer consumer.Close()
	read(ctx, consumer, func(record *kgo.Record) bool {
		if raw {
			must(fmt.Fprintf(output, "%s\n", record.Value))
		} else {
			must(fmt.Fprintf(output, "%d %d %s\n", record.Partition, record.Offset, url.QueryEscape(string(record.Value))))
		}
		if end, ok := left[record.Partition]; ok && record.Offset+1 >= end {
			delete(left, record.Partition)
		}
		return len(left) == 0
	})
}

// group HISTORY GROUP TOPIC: a member that writes `assigned PARTITION OFFSET` for where it starts, `read PARTITION OFFSET VALUE`
// for every record and `committed PARTITION OFFSET` after every poll, until SIGTERM.
func group(ctx context.Context, arguments []string) {
	events, name, topic := openHistory(arguments[0]), arguments[1], arguments[2]
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	options := append(restless(), kgo.ConsumerGroup(name), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(), kgo.SessionTimeout(6*time.Second), kgo.HeartbeatInterval(200*time.Millisecond),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, assigned map[string][]int32) {
			for _, partition := range assigned[topic] {
				events.write("assigned %d", partition)
			}
		}))
	consumer := client(options...)
	for ctx.Err() == nil {
		fetches := consumer.PollRecords(ctx, 500)
		taken := fetches.Records()
		next := map[int32]int64{}
		for _, record := range taken {
			events.write("read %d %d %s", record.Partition, record.Offset, url.QueryEscape(string(record.Value)))
			next[record.Partition] = record.Offset + 1
		}
		if len(taken) > 0 {
			if err := consumer.CommitRecords(context.Background(), taken...); err == nil {
				for partition, offset := range next {
					events.write("committed %d %d", partition, offset)
				}
			}
		}
		consumer.AllowRebalance()
	}
	consumer.Close()
}

// create TOPIC PARTITIONS: makes a topic.
func create(ctx context.Context, arguments []string) {
	partitions := int32(must(strconv.Atoi(arguments[1])))
	must(kadm.NewClient(client()).CreateTopic(ctx, partitions, 1, nil, arguments[0]))
}

// ids: prints `TOPIC ID PARTITIONS` for every topic, in order.
func ids(ctx context.Context) {
	for _, topic := range must(kadm.NewClient(client()).ListTopics(ctx)).Sorted() {
		fmt.Println(topic.Topic, topic.ID, len(topic.Partitions))
	}
}
