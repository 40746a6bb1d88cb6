// kafkajs: the messages of one send are a batch, so batch.size and linger are the caller's; compression is said with each send.
'use strict'

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = require('kafkajs')
const { version } = require('kafkajs/package.json')
const SnappyCodec = require('kafkajs-snappy')
const { ZstdCodec } = require('zstd-codec')

CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec
const zstd = new Promise(resolve => ZstdCodec.run(library => resolve(new library.Simple())))
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async encoder => Buffer.from((await zstd).compress(encoder.buffer)),
  decompress: async buffer => Buffer.from((await zstd).decompress(buffer)),
})

const kafka = new Kafka({ brokers: [process.env.BOOTSTRAP], logLevel: logLevel.ERROR })

async function makeProducer({ compression = CompressionTypes.None }) {
  const producer = kafka.producer()
  await producer.connect()
  return {
    send: (topic, values) => producer.send({ topic, compression, messages: values.map(value => ({ value })) }),
    close: () => producer.disconnect(),
  }
}

async function makeConsumer(groupId, topic, { minBytes, maxWait }, onMessage) {
  const consumer = kafka.consumer({ groupId, minBytes, maxWaitTimeInMs: maxWait })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({ eachMessage: async () => onMessage() })
}

const codecs = { gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy, zstd: CompressionTypes.ZSTD }
const producing = [
  { name: 'one-by-one', settings: {}, oneByOne: true, bytes: 100, batches: [100, 100], codec: 'none' },
  { name: 'together', settings: {}, bytes: 100, batches: [1, 1], codec: 'none' },
  ...Object.entries(codecs).map(([codec, compression]) =>
    ({ name: codec, settings: { compression }, bytes: 100, batches: [1, 1], codec, most: 5000 })),
]

module.exports = { kafka, version, makeProducer, makeConsumer, producing }
