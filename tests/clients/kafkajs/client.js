// kafkajs with its default settings: produce with the codecs it offers, consume alone and compare, seek by timestamp,
// consume in a group of two, commit, resume.
'use strict'

const { readFileSync } = require('node:fs')
const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = require('kafkajs')
const { version } = require('kafkajs/package.json')
const SnappyCodec = require('kafkajs-snappy')
const { ZstdCodec } = require('zstd-codec')

// An hour ago: retention goes by the time of the records.
const BASE = Date.now() - 3_600_000
const RECORDS = 500
const GROUPED = 400
const MORE = 40
const LIMIT = 60_000

CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec
const zstd = new Promise(resolve => ZstdCodec.run(library => resolve(new library.Simple())))
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async encoder => Buffer.from((await zstd).compress(encoder.buffer)),
  decompress: async buffer => Buffer.from((await zstd).decompress(buffer)),
})
const CODECS = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy, zstd: CompressionTypes.ZSTD }

// Lanes that go over TLS or log in say so in JSON; `ca`, `cert` and `key` of its `ssl` are files.
function security() {
  const given = JSON.parse(process.env.KAFKAJS || '{}')
  for (const name of Object.keys(given.ssl || {})) given.ssl[name] = readFileSync(given.ssl[name])
  return given
}

const kafka = new Kafka({ brokers: [process.env.BOOTSTRAP], logLevel: logLevel.WARN, ...security() })

function fail(message) {
  console.error(message)
  process.exit(1)
}

function equal(what, expected, found) {
  if (expected !== found) fail(`${what}: expected ${expected}, found ${found}`)
}

const value = (name, i) => `${name} record ${i} é ${'x'.repeat((i * 37) % 900)}`

async function until(what, condition) {
  const end = Date.now() + LIMIT
  while (!condition()) {
    if (Date.now() > end) fail(`waited too long for ${what}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

async function produce(codec, compression) {
  const producer = kafka.producer()
  await producer.connect()
  const messages = Array.from({ length: RECORDS }, (_, i) => ({
    key: `k${i}`,
    value: value(codec, i),
    timestamp: String(BASE + i * 1000),
    headers: { n: String(i) },
  }))
  const [metadata] = await producer.send({ topic: `codec-${codec}`, compression, messages })
  equal(`first offset acknowledged, ${codec}`, '0', metadata.baseOffset)
  await producer.disconnect()
}

// kafkajs consumes in groups only: alone is a group of one.
async function consumeAlone(codec) {
  const consumer = kafka.consumer({ groupId: `alone-${codec}` })
  await consumer.connect()
  await consumer.subscribe({ topic: `codec-${codec}`, fromBeginning: true })
  let next = 0
  await consumer.run({
    eachMessage: async ({ message }) => {
      const i = next++
      equal('offset', String(i), message.offset)
      equal('key', `k${i}`, message.key.toString())
      equal('value', value(codec, i), message.value.toString())
      equal('timestamp', String(BASE + i * 1000), message.timestamp)
      equal('header', String(i), message.headers.n.toString())
    },
  })
  await until(`the records of ${codec}`, () => next === RECORDS)
  await consumer.disconnect()
}

async function seekByTimestamp(admin) {
  const [{ offset }] = await admin.fetchTopicOffsetsByTimestamp('codec-gzip', BASE + 249_500)
  equal('offset for a timestamp', '250', offset)
  const consumer = kafka.consumer({ groupId: 'seek' })
  await consumer.connect()
  await consumer.subscribe({ topic: 'codec-gzip' })
  const offsets = []
  await consumer.run({ eachMessage: async ({ message }) => void offsets.push(message.offset) })
  consumer.seek({ topic: 'codec-gzip', partition: 0, offset })
  await until('the records after seek', () => offsets.length === RECORDS - 250)
  offsets.forEach((found, i) => equal('offset after seek', String(250 + i), found))
  await consumer.disconnect()
}

async function produceGrouped(from, count) {
  const producer = kafka.producer()
  await producer.connect()
  const messages = Array.from({ length: count }, (_, n) => from + n)
    .map(i => ({ partition: i % 4, key: String(i), value: value('grouped', i) }))
  await producer.send({ topic: 'grouped', messages })
  await producer.disconnect()
}

async function consumeInGroup(members, from, count) {
  const seen = new Set()
  const perMember = Array(members).fill(0)
  const shares = Array(members).fill(0)
  const group = []
  for (let m = 0; m < members; m++) {
    const consumer = kafka.consumer({ groupId: 'kafkajs' })
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      shares[m] = (payload.memberAssignment.grouped ?? []).length
    })
    await consumer.connect()
    await consumer.subscribe({ topic: 'grouped', fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message }) => {
        const i = Number(message.key.toString())
        if (i < from) fail(`record ${i} was read again after its commit`)
        if (seen.has(i)) fail(`record ${i} read twice`)
        equal('value in group', value('grouped', i), message.value.toString())
        seen.add(i)
        perMember[m]++
      },
    })
    group.push(consumer)
  }
  await until('the group to share the partitions', () => shares.every(share => share === 4 / members))
  await produceGrouped(from, count)
  await until(`${count} records in the group`, () => seen.size === count)
  // Disconnecting commits what was read: the default of kafkajs.
  for (const consumer of group) await consumer.disconnect()
  if (perMember.includes(0)) fail(`a member read nothing: ${perMember}`)
  return perMember
}

async function main() {
  const admin = kafka.admin()
  await admin.connect()
  for (const [codec, compression] of Object.entries(CODECS)) {
    await produce(codec, compression)
    await consumeAlone(codec)
  }
  await seekByTimestamp(admin)
  await admin.createTopics({ topics: [{ topic: 'grouped', numPartitions: 4 }] })
  const perMember = await consumeInGroup(2, 0, GROUPED)
  await consumeInGroup(1, GROUPED, MORE)
  const committed = await admin.fetchOffsets({ groupId: 'kafkajs', topics: ['grouped'] })
  const sum = committed[0].partitions.reduce((total, { offset }) => total + Number(offset), 0)
  equal('sum of the committed offsets', GROUPED + MORE, sum)
  await admin.disconnect()
  const codecs = Object.keys(CODECS).length
  console.log(JSON.stringify({
    client: 'kafkajs', version, codecs, records: codecs * RECORDS, members: String(perMember), resumed: MORE,
  }))
}

main().catch(error => fail(error.stack))
