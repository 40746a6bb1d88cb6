// @confluentinc/kafka-javascript: librdkafka's settings.
'use strict'

const { Kafka, logLevel } = require('@confluentinc/kafka-javascript').KafkaJS
const { version } = require('@confluentinc/kafka-javascript/package.json')

const kafka = new Kafka({ kafkaJS: { brokers: [process.env.BOOTSTRAP], logLevel: logLevel.ERROR } })

async function makeProducer(settings) {
  const producer = kafka.producer({ 'linger.ms': 0, ...settings })
  await producer.connect()
  return {
    // Sent one by one, as an application does: what they are gathered to is the client's matter.
    send: (topic, values) => Promise.all(values.map(value => producer.send({ topic, messages: [{ value }] }))),
    close: () => producer.disconnect(),
  }
}

async function makeConsumer(groupId, topic, { minBytes, maxWait }, onMessage) {
  const consumer = kafka.consumer({
    kafkaJS: { groupId, fromBeginning: true },
    'fetch.min.bytes': minBytes,
    'fetch.wait.max.ms': maxWait,
  })
  await consumer.connect()
  await consumer.subscribe({ topic })
  await consumer.run({ eachMessage: async () => onMessage() })
}

const gathered = { 'linger.ms': 1000 }
const producing = [
  { name: 'linger-0', settings: {}, oneByOne: true, bytes: 100, batches: [100, 100], codec: 'none' },
  { name: 'linger-1000', settings: gathered, bytes: 100, batches: [1, 1], codec: 'none' },
  { name: 'batch-size', settings: { ...gathered, 'batch.size': 10_000 }, bytes: 1000, batches: [10, 100], codec: 'none', most: 12_000 },
  // zstd is there only if libzstd's headers were when the addon was built.
  ...['gzip', 'snappy', 'lz4'].map(codec => ({
    name: codec, settings: { ...gathered, 'compression.codec': codec }, bytes: 100, batches: [1, 1], codec, most: 5000,
  })),
]

module.exports = { kafka, version, makeProducer, makeConsumer, producing }
